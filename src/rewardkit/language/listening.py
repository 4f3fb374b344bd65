"""Which events a condition listens to."""

from __future__ import annotations

from rewardkit.language.descent import children, descend, matches
from rewardkit.language.tree import Between, Comparison, No, Node, Not, Over, Satisfied

ZERO_OF_NOTHING = frozenset({"count", "sum", "distinct", "days"})
"""Aggregates that are 0 where there are no events; any comparison with another one is false there."""


def names_of(node: Node) -> frozenset[str]:
    """The names of the events that a condition mentions."""
    return frozenset(match.name for part in descend(node) for match in matches(part))


def listens_to_all(node: Node) -> bool:
    """Whether a body of `in any`, `in one` or `by` may hold where nothing happened that it mentions.

    Then any event may open its window, bucket or key. A body that needs an event listens to those that it mentions.
    """
    if isinstance(node, Satisfied):
        return False
    return _needs_nothing(node) or any(listens_to_all(part) for part in children(node))


def _needs_nothing(part: Node) -> bool:
    match part:
        case Not() | Over() | No():
            return True
        case Between(least=least):
            return least == 0
        case Comparison():
            return _holds_on_nothing(part)
        case _:
            return False


def _holds_on_nothing(node: Comparison) -> bool:
    """Whether a comparison holds where there are no events: counts and sums of nothing are 0, all else is undefined."""
    if isinstance(node.right, str):
        return False
    aggregates = [term.aggregate for term in node.left + node.right if term.aggregate is not None]
    if any(aggregate.function not in ZERO_OF_NOTHING for aggregate in aggregates):
        return False
    left = sum(term.factor for term in node.left if term.aggregate is None)
    right = sum(term.factor for term in node.right if term.aggregate is None)
    return {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[node.operator]
