"""A queue of open windows, never changed in place: joining, leaving and the least entry cost the same at any length."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from rewardkit.language.event import Instant
from rewardkit.language.values.exact import Number

Entry = tuple[Instant, Number]


class Ledger:
    """Instants, none before the one ahead of it, each with a number.

    Ledgers that follow one another share a list that only grows; of its range, the front keeps the least number from
    each place on, and the back one for all of it. The front is made anew from the back when it has left.
    """

    __slots__ = ("_back", "_front", "_middle", "_shared", "_start", "_stop")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._shared = list(entries)
        self._start, self._stop = 0, len(self._shared)
        self._turn()

    def _turn(self) -> None:
        numbers = [number for _, number in reversed(self._shared[self._start : self._stop])]
        self._front = tuple(accumulate(numbers, min))
        self._middle = self._stop
        self._back: Number | None = None

    def _moved(self, start: int) -> Ledger:
        made = Ledger.__new__(Ledger)
        made._shared, made._start, made._stop = self._shared, start, self._stop  # noqa: SLF001 - of one class
        made._front, made._middle, made._back = self._front, self._middle, self._back  # noqa: SLF001 - of one class
        if start > self._middle:
            made._turn()  # noqa: SLF001 - of one class
        return made

    def __len__(self) -> int:
        return self._stop - self._start

    @property
    def entries(self) -> list[Entry]:
        return self._shared[self._start : self._stop]

    @property
    def first(self) -> Entry:
        return self._shared[self._start]

    @property
    def least(self) -> Number:
        """The least number of all; there has to be one."""
        ahead = self._middle - self._start
        if ahead <= 0:
            assert self._back is not None
            return self._back
        front = self._front[ahead - 1]
        return front if self._back is None else min(front, self._back)

    def joined(self, entry: Entry) -> Ledger:
        """With one more entry at the end."""
        if len(self._shared) != self._stop or self._start * 2 > self._stop + 64:
            # Another ledger has gone on from here, or most of the list has left.
            return Ledger([*self.entries, entry])
        self._shared.append(entry)
        made = self._moved(self._start)
        made._stop += 1  # noqa: SLF001 - of one class
        back = self._back
        made._back = entry[1] if back is None else min(back, entry[1])  # noqa: SLF001 - of one class
        return made

    def left(self) -> Ledger:
        """Without the first entry."""
        return self._moved(self._start + 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ledger) and self.entries == other.entries

    def __hash__(self) -> int:
        return hash(tuple(self.entries))

    def __repr__(self) -> str:
        return f"Ledger({self.entries!r})"
