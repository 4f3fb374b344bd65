"""One of many processes that contend for the places under a cap. Jobs come as lines of JSON, and so do the answers.

Run as a script, with `src` importable; it imports nothing of the tests, so that any platform can start it.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

from rewardkit import CancelUserOffer, EnterOfferCode, MakeOffer, Refused, RewardKit, RunDue, StoreError, UserOffer

DAY = 86_400_000_000


class CapWorker:
    """Makes offers in every way there is, and takes them back where the job says so.

    Args:
        job: the `store`'s name as a kit takes it, `tenant`, `worker`, `seed`, `at`, `attempts`, and whether to `undo`.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.chance = random.Random(f"{job['seed']} {job['worker']}")
        self.at: int = job["at"]
        self.kit = RewardKit(job["store"], clock=lambda: self.at, tenant=job["tenant"])
        self.mine: list[str] = []
        self.counts = dict.fromkeys(("made", "refused", "earned", "cancelled", "expired", "retried"), 0)

    def run(self) -> dict[str, int]:
        for number in range(self.job["attempts"]):
            while True:
                try:
                    self.enter(f"w{self.job['worker']}-{number}")
                    break
                except StoreError:
                    self.counts["retried"] += 1
            if self.job["undo"]:
                self.undo()
        self.kit.close()
        return self.counts

    def enter(self, user: str) -> None:
        """In one of four ways; a repeat after an error converges, as every call has a key or an event's id."""
        way = self.chance.randrange(4)
        if way < 2:
            command = MakeOffer("capped", user) if way else EnterOfferCode("cap", user)
            answer = self.kit.attempt(command, key=user)
            made = [answer.id] if isinstance(answer, UserOffer) else []
        else:
            recorded = self.kit.emit("Signed", user=user, id="signed", key=user)
            made = [entered.user_offer for entered in recorded.entered]
        self.counts["made"] += len(made)
        self.counts["refused"] += not made
        if way == 3 and made:
            earned = self.kit.emit("Activated", user=user, id="activated", order=1, key=f"{user} activated").earned
            self.counts["earned"] += len(earned)
        else:
            self.mine += made

    def undo(self) -> None:
        """Now and then: cancel one of its own, or let time pass over everybody's."""
        roll = self.chance.random()
        if roll < 0.6 and self.mine:
            offer = self.mine.pop(self.chance.randrange(len(self.mine)))
            answer = self.kit.attempt(CancelUserOffer(offer))
            self.counts["cancelled"] += not isinstance(answer, Refused)
        elif roll < 0.65:
            self.at += DAY + 1
            self.counts["expired"] += len(self.kit.run(RunDue(50)).expired)


def main() -> None:
    """Answer `ready`, then each job with what came of it, until there are no more."""
    print("ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        worker = CapWorker(job)
        time.sleep(max(0.0, job["begin"] - time.time()))
        print(json.dumps(worker.run()), flush=True)


if __name__ == "__main__":
    main()
