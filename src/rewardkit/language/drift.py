"""Which way a comparison can still move: what decides it early, and what needs everything to have happened."""

from __future__ import annotations

from rewardkit.language.tree import Comparison, Term

_RISES = frozenset({"count", "distinct", "days", "max"})
_FALLS = frozenset({"min"})
_STAYS = frozenset({"first"})


def difference_drift(node: Comparison, *, amounts: bool = False) -> tuple[bool, bool] | None:
    """Whether left minus right can rise, and whether it can fall, as more events come; None for a comparison of texts.

    Every aggregate is taken as known: of nothing, it is not compared at all.

    Args:
        node: the comparison.
        amounts: whether sums are taken to be of numbers that are not negative.
    """
    if isinstance(node.right, str):
        return None
    rises = falls = False
    for term, sign in [*((term, 1) for term in node.left), *((term, -1) for term in node.right)]:
        up, down = _drift(term, amounts=amounts)
        rises |= up if sign > 0 else down
        falls |= down if sign > 0 else up
    return rises, falls


def _drift(term: Term, *, amounts: bool) -> tuple[bool, bool]:
    function = "first" if term.aggregate is None else term.aggregate.function
    if amounts and function == "sum":
        function = "count"
    up = function not in _FALLS | _STAYS
    down = function not in _RISES | _STAYS
    if term.factor < 0:
        return down, up
    return (up, down) if term.factor else (False, False)
