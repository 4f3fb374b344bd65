"""Everything that is known about a condition before it is judged: errors, and lints."""

from __future__ import annotations

from typing import Literal, TypeAlias

from rewardkit.language.checks.anchor import check_anchors, check_past_ends
from rewardkit.language.checks.foregone import check_foregone, may_be_foregone
from rewardkit.language.checks.lint import check_lints
from rewardkit.language.checks.moving import check_keys, check_moving
from rewardkit.language.checks.reach import check_reach
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.syntax.measure import check_size
from rewardkit.language.syntax.scan import scan
from rewardkit.language.syntax.structure import check_structure
from rewardkit.language.tree import Node

Scope: TypeAlias = Literal["start", "open"]
"""Whether the scope that a condition is judged in has a start: an offer's has, a campaign's entry has none."""


def check(node: Node, text: str, *, scope: Scope) -> tuple[Diagnostic, ...]:
    """The errors and lints of a condition that is going to be evaluated, in the order of the text.

    Args:
        node: the tree, names inlined.
        text: the source that its places point into.
        scope: `start` where windows can count from the scope's start, `open` where it has none.

    Returns:
        diagnostics; judging is safe where none of them has the severity `error`.
    """
    too_large = check_size(node, (0, len(text)))
    if too_large:
        return too_large
    found = [
        *check_structure(node, text),
        *check_anchors(node, "start" if scope == "start" else "none"),
        *check_past_ends(node),
        *check_keys(node),
        *check_moving(node),
        *check_reach(node),
        *check_lints(node, text, scan(text)),
    ]
    if may_be_foregone(node) and not any(one.severity == "error" for one in found):
        found += check_foregone(node, text, anchored=scope == "start")
    return tuple(sorted(dict.fromkeys(found), key=lambda diagnostic: diagnostic.span))
