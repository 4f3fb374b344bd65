"""Slots that measure more than a number of events: sums, extremes, different values, days, and first and latest ones.

Each keeps what its comparisons need and no more. Where a value is compared with a constant alone, the outcome of that
comparison is kept in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import attrs

from rewardkit.language import tree
from rewardkit.language.civil import local_date
from rewardkit.language.event import Event, Instant
from rewardkit.language.planning.bounds import Cut
from rewardkit.language.values.exact import Number, Value, plus, reader

Kind: TypeAlias = Literal["sum", "numbers", "min", "max", "latest", "first", "distinct", "days"]
Fold: TypeAlias = Callable[[Any, Event], Any]
"""From a slot's content and a matching event to the content after it; the same object where nothing changed."""

NOTHING, LESS, EQUAL, MORE, OTHER = range(5)
"""How a value stands to a constant; OTHER is a value of another type."""

TEXT = False
"""The first value where that is no number, so that no sum has a value."""

DAYS_BACK = 7
"""How far a clock that is set back may return; zones go back by a day at most."""


@attrs.define
class Gauge:
    """A slot that measures the events that match.

    `sum`, `numbers` (how many have a number), `min`, `max`, `latest` and `first` hold a number, or None for nothing.
    The last four, where `against` is a constant, hold how they stand to it. `distinct` holds a set, `days` a number of
    days, the newest of them, and a bit for each day before it that has been counted.
    """

    kind: Kind
    matches: tuple[tree.Match, ...]
    field: tree.Field | None
    against: Number | str | None
    cut: Cut
    floor: Instant | None
    most: int | None
    """Up to which different values or days are told apart; None for all."""
    followed: bool = False

    @property
    def initial(self) -> Any:
        """What it holds before anything has matched."""
        if self.kind == "distinct":
            return frozenset()
        if self.kind == "days":
            return (0, 0, 0)
        return 0 if self.coded or self.kind in ("sum", "numbers") else None

    @property
    def coded(self) -> bool:
        """Whether it holds how its value stands to a constant, and not the value."""
        return self.against is not None

    def fold(self, zone: str) -> Fold:
        """The function that takes a matching event in."""
        if self.kind == "days":
            return _days(self.most, zone)
        read = reader(self.field or "")
        if self.kind == "distinct":
            return _distinct(read, self.most)
        if self.against is not None:
            return _coded(self.kind, read, self.against)
        return {"sum": _sum, "numbers": _numbers, "min": _least, "max": _greatest, "latest": _latest, "first": _first}[
            self.kind
        ](read)


Read: TypeAlias = Callable[[Any], Value | None]


def is_number(value: Value | None) -> bool:
    """Whether it is a number; a truth value is none."""
    return value is not None and value.__class__ is not bool and value.__class__ is not str


def _sum(read: Read) -> Fold:
    def fold(total: Number, event: Event) -> Number:
        value = read(event.properties)
        return plus(total, value) if value and is_number(value) else total  # type: ignore[arg-type]  # a number

    return fold


def _numbers(read: Read) -> Fold:
    return lambda many, event: many + 1 if is_number(read(event.properties)) else many


def _least(read: Read) -> Fold:
    def fold(least: Number | None, event: Event) -> Number | None:
        value: Any = read(event.properties)
        return value if is_number(value) and (least is None or value < least) else least

    return fold


def _greatest(read: Read) -> Fold:
    def fold(greatest: Number | None, event: Event) -> Number | None:
        value: Any = read(event.properties)
        return value if is_number(value) and (greatest is None or value > greatest) else greatest

    return fold


def _latest(read: Read) -> Fold:
    def fold(latest: Number | None, event: Event) -> Number | None:
        value: Any = read(event.properties)
        if value is None or (value == latest and is_number(value)):
            return latest
        return value if is_number(value) else None

    return fold


def _first(read: Read) -> Fold:
    def fold(first: Any, event: Event) -> Any:
        if first is not None:
            return first
        value = read(event.properties)
        return value if value is None or is_number(value) else TEXT

    return fold


def _coded(kind: Kind, read: Read, against: Number | str) -> Fold:
    """Codes of extremes only rise: of `min` they are counted from the other side."""
    textual = isinstance(against, str)

    def code(value: Any) -> int:
        if (value.__class__ is str) != textual or value.__class__ is bool:
            return OTHER
        if value == against:
            return EQUAL
        return LESS if (value < against) != (kind == "min") else MORE

    def fold(before: int, event: Event) -> int:
        if before and kind == "first":
            return before
        value = read(event.properties)
        if value is None:
            return before
        found = code(value)
        if kind in ("latest", "first"):
            return found
        return max(before, found) if found != OTHER else before

    return fold


def _distinct(read: Read, most: int | None) -> Fold:
    def fold(values: frozenset[Any], event: Event) -> frozenset[Any]:
        value: Any = read(event.properties)
        if value is None or (most is not None and len(values) >= most):
            return values
        # `true` and `1` are equal in Python, and are two values.
        told = (value,) if value.__class__ is bool else value
        return values if told in values else values | {told}

    return fold


def _days(most: int | None, zone: str) -> Fold:
    def fold(days: tuple[int, int, int], event: Event) -> tuple[int, int, int]:
        many, newest, before = days
        if most is not None and many >= most:
            return days
        day = local_date(event.at, zone).toordinal()
        if not many:
            return (1, day, 0)
        if day > newest:
            return (many + 1, day, ((before << 1 | 1) << min(day - newest - 1, DAYS_BACK)) & (1 << DAYS_BACK) - 1)
        back = 1 << (newest - day - 1) if day < newest else 0
        return (many + 1, newest, before | back) if back & ~before else days

    return fold
