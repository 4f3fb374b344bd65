"""Which events a condition listens to."""

from __future__ import annotations

from rewardkit.language.descent import children, descend, matches
from rewardkit.language.tree import (
    And,
    AtLeast,
    Between,
    By,
    Comparison,
    Ever,
    InAny,
    InOne,
    No,
    Node,
    Not,
    Or,
    Over,
    Satisfied,
    Some,
    Streak,
    Then,
)

ZERO_OF_NOTHING = frozenset({"count", "sum", "distinct", "days"})
"""Aggregates that are 0 where there are no events; any comparison with another one is false there."""


def names_of(node: Node) -> frozenset[str]:
    """The names of the events that a condition mentions."""
    return frozenset(match.name for part in descend(node) for match in matches(part))


def hears_all(node: Node) -> bool:
    """Whether an event may matter to a condition that does not mention it."""
    return any(isinstance(part, InAny | InOne | By) and opened_by_any(part) for part in descend(node))


def opened_by_any(node: InAny | InOne | By) -> bool:
    """Whether events that the body does not mention open windows, buckets or keys too.

    A bucket or a key without events that the body needs cannot fulfil it. A window of `in any` counts from the event
    that opens it, so there a body has to be positive for the others not to matter.
    """
    return listens_to_all(node.body) if isinstance(node, InAny) else not needs_an_event(node.body)


def listens_to_all(node: Node) -> bool:
    """Whether a body of `in any` may hold because something did not happen, so that any event may open its window."""
    if isinstance(node, Satisfied):
        return False
    if isinstance(node, Not | Over | No) or any(listens_to_all(part) for part in children(node)):
        return True
    return isinstance(node, Between | Comparison) and not needs_an_event(node)


def needs_an_event(node: Node) -> bool:
    """Whether a condition cannot hold in a scope without events that it mentions, whatever the time."""
    match node:
        case AtLeast() | Streak():
            return True
        case Between(least=least):
            return least > 0
        case Comparison():
            return not holds_of_nothing(node)
        case And(terms=terms) | Then(steps=terms):
            return any(needs_an_event(term) for term in terms)
        case Or(terms=terms):
            return all(needs_an_event(term) for term in terms)
        case Some(least=least, terms=terms):
            return sum(needs_an_event(term) for term in terms) > len(terms) - least
        case Not() | No() | Ever() | Satisfied():
            return False
        case _:
            return all(needs_an_event(part) for part in children(node))


def holds_of_nothing(node: Comparison) -> bool:
    """Whether a comparison holds where there are no events: counts and sums are 0 there, all else is undefined."""
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
