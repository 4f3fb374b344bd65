"""What a condition costs at most: timers, threads, bytes of state, and how far back history matters."""

from __future__ import annotations

from typing import Any

import attrs

from rewardkit.language import tree
from rewardkit.language.descent import children, descend
from rewardkit.language.limits import DAY_MICROSECONDS

_UNIT_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
_BOUNDED = (
    tree.AtLeast | tree.And | tree.Or | tree.Some | tree.Not | tree.Then | tree.Within | tree.Over | tree.No | tree.Ever
)
_TIMED = tree.Within | tree.Over | tree.No | tree.InAny | tree.InLast | tree.InOne | tree.Streak | tree.Before
_HEAD_BYTES = 28
"""Status, start, end, wake-up and check of a packed state."""
_ANCHOR_BYTES = 10
"""An instant of a thread, and its phase."""
_COUNTER_BYTES = 5
_CHAIN_BYTES = 10


@attrs.frozen
class Extent:
    """Bounds, for one user; None where the condition's shape sets none."""

    timers: int
    """Windows whose passing may decide something."""
    threads: int | None
    """Instances of steps that are kept at one time: one for each earlier end that may still matter."""
    state_bytes: int | None
    """Of a packed state."""
    retention_microseconds: int | None
    """How far back events may still matter; None where that is the whole scope, or all known history."""

    def to_json(self) -> dict[str, Any]:
        """Plain data, for the command line and vectors."""
        return attrs.asdict(self)


def extent(node: tree.Node) -> Extent:
    """The bounds of a condition."""
    parts = list(descend(node))
    timers = sum(isinstance(part, _TIMED) for part in parts)
    bounded = all(isinstance(part, _BOUNDED) for part in parts)
    threads = _threads(node, followed=False) if bounded else None
    size = None if threads is None else _HEAD_BYTES + _bytes(node, followed=False)
    return Extent(timers, threads, size, retention(node))


def _threads(node: tree.Node, *, followed: bool) -> int | None:
    """Threads of all steps below a node."""
    if not isinstance(node, tree.Then):
        inner = [_threads(part, followed=followed) for part in children(node)]
        known = [many for many in inner if many is not None]
        return sum(known) if len(known) == len(inner) else None
    total = _threads(node.steps[0], followed=True)
    for place, step in enumerate(node.steps[1:], start=1):
        own = _own_threads(step, followed=followed or place < len(node.steps) - 1)
        below = _threads(step, followed=followed)
        if total is None or own is None or below is None:
            return None
        # Every thread of a step keeps the threads of the steps inside it.
        total += own * (1 + below)
    return total


def _own_threads(step: tree.Node, *, followed: bool) -> int | None:
    """How many threads of one step can be kept of which none makes another one superfluous."""
    parts = list(descend(step))
    if any(isinstance(part, tree.Then | tree.Ever) for part in parts):
        return None
    leaves = [part for part in parts if isinstance(part, tree.AtLeast)]
    windows = any(isinstance(part, tree.Within | tree.Over | tree.No) for part in parts)
    if len(leaves) == 1 and not windows:
        return leaves[0].least + followed
    if windows and (followed or len(_pulls(step, positive=True)) > 1):
        # The anchors of the window's length are kept: as many as there are events in it.
        return None
    many = 1
    for leaf in leaves:
        many *= leaf.least + 1
    return many


def _pulls(node: tree.Node, *, positive: bool) -> set[bool]:
    """Whether more events help, or hinder, or both."""
    match node:
        case tree.AtLeast():
            return {positive}
        case tree.Not(body=body):
            return _pulls(body, positive=not positive)
        case tree.No(body=body):
            return {positive} ^ {True, False} if isinstance(body, tree.AtLeast) else {True, False}
        case tree.Over():
            return {True, False}
        case _:
            return set[bool]().union(*(_pulls(part, positive=positive) for part in children(node)))


def _bytes(node: tree.Node, *, followed: bool) -> int:
    """Bytes of what is below a node, for a condition whose threads are bounded."""
    if isinstance(node, tree.AtLeast):
        return _COUNTER_BYTES
    if not isinstance(node, tree.Then):
        own = _ANCHOR_BYTES if isinstance(node, tree.Ever) else 2
        return own + sum(_bytes(part, followed=followed) for part in children(node))
    total = _CHAIN_BYTES + _bytes(node.steps[0], followed=True)
    for place, step in enumerate(node.steps[1:], start=1):
        many = _own_threads(step, followed=followed or place < len(node.steps) - 1) or 0
        total += _CHAIN_BYTES + many * (_ANCHOR_BYTES + _bytes(step, followed=followed))
    return total


def span_microseconds(span: tree.Span) -> int:
    """A span's length, a calendar's at its longest: clocks that are set back add an hour or so, a day at most."""
    if isinstance(span, tree.Elapsed):
        return span.microseconds
    return (span.count * _UNIT_DAYS[span.unit] + 1) * DAY_MICROSECONDS


def retention(node: tree.Node) -> int | None:
    """How far back events may still matter to a condition that is pending."""
    match node:
        case tree.AtLeast(least=1):
            return 0
        case tree.InAny(span=span) | tree.InLast(span=span):
            return span_microseconds(span)
        case tree.InOne(unit=unit):
            return span_microseconds(tree.Calendar(1, unit))
        case tree.Streak(span=span):
            return None if isinstance(span, tree.Elapsed) else span_microseconds(span) + span_microseconds(
                tree.Calendar(1, span.unit)
            )  # fmt: skip
        case tree.Or(terms=terms):
            kept = [retention(term) for term in terms]
            return None if None in kept else max(one for one in kept if one is not None)
        case tree.By(body=body):
            return retention(body)
        case tree.Then(steps=(first, *others)) if retention(first) is not None:
            lengths = [_deadline(step) for step in others]
            if None in lengths:
                return None
            return (retention(first) or 0) + sum(length for length in lengths if length is not None)
        case _:
            return None


def _deadline(step: tree.Node) -> int | None:
    """How long after the step before it a step is decided, at the latest."""
    match step:
        case tree.Within(span=span) | tree.Over(span=span) | tree.No(span=span):
            return span_microseconds(span)
        case _:
            return None
