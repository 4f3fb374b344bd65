"""The threads of a `then`: one per anchor that may still lead to something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from rewardkit.language.event import Event
from rewardkit.language.running.dominance import Better, Directions, Thread, prune

VALUE = 1
TRUE = 2
FALSE = 4
DRY = 8
ENDS = 16
"""Bits of what a segment knows at a reading.

It holds; it holds for good; it will never hold; it will never end again; it ends at this very reading.
"""

FIRED = 32
"""Of a shared segment of `satisfied`: it was satisfied at this very reading."""

FOREVER = 2**63 - 1
"""Later than every instant."""

Evers: TypeAlias = tuple[int, ...]
Run: TypeAlias = Callable[[Thread, Event | None, int, int, Evers], tuple[Thread, int]]
"""`(thread, event, at, end, evers)` to the new thread and its bits; without an event it is a timer's reading."""
Due: TypeAlias = Callable[[Thread, int, Evers], int]
"""The next instant at which time alone may change a thread, or FOREVER."""


@attrs.frozen(eq=False)
class Part:
    """A segment at run time."""

    run: Run
    due: Due
    initial: Thread
    born: Thread
    """What follows the anchor in a thread that begins."""
    birth: int | None
    """The bits of its first reading, where they are the same whenever it begins."""
    names: frozenset[str]
    pulls: Directions
    better: Better


@attrs.frozen(eq=False)
class Threads:
    """A `then` at run time.

    Its slot is `(bits, threads of the second step, threads of the third, …)`, or 0 or 1 once it is decided. The bits
    are VALUE and TRUE of the last step's threads, FALSE where there is no thread, DRY where none will end again.
    """

    parts: tuple[Part, ...]
    followed: bool

    @property
    def initial(self) -> tuple[Any, ...]:
        return (FALSE | DRY, *(() for _ in self.parts))

    def fold(
        self, slot: tuple[Any, ...], event: Event | None, at: int, end: int, evers: Evers, begins: object
    ) -> tuple[tuple[Any, ...], bool]:
        """The slot after one reading, and whether the last step ends at it.

        `begins` says whether the first step ends at this reading; `end` is the end of the chain's own scope.
        """
        lists: list[Any] = [0]
        final = len(self.parts)
        bits = FALSE | DRY
        ended: object = begins
        same = True
        for place, part in enumerate(self.parts, start=1):
            before: tuple[Thread, ...] = slot[place]
            previous, ended = ended, False
            if not before and not previous:
                lists.append(before)
                continue
            useless = FALSE if place == final else DRY
            kept: list[Thread] = []
            if event is not None and event.name not in part.names and not (self.followed and place == final):
                # It does not listen: what it knew stands.
                kept.extend(before)
                if place == final:
                    bits |= slot[0] & 3
            else:
                for thread in before:
                    after, known = part.run(thread, event, at, end, evers)
                    if known & ENDS:
                        ended = True
                    if not known & useless:
                        kept.append(after)
                        if place == final:
                            bits = (bits | known & 3) & (known | ~DRY)
            if previous:
                born: Thread = (at, *part.born)
                if part.birth is not None:
                    known = part.birth
                else:
                    # What fires at the very place where a step begins lies before it.
                    born, known = part.run(born, None, at, end, tuple(known & ~FIRED for known in evers))
                if not known & useless:
                    kept.append(born)
                    if place == final:
                        bits = (bits | known & 3) & (known | ~DRY)
            if len(kept) == 2:
                one, other = kept
                if part.better(one, other):
                    kept = [one]
                elif part.better(other, one):
                    kept = [other]
            after_all = tuple(kept)
            if len(kept) > 2 and after_all != before:
                after_all = tuple(prune(kept, part.pulls, part.better))
            if after_all:
                bits &= ~FALSE if place == final else ~(FALSE | DRY)
            if after_all == before:
                after_all = before
            else:
                same = False
            lists.append(after_all)
        if same and bits == slot[0]:
            return slot, bool(ended)
        lists[0] = bits
        return tuple(lists), bool(ended)

    def due(self, slot: tuple[Any, ...], end: int, evers: Evers) -> int:
        """The next instant at which a thread may change by itself."""
        earliest = FOREVER
        for place, part in enumerate(self.parts, start=1):
            for thread in slot[place]:
                earliest = min(earliest, part.due(thread, end, evers))
        return earliest
