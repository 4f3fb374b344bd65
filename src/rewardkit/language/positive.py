"""The positive part of a condition: what no event that arrives in time can overturn, so that it decides at once."""

from __future__ import annotations

from typing import Any

import attrs

from rewardkit.language.drift import difference_drift
from rewardkit.language.tree import (
    And,
    AtLeast,
    Before,
    By,
    Comparison,
    Ever,
    InAny,
    InLast,
    InOne,
    Node,
    Or,
    Since,
    Some,
    Streak,
    Then,
    Within,
)


def positive_part(node: Node) -> Node | None:
    """The condition with every part that more events could overturn taken to fail; None where nothing is left.

    Where it holds, the condition holds, and earlier events that arrive in time do not change that.
    """
    match node:
        case AtLeast() | Streak():
            return node
        case Comparison():
            return node if _only_rises(node) else None
        case And(terms=terms):
            kept = _positive(terms)
            return attrs.evolve(node, terms=kept) if len(kept) == len(terms) else None
        case Or(terms=terms):
            kept = _positive(terms)
            return attrs.evolve(node, terms=kept) if kept else None
        case Some(terms=terms, least=least):
            kept = _positive(terms)
            return attrs.evolve(node, terms=kept) if len(kept) >= least else None
        case Then(steps=steps):
            kept = _positive(steps)
            return attrs.evolve(node, steps=kept) if len(kept) == len(steps) else None
        case Within() | InAny() | InLast() | InOne() | Before() | Since() | By() | Ever():
            scoped: Any = node
            body = positive_part(scoped.body)
            whole: Node | None = None if body is None else attrs.evolve(scoped, body=body)
            return whole
        case _:
            return None


def _positive(terms: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(part for term in terms if (part := positive_part(term)) is not None)


def _only_rises(node: Comparison) -> bool:
    """A lower bound of what more events never make less; a sum is taken to be of amounts that are not negative."""
    if node.operator not in (">", ">=") or isinstance(node.right, str):
        return False
    drift = difference_drift(node, amounts=True)
    return drift is not None and not drift[1]
