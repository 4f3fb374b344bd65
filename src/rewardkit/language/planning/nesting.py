"""Lowers the parts of a condition whose bodies live in scopes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rewardkit.language import tree
from rewardkit.language.listening import hears_all, names_of, opened_by_any
from rewardkit.language.planning.frame import Frame
from rewardkit.language.planning.names import Everything, together
from rewardkit.language.planning.plan import Fired, Nested, Plan, Run, Segment, Step
from rewardkit.language.running.kept import Keeping
from rewardkit.language.running.streaks import alternatives
from rewardkit.language.running.totals import is_total

if TYPE_CHECKING:
    from rewardkit.language.planning.lowering import Lowering

Nesting = tree.InAny | tree.InOne | tree.InLast | tree.By | tree.Streak | tree.Satisfied


def opens(node: tree.InAny | tree.InOne | tree.By) -> frozenset[str]:
    """The names of the events that open a window, a bucket or a key.

    A bucket or a key begins with the first event that anything in its body hears: what it needs may come later.
    """
    early = not isinstance(node, tree.InAny) and hears_all(node.body)
    return Everything(names_of(node.body)) if early or opened_by_any(node) else names_of(node.body)


def is_ring(node: tree.Node) -> bool:
    """Whether it counts in windows of elapsed time, for which the newest places are enough."""
    return isinstance(node, tree.InAny) and isinstance(node.body, tree.AtLeast) and isinstance(node.span, tree.Elapsed)


def nest(outer: Lowering, node: Nesting, frame: Frame) -> Step:
    """The step of such a part."""
    slot = outer.slot(None)
    made: Nested | Run | Fired
    match node:
        case tree.Streak():
            names = frozenset(match.name for one in alternatives(node.body) for match in one.matches)
            made = Run(slot, node, names, frame.cut, frame.floor, frame.followed)
        case tree.Satisfied():
            made = Fired(slot, _derived(outer, node), node, frame.cut, frame.floor, frame.followed)
        case tree.InLast():
            keeping = Keeping.of(node)
            names = frozenset(keeping.numbers)
            made = Nested(
                slot,
                node,
                None,
                Everything(names) if keeping.hears_all else names,
                frame.cut,
                frame.floor,
                frame.followed,
            )
        case tree.InAny() if is_ring(node):
            made = Nested(slot, node, None, names_of(node.body), frame.cut, frame.floor, frame.followed)
        case tree.InAny() if is_total(node):
            made = Nested(slot, node, None, opens(node), frame.cut, frame.floor, frame.followed)
        case _:
            body = _body(outer, node, frame)
            made = Nested(slot, node, body, together((body.names, opens(node))), frame.cut, frame.floor, frame.followed)
    if not isinstance(made, Fired):
        outer.hear(made.names)
    outer.made.slots[slot] = made
    return made


def _body(outer: Lowering, node: tree.InAny | tree.InOne | tree.By, frame: Frame) -> Segment:
    within = attrs.evolve(frame, cut=())
    if isinstance(node, tree.By):
        inner = outer.inner(later=outer.later, opened=outer.opened)
        body = inner.segment(node.body, within)
        outer.anchored |= inner.anchored
    else:
        body = outer.inner(later=True, opened=False).segment(node.body, within)
        body.frame = node.span if isinstance(node, tree.InAny) else tree.Calendar(1, node.unit)
    outer.made.asks |= body.asks
    return body


def _derived(outer: Lowering, node: tree.Satisfied) -> int:
    """The number of the shared segment that judges the body of a `satisfied`."""
    plan = outer.plan
    inner = outer.inner(later=False, opened=outer.widened)
    assert node.body is not None
    segment = inner.segment(node.body, Frame(followed=False))
    plan.anchored |= inner.anchored
    outer.hear(segment.names)
    outer.made.asks = True
    plan.derived[len(plan.evers)] = outer.widened
    plan.evers.append(segment)
    return len(plan.evers) - 1


def remembered(node: tree.Node, zone: str) -> Plan:
    """The plan of a whole condition that is judged anew over what it has listened to."""
    keeping = Keeping.of(node)
    names = frozenset(keeping.numbers)
    root = Segment(0, followed=False, names=Everything(names) if keeping.hears_all else names)
    root.root = Nested(0, node, None, root.names, (), None, followed=False, whole=True)
    root.slots.append(root.root)
    return Plan([root], root=root, remembered=True, zone=zone)
