"""Looking first and writing later, as shops do it who look whether a code is free: to show that tests notice it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from rewardkit.core.pools.needs import PoolOf, TakeCode, Taken
from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.needs import Need
from rewardkit.ports import Store, Transaction
from rewardkit.testing.wrapped_store import WrappedStore

T = TypeVar("T")


class CheckThenAct(WrappedStore):
    """A store sabotaged: everything is asked in one transaction, and what follows from it is written in another.

    Args:
        store: the store that keeps everything.
        between: what happens between the asking and the writing.
    """

    def __init__(self, store: Store, between: Callable[[], None]) -> None:
        super().__init__(store)
        self._between = between

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[Transaction]:
        """Look now, and write later what follows from it."""
        if reading:
            with self._store.transaction(tenant, reading=True) as queried:
                yield queried
            return
        with self._store.transaction(tenant) as looking:
            later = CheckThenActTransaction(looking)
            yield later
        if later.effects:
            self._between()
            with self._store.transaction(tenant) as acting:
                acting.write(later.effects)


class CheckThenActTransaction:
    """A transaction that remembers what it is to write."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.effects: list[Effect] = []

    def ask(self, need: Need[T]) -> T:
        """Answer a need; no code is handed out in one statement, so that it is looked for, and taken later."""
        if not isinstance(need, TakeCode):
            return self._transaction.ask(need)
        found = self._transaction.ask(PoolOf(need.pool))
        answer: Any = None if found is None else Taken(found.pool, "", None, 0)
        return answer  # type: ignore[no-any-return]

    def write(self, effects: Sequence[Effect]) -> None:
        """Later."""
        self.effects += effects
