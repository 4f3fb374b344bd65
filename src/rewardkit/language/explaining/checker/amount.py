"""Aggregates and comparisons, said a second time."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rewardkit.language import civil
from rewardkit.language.event import Event
from rewardkit.language.tree import Aggregate, Comparison, Match, Term
from rewardkit.language.values.filter import compare, kind_of, look_up
from rewardkit.language.values.filter import matches as fits

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def chosen(wanted: Sequence[Match], events: Sequence[Event]) -> list[Event]:
    """The events that are any of what is wanted."""
    found = []
    for event in events:
        for one in wanted:
            if one.name == event.name and (one.where is None or fits(one.where, event.properties)):
                found.append(event)
                break
    return found


def wanted_by(node: Comparison) -> list[Match]:
    """Every event that a comparison may count."""
    right = () if isinstance(node.right, str) else node.right
    return [one for term in (*node.left, *right) if term.aggregate is not None for one in term.aggregate.matches]


def gap(node: Comparison, events: Sequence[Event], zone: str) -> Fraction | None:
    """Left minus right, where both are numbers."""
    if isinstance(node.right, str):
        return None
    total = Fraction(0)
    for sign, terms in ((1, node.left), (-1, node.right)):
        for term in terms:
            value = _scaled(term, events, zone)
            if not isinstance(value, Fraction):
                return None
            total += sign * value
    return total


def compares(node: Comparison, events: Sequence[Event], zone: str) -> bool:
    """Whether a comparison holds."""
    if isinstance(node.right, str):
        value = _scaled(node.left[0], events, zone)
        # To a text, all numbers are the same: another type.
        return value is not None and compare(0 if isinstance(value, Fraction) else value, node.operator, node.right)
    alone = len(node.left) == 1 and all(term.aggregate is None for term in node.right)
    if alone and isinstance(_scaled(node.left[0], events, zone), str | bool):
        return node.operator == "!="
    difference = gap(node, events, zone)
    return difference is not None and _TESTS[node.operator](difference, 0)


def _scaled(term: Term, events: Sequence[Event], zone: str) -> Any:
    if term.aggregate is None:
        return Fraction(term.factor)
    value = _aggregated(term.aggregate, chosen(term.aggregate.matches, events), zone)
    if isinstance(value, Fraction):
        return value * Fraction(term.factor)
    return value if term.factor == 1 else None


def _aggregated(node: Aggregate, events: list[Event], zone: str) -> Any:
    if node.function == "count":
        return Fraction(len(events))
    if node.function == "days":
        return Fraction(len({civil.local_date(event.at, zone) for event in events}))
    values = [exact(look_up(node.field or "", event.properties)) for event in events]
    values = [value for value in values if value is not None]
    numbers = [value for value in values if isinstance(value, Fraction)]
    match node.function:
        case "distinct":
            return Fraction(len({(type(value), value) for value in values}))
        case "latest":
            return values[-1] if values else None
        case "first":
            return values[0] if values else None
        case "sum":
            return sum(numbers, Fraction(0))
        case "avg":
            return sum(numbers, Fraction(0)) / len(numbers) if numbers else None
        case "min":
            return min(numbers, default=None)
        case _:
            return max(numbers, default=None)


def exact(value: Any) -> Any:
    """A text, a truth, or a number as a fraction; None for anything else."""
    kind = kind_of(value)
    if kind == "none":
        return None
    if kind == "number":
        return Fraction(Decimal(repr(value)) if isinstance(value, float) else value)
    return value
