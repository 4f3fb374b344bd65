"""What the parts of a condition have in common whose bodies live in scopes of their own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from rewardkit.language import civil, tree
from rewardkit.language.event import Event, Instant
from rewardkit.language.running.chain import Evers, Part
from rewardkit.language.running.dominance import Thread

Slot: TypeAlias = tuple[Any, ...]
"""Its first element says what is known of it: the bits of `chain`."""


class Family(Protocol):
    """One such part at run time; what it knows is in a slot of the thread around it.

    Once the part is decided, or its own scope has closed, the thread puts 0 or 1 in the slot's place.
    """

    @property
    def initial(self) -> Slot:
        """The slot before anything is read."""

    def fold(
        self, slot: Slot, event: Event | None, at: Instant, end: Instant, evers: Evers, anchor: Instant
    ) -> tuple[Slot, bool]:
        """The slot after one reading, the very same one where nothing changed, and whether the part ends at it.

        Args:
            slot: before it.
            event: what is read; None for a timer, or where the part's scope has closed.
            at: the instant of the reading.
            end: of the part's own scope.
            evers: what is known of the condition's shared segments.
            anchor: of the part's own scope.
        """

    def due(self, slot: Slot, end: Instant, evers: Evers) -> Instant:
        """The next instant at which time alone may change it, or FOREVER."""


@lru_cache(maxsize=65_536)
def _civil_close(anchor: Instant, count: int, unit: str, zone: str) -> Instant:
    return civil.span_end(anchor, count, unit, zone)


def close_of(span: tree.Span, anchor: Instant, zone: str) -> Instant:
    """The first instant after a window that begins at an anchor."""
    if isinstance(span, tree.Elapsed):
        return anchor + span.microseconds
    return _civil_close(anchor, span.count, span.unit, zone)


def begun(part: Part, anchor: Instant, at: Instant, end: Instant, evers: Evers) -> tuple[Thread, int]:
    """A thread that begins at an earlier anchor, with its timers up to an instant released, and what is known of it."""
    thread, known = part.run((anchor, *part.born), None, anchor, end, evers)
    while (due := part.due(thread, end, evers)) <= at:
        thread, known = part.run(thread, None, due, end, evers)
    return thread, known
