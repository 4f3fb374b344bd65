"""One of many processes that take codes of one pool, or the last use of one code, with several threads each.

Run as a script, with `src` importable; jobs come as lines of JSON, and so do the answers.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from rewardkit import ConfirmReservation, IssueCode, RedeemCode, Refused, ReserveCode, RewardKit, StoreError

PATIENCE_SECONDS = 120


class PoolWorker:
    """Threads that each begin at the same instant.

    Args:
        job: the `store`'s name as a kit takes it, `tenant`, `worker`, `threads`, `begin`, and what to do:
            `issue` so many codes each, or `redeem` a code in one of three ways, once.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.kit = RewardKit(job["store"], tenant=job["tenant"])
        self.codes: list[str] = []
        self.refusals: dict[str, int] = {}
        self.retried = 0
        self._lock = threading.Lock()

    def run(self) -> dict[str, Any]:
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(self.job["threads"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.kit.close()
        return {"codes": self.codes, "refusals": self.refusals, "retried": self.retried}

    def _work(self, number: int) -> None:
        time.sleep(max(0.0, self.job["begin"] - time.time()))
        name = f"{self.job['worker']}-{number}"
        if "issue" in self.job:
            for turn in range(self.job["issue"]):
                self._count(IssueCode("pool", f"{name}-{turn}"), f"{name}-{turn}")
        else:
            self._take(self.job["redeem"], f"{self.job['redeem']} {name}")

    def _take(self, code: str, name: str) -> None:
        """Half of them redeem, the others reserve and confirm."""
        if self.job["worker"] % 2:
            self._count(RedeemCode(code), name)
        elif self._attempt(ReserveCode(code, reservation=name), f"reserve {name}") is not None:
            self._count(ConfirmReservation(name), name)

    def _count(self, command: Any, key: str) -> None:
        answer = self._attempt(command, key)
        if answer is not None:
            with self._lock:
                self.codes.append(answer.code)

    def _attempt(self, command: Any, key: str) -> Any:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self.kit.attempt(command, key=key)
                break
            except StoreError:
                if time.monotonic() > until:
                    raise
                with self._lock:
                    self.retried += 1
        if not isinstance(answer, Refused):
            return answer
        with self._lock:
            self.refusals[answer.code] = self.refusals.get(answer.code, 0) + 1
        return None


def main() -> None:
    """Answer `ready`, then each job with what came of it, until there are no more."""
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(PoolWorker(json.loads(line)).run()), flush=True)


if __name__ == "__main__":
    main()
