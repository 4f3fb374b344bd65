"""One history on several stores: one as it is, one in another order, and one by other workers; all have to agree."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import attrs

from rewardkit.core.requests.answers import Recorded
from rewardkit.core.requests.commands import Command, Emit
from rewardkit.errors import Conflict, StoreError, ValidationError
from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.deed import Deed
from rewardkit.testing.faults import Fault, Step, WatchedStore
from rewardkit.testing.faults_world import ForeseenKit
from rewardkit.testing.incentive_draws import USERS
from rewardkit.testing.incentive_model import IncentiveModel, examined

WORKERS = 3


class IncentiveKits:
    """Does what is asked on each store, and holds what is kept to what is promised.

    Args:
        store: any; the others are in memory.
        tenant: of this history alone.
        twice: how much is compared with itself: the share of histories that other workers and orders repeat.
    """

    def __init__(self, store: Store, tenant: str, *, twice: bool = True) -> None:
        self.store, self.tenant = store, tenant
        self.clock = FakeClock()
        self.model = IncentiveModel()
        self.facts: Counter[str] = Counter()
        self._chance = random.Random(0)  # noqa: S311 - the same every time is wanted
        self._done = 0
        self._reordered = MemoryStore() if twice else None
        self._shared = MemoryStore() if twice else None
        self.restart()
        self.snapshot = self._seen(store)

    def restart(self) -> None:
        """Forget everything that is not kept."""
        self.kit = self._kit(self.store)
        self._other = None if self._reordered is None else self._kit(self._reordered)
        self._workers = [] if self._shared is None else [self._kit(self._shared) for _ in range(WORKERS)]

    def _kit(self, store: Store) -> ForeseenKit:
        return ForeseenKit(store, clock=self.clock, tenant=self.tenant)

    def _seen(self, store: Store) -> Snapshot:
        return snapshot_of(store, self.tenant, USERS)

    def open(self, command: Command[Any]) -> Any:
        """Define something before the history begins: nothing is looked at yet."""
        answer = self._everywhere(command, None)
        self.model.learn(Deed(command, answer, self.clock(), self.snapshot, self.snapshot))
        return answer

    def begin(self) -> None:
        """Look at what has been defined."""
        self.snapshot = self._seen(self.store)

    def do(self, command: Command[Any], *, key: str | None = None, fault_at: int = 0) -> tuple[Deed, list[str]]:
        """Ask for one thing, perhaps with a fault at a step of it, and say what is broken after it."""
        broken = self._hit(command, key or "", fault_at) if fault_at else []
        before = self.snapshot
        answer = self._everywhere(command, key)
        self.snapshot = self._seen(self.store)
        deed = Deed(command, answer, self.clock(), before, self.snapshot)
        self.facts += examined(deed)
        return deed, [*broken, *self.model.violations(deed), *self._agree()]

    def _everywhere(self, command: Command[Any], key: str | None) -> Any:
        self._done += 1
        answer = _attempt(self.kit, command, key)
        if self._other is not None:
            other = command
            if isinstance(command, Emit) and len(command.events) > 1:
                events = list(command.events)
                self._chance.shuffle(events)
                other = attrs.evolve(command, events=tuple(events))
            _attempt(self._other, other, None)
            if isinstance(command, Emit) and isinstance(answer, Recorded):
                _attempt(self._other, other, None)
        if self._workers:
            _attempt(self._workers[self._done % WORKERS], command, None)
        return answer

    def _agree(self) -> list[str]:
        found = []
        for letter, store in (("O3", self._reordered), ("E3", self._shared)):
            if store is not None:
                self.facts[letter] += 1
                there = self._seen(store)
                if there != self.snapshot:
                    found.append(f"{letter}: {_difference(self.snapshot, there)}")
        return found

    def _hit(self, command: Command[Any], key: str, at: int) -> list[str]:
        """Fail at a step: nothing or everything is kept, and the error says which."""
        fault = Fault(at)
        try:
            _attempt(self._kit_of(WatchedStore(self.store, fault)), command, key)
        except StoreError as error:
            after = self._seen(self.store)
            committed = fault.hit == Step("commit", "after")
            if not committed and after != self.snapshot:
                return [f"K2: {error.outcome}, and something was kept: {_difference(self.snapshot, after)}"]
        return []

    def _kit_of(self, store: WatchedStore) -> ForeseenKit:
        return ForeseenKit(store, clock=self.clock, tenant=self.tenant)


def _attempt(kit: ForeseenKit, command: Command[Any], key: str | None) -> Any:
    try:
        return kit.attempt(command, key=key)
    except (Conflict, ValidationError) as error:
        return error


def _difference(ours: Snapshot, theirs: Snapshot) -> str:
    names = [field.name for field in attrs.fields(Snapshot)]
    return "\n".join(
        f"{name}: {getattr(ours, name)}\n    there: {getattr(theirs, name)}"
        for name in names
        if getattr(ours, name) != getattr(theirs, name)
    )
