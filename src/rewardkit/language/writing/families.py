"""Makes the families of a program from its plan."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.language import tree
from rewardkit.language.planning.nesting import opens
from rewardkit.language.planning.plan import Nested
from rewardkit.language.running.buckets import Buckets
from rewardkit.language.running.chain import Part
from rewardkit.language.running.family import Family
from rewardkit.language.running.keys import Keys, idle_places
from rewardkit.language.running.recent import Recent
from rewardkit.language.running.remembered import Remembered
from rewardkit.language.running.rings import Rings
from rewardkit.language.running.totals import Totals
from rewardkit.language.running.windows import Windows


def family(step: Nested, parts: Sequence[Part], zone: str) -> Family:
    """The family of a part; the segments that it needs are made already."""
    node, body = step.node, step.body
    if step.whole:
        return Remembered.of(node, zone)
    if isinstance(node, tree.InLast):
        return Recent.of(node, zone)
    if body is None:
        assert isinstance(node, tree.InAny)
        assert isinstance(node.span, tree.Elapsed)
        if isinstance(node.body, tree.Comparison):
            return Totals.of(node.body, node.span, opens(node), followed=step.followed)
        assert isinstance(node.body, tree.AtLeast)
        return Rings.of(node.body, node.span, followed=step.followed)
    part = parts[body.number]
    match node:
        case tree.InAny():
            return Windows(part, opens(node), node.span, zone, step.followed, body.asks)
        case tree.InOne():
            return Buckets(part, opens(node), node.unit, zone, step.followed)
        case tree.By():
            return Keys(part, opens(node), node.field, step.followed, idle_places(body))
    raise AssertionError(f"`{type(node).__name__}` has no scopes of its own")
