"""What aggregates are, and when a comparison of them holds; sums and averages are exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from rewardkit.language import civil, tree
from rewardkit.language.event import Event
from rewardkit.language.values.filter import compare, kind_of, look_up, matches

Value: TypeAlias = Fraction | str | bool | None
"""A number, what `latest` and `first` found, or None: of nothing."""


def matching(found: Sequence[tree.Match], events: Iterable[Event]) -> list[Event]:
    """The events that match any of some matches, in their order."""
    # By name first, since explanations ask this of every scope of a long history.
    plain = {match.name for match in found if match.where is None}
    filtered = [(match.name, match.where) for match in found if match.where is not None and match.name not in plain]
    if not filtered:
        return [event for event in events if event.name in plain]
    return [
        event
        for event in events
        if event.name in plain
        or any(event.name == name and matches(where, event.properties) for name, where in filtered)
    ]


def compared(node: tree.Comparison) -> tuple[tree.Match, ...]:
    """Every match of a comparison."""
    terms = node.left if isinstance(node.right, str) else node.left + node.right
    return tuple(match for term in terms if term.aggregate is not None for match in term.aggregate.matches)


def comparison_holds(node: tree.Comparison, events: Sequence[Event], zone: str) -> bool:
    """Whether a comparison holds over the events of a scope; with an aggregate of nothing it does not."""
    if isinstance(node.right, str):
        value = _value(node.left[0], events, zone)
        return value is not None and compare(0 if isinstance(value, Fraction) else value, node.operator, node.right)
    if len(node.left) == 1 and not any(term.aggregate for term in node.right):
        # Alone, `latest` and `first` compare as a filter does: another type is unequal, and neither more nor less.
        value = _value(node.left[0], events, zone)
        if isinstance(value, str | bool):
            return node.operator == "!="
    left, right = _sum(node.left, events, zone), _sum(node.right, events, zone)
    if left is None or right is None:
        return False
    match node.operator:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def comparison_gap(node: tree.Comparison, events: Sequence[Event], zone: str) -> Fraction | None:
    """Left minus right; None where an aggregate has nothing, or a text."""
    if isinstance(node.right, str):
        return None
    left, right = _sum(node.left, events, zone), _sum(node.right, events, zone)
    return None if left is None or right is None else left - right


def _sum(terms: tuple[tree.Term, ...], events: Sequence[Event], zone: str) -> Fraction | None:
    total = Fraction(0)
    for term in terms:
        value = _value(term, events, zone)
        if not isinstance(value, Fraction):
            return None
        total += value
    return total


def _value(term: tree.Term, events: Sequence[Event], zone: str) -> Value:
    if term.aggregate is None:
        return Fraction(term.factor)
    value = aggregate(term.aggregate, events, zone)
    if isinstance(value, Fraction):
        return Fraction(term.factor) * value
    return value if term.factor == 1 else None


def aggregate(node: tree.Aggregate, events: Sequence[Event], zone: str) -> Value:
    """The value of an aggregate over the events of a scope."""
    found = matching(node.matches, events)
    if node.function == "count":
        return Fraction(len(found))
    if node.function == "days":
        return Fraction(len({civil.local_date(event.at, zone) for event in found}))
    values = [value for event in found if kind_of(value := look_up(node.field or "", event.properties)) != "none"]
    if node.function == "distinct":
        return Fraction(len({typed(value) for value in values}))
    if node.function in ("latest", "first"):
        return (_number(values[-1 if node.function == "latest" else 0])) if values else None
    numbers = [number for value in values if isinstance(number := _number(value), Fraction)]
    if node.function == "sum":
        return sum(numbers, Fraction(0))
    if not numbers:
        return None
    match node.function:
        case "avg":
            return sum(numbers, Fraction(0)) / len(numbers)
        case "min":
            return min(numbers)
        case _:
            return max(numbers)


def typed(value: Any) -> tuple[str, Any]:
    """What a value of a property is told apart by: `1`, `"1"` and `true` differ, `1` and `1.0` do not."""
    return kind_of(value), _number(value)


def _number(value: Any) -> Fraction | str | bool:
    """A number as a fraction, anything else as it is."""
    if isinstance(value, str | bool):
        return value
    return Fraction(Decimal(repr(value)) if isinstance(value, float) else value)
