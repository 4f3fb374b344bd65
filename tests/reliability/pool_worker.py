"""Many processes that take codes of one pool, or all want the last use of something, at the same instant.

Run as a script with the number of processes, and with `src` importable: one process imports everything and forks the
others. A job comes as a line of JSON; all processes open its store, then all begin at once; what each has come to is
answered as one line, a list.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import IO, Any

from rewardkit import (
    ConfirmReservation,
    DefineCampaign,
    DefineOffer,
    DefineReward,
    EnterPromoCode,
    Event,
    Grants,
    IssueCode,
    LaunchCampaign,
    PoolStatus,
    RedeemCode,
    Refused,
    ReleaseReservation,
    ReserveCode,
    RewardKit,
    RewardKitError,
    StoreError,
)
from rewardkit.core.requests.commands import Command
from rewardkit.storage import open_store
from rewardkit.testing.check_then_act import CheckThenAct
from rewardkit.testing.guessing import UNLIMITED

PATIENCE_SECONDS = 120
LEAD_SECONDS = 0.02
"""Between the word to begin and the beginning, so that all have heard it."""

SLEEP_SECONDS = 0.1
"""Of a sabotaged store, between looking and writing."""


class PoolWorker:
    """One of the processes, at one job.

    Args:
        number: of the process, from 0.
        job: the `store`'s name as a kit takes it, the `tenant`, a `pool`, whether the store is `broken`, the `turns`,
            and `what` is to be done each turn with the `code` or reservation, `as` whom.
    """

    def __init__(self, number: int, job: dict[str, Any]) -> None:
        self.number = number
        self.job = job
        store = open_store(job["store"])
        self.kit = RewardKit(
            CheckThenAct(store, lambda: time.sleep(SLEEP_SECONDS)) if job["broken"] else store, tenant=job["tenant"]
        )
        self.found: dict[str, Any] = {"won": [], "refusals": {}, "errors": [], "retried": 0}
        self._patiently(lambda: self.kit.ask(PoolStatus(job["pool"])))

    def run(self) -> dict[str, Any]:
        work: dict[str, Callable[[str], None]] = {
            "issue": self._issue,
            "take": self._take,
            "end": self._end,
            "enter": self._enter,
            "earn": self._earn,
        }
        for turn in range(self.job["turns"]):
            work[self.job["what"]](f"{self.number}-{turn}")
        self.kit.close()
        return self.found

    def _issue(self, name: str) -> None:
        self._count(IssueCode(self.job["pool"], name), name)

    def _take(self, name: str) -> None:
        """Half of them redeem, the others reserve and confirm."""
        code, who = self.job["code"], {"each": name, "nobody": None}.get(self.job["as"], self.job["as"])
        if self.number % 2:
            self._count(RedeemCode(code, external_issuee_id=who), name)
        elif self._attempt(ReserveCode(code, reservation=f"{code} {name}", external_issuee_id=who), f"reserve {name}"):
            self._count(ConfirmReservation(f"{code} {name}"), name)

    def _end(self, name: str) -> None:
        """Half of them confirm a reservation, the others release it."""
        reservation = self.job["code"]
        self._count(ConfirmReservation(reservation) if self.number % 2 else ReleaseReservation(reservation), name)

    def _enter(self, name: str) -> None:
        customer = f"{self.job['code']} {name}"  # who entered one before has had the campaign's offer
        self._count(EnterPromoCode(self.job["code"], customer, public=False, limits=UNLIMITED), name)

    def _earn(self, name: str) -> None:
        user = f"{self.job['pool']} {self.number}"
        self._patiently(lambda: self.kit.emit("Bought", user=user, id=name))
        for grant in self._patiently(lambda: self.kit.ask(Grants(user))).items:
            if grant.code:
                self.found["won"].append(grant.id)
            else:
                self.found["refusals"][grant.status] = 1

    def _count(self, command: Command[Any], name: str) -> None:
        answer = self._attempt(command, name)
        if answer is not None:
            self.found["won"].append(answer.code if isinstance(command, IssueCode) else repr(answer))

    def _attempt(self, command: Command[Any], name: str) -> Any:
        """The answer, or None where it was refused; repeated under its key while the store is busy."""
        if self.job["broken"]:
            try:
                answer = self.kit.attempt(command)
            except RewardKitError as error:
                self.found["errors"].append(repr(error))
                return None
        else:
            answer = self._patiently(
                lambda: self.kit.attempt(command, key=f"{self.job['pool']} {self.job['code']} {name}")
            )
        if isinstance(answer, Refused):
            self.found["refusals"][answer.code] = self.found["refusals"].get(answer.code, 0) + 1
            return None
        return answer

    def _patiently(self, call: Callable[[], Any]) -> Any:
        """What it gives, as soon as the store is not busy any more."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return call()
            except StoreError:
                if time.monotonic() > until:
                    raise
                self.found["retried"] += 1


class Child:
    """A forked process, and the pipes to it and from it."""

    def __init__(self, number: int) -> None:
        to_it, self._words = os.pipe()
        self._answers, from_it = os.pipe()
        if os.fork() == 0:
            os.close(self._words)
            os.close(self._answers)
            self._live(number, os.fdopen(to_it), os.fdopen(from_it, "w"))
        os.close(to_it)
        os.close(from_it)
        self._hearing = os.fdopen(self._answers)

    def tell(self, word: object) -> None:
        os.write(self._words, f"{json.dumps(word)}\n".encode())

    def hear(self) -> Any:
        return json.loads(self._hearing.readline())

    @staticmethod
    def _live(number: int, words: IO[str], answers: IO[str]) -> None:
        for line in words:
            worker = PoolWorker(number, json.loads(line))
            print(json.dumps("ready"), file=answers, flush=True)
            begin = json.loads(words.readline())
            time.sleep(max(0.0, begin - time.time()))
            print(json.dumps(worker.run()), file=answers, flush=True)
        os._exit(0)


def warm() -> None:
    """Read the grammar and the rest before forking, so that nobody does it while others wait for the file."""
    kit = RewardKit(":memory:")
    kit.run(DefineReward("disc"))
    kit.run(DefineOffer("disc", "disc", "Bought"))
    kit.run(DefineCampaign("disc", "disc", entry="Visited"))
    kit.run(LaunchCampaign("disc"))
    kit.emit_many([Event(name, user="ann", id=name) for name in ("Visited", "Bought")])
    kit.close()


def main() -> None:
    """Answer each job with what every process has come to, until there are no more."""
    warm()
    children = [Child(number) for number in range(int(sys.argv[1]))]
    print("ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        chosen = children[: job["workers"]]
        for child in chosen:
            child.tell(job)
        for child in chosen:
            child.hear()
        begin = time.time() + LEAD_SECONDS
        for child in chosen:
            child.tell(begin)
        print(json.dumps([child.hear() for child in chosen]), flush=True)


if __name__ == "__main__":
    main()
