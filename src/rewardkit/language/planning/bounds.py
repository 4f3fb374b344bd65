"""Where windows close: so long after the anchor, on a day of the calendar counted from it, or at an instant."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import attrs

from rewardkit.language.civil import span_end
from rewardkit.language.event import Instant
from rewardkit.language.tree import Calendar

Offset: TypeAlias = int
"""Microseconds from the segment's anchor."""


@attrs.frozen
class Moment:
    """An instant that does not depend on the anchor."""

    instant: Instant


Bound: TypeAlias = Offset | Calendar | Moment

Cut: TypeAlias = tuple[Bound, ...]
"""What ends a leaf: the first of its bounds. Of two that are always in one order only the earlier one is kept."""

Closes: TypeAlias = Callable[[Instant], tuple[Instant, ...]]
"""From an anchor to the instants at which some calendar spans from it end."""

_LONGER = {"week": ("day", 7), "quarter": ("month", 3), "year": ("month", 12)}


def shortest_unit(span: Calendar) -> Calendar:
    """The same span in days or months, so that spans of one kind can be put in order."""
    unit, many = _LONGER.get(span.unit, (span.unit, 1))
    return Calendar(span.count * many, unit)


def tightened(cut: Cut, bound: Bound) -> Cut:
    """A cut with one more bound around it."""
    kind, place = order_of(bound)
    for other in cut:
        if order_of(other)[0] == kind and order_of(other)[1] <= place:
            return cut
    return tuple(sorted([*(other for other in cut if order_of(other)[0] != kind), bound], key=order_of))


def forestalling(cut: Cut, bound: Bound) -> Cut | None:
    """Those bounds of a cut that may come before another one; None where one of them always does."""
    kind, place = order_of(bound)
    earlier = [other for other in cut if order_of(other)[0] == kind and order_of(other)[1] < place]
    if any(not isinstance(other, Calendar) for other in earlier):
        return None
    # Where a zone skipped a date, one calendar day and two may end at one instant.
    return tuple(other for other in cut if other in earlier or order_of(other)[0] != kind)


def moves(bound: Bound) -> bool:
    """Whether it depends on the anchor."""
    return not isinstance(bound, Moment)


def closes_of(spans: tuple[Calendar, ...], zone: str) -> Closes:
    """From an anchor to the instants at which calendar spans from it end; it remembers the latest anchors."""

    @lru_cache(maxsize=4_096)
    def closes(anchor: Instant) -> tuple[Instant, ...]:
        return tuple(span_end(anchor, span.count, span.unit, zone) for span in spans)

    return closes


def close_of(bound: Bound, anchor: Instant, zone: str) -> Instant:
    """The instant at which a bound closes."""
    match bound:
        case Moment(instant=instant):
            return instant
        case Calendar(count=count, unit=unit):
            return span_end(anchor, count, unit, zone)
        case _:
            return anchor + bound


def order_of(bound: Bound) -> tuple[str, int]:
    """Its kind, and its place among those of its kind."""
    match bound:
        case Moment(instant=instant):
            return "instant", instant
        case Calendar(count=count, unit=unit):
            return unit, count
        case _:
            return "elapsed", bound
