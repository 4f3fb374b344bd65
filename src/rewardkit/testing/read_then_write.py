"""The bug that nearly every shop has shipped, to show that tests notice it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rewardkit.core.storing.effects import Insert, Replace
from rewardkit.core.storing.needs import Claim, Claims, Counters, Need
from rewardkit.core.storing.rows import CounterRow
from rewardkit.ports import Store, Transaction
from rewardkit.testing.wrapped_store import WrappedStore

T = TypeVar("T")


class ReadThenWrite(WrappedStore):
    """A store sabotaged as most shops are: the counter is read, something else happens, then it is written.

    Args:
        store: the store that keeps everything.
        counter: the name of the counter that is read.
        between: what happens between the reading and the writing.
    """

    def __init__(self, store: Store, counter: str, between: Callable[[], None]) -> None:
        super().__init__(store)
        self._counter = counter
        self._between = between

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[Transaction]:
        """Read now, and write later what was read now."""
        if reading:
            with self._store.transaction(tenant, reading=True) as queried:
                yield queried
            return
        with self._store.transaction(tenant, reading=True) as looking:
            counters = looking.ask(Counters((self._counter,)))
        self._between()
        with self._store.transaction(tenant) as writing:
            yield ReadThenWriteTransaction(writing, self._counter, counters[0] if counters else None)


class ReadThenWriteTransaction:
    """A transaction that claims one counter as most shops do, and all others as it should."""

    def __init__(self, transaction: Transaction, counter: str, known: CounterRow | None) -> None:
        self._transaction = transaction
        self._counter = counter
        self._known = known
        self.write = transaction.write

    def ask(self, need: Need[T]) -> T:
        """Answer a need; a claim by what was read before."""
        if not isinstance(need, Claims):
            return self._transaction.ask(need)
        answer: Any = tuple(map(self._claim, need.claims))
        return answer  # type: ignore[no-any-return]

    def _claim(self, claim: Claim) -> int:
        if claim.name != self._counter:
            return self._transaction.ask(Claims((claim,)))[0]
        row = self._known or CounterRow(claim.name, claim.cap, 0, 0, 0)
        cap = claim.cap if claim.want else row.cap
        granted = min(claim.want, cap - row.reserved - row.confirmed + claim.release)
        reserved = row.reserved - claim.confirm - claim.release + granted
        row = CounterRow(row.name, cap, reserved, row.confirmed + claim.confirm, granted)
        self._transaction.write((Replace((row,)) if self._known else Insert((row,)),))
        self._known = row
        return granted
