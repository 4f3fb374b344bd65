"""Which of two threads of one step makes the other one superfluous.

A thread is one anchor's instance of a step. Thread x dominates y when, whatever happens next, y holds only where x
holds, and ends only where x ends. Then y can be forgotten: we ask whether it happened, and never enumerate matches.
Every leaf pulls in one direction. Under an even number of negations more matches and a later close are better; under
an odd number fewer matches and an earlier close. `over` is better when judged earlier. Where the leaves of a step
pull both ways, neither thread dominates, and all anchors of the window's length are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from rewardkit.language import tree
from rewardkit.language.planning.bounds import Closes, closes_of, moves
from rewardkit.language.planning.plan import (
    Balance,
    Chain,
    Choice,
    Fired,
    Guard,
    History,
    Judgement,
    Leaf,
    Nested,
    Range,
    Run,
    Segment,
    Step,
    Window,
)
from rewardkit.language.running.streaks import covers

MORE = 1
LESS = 2
SAME = MORE | LESS

Thread: TypeAlias = tuple[Any, ...]
"""`(anchor, phase, slot, …)`: one instance of a segment."""

Better: TypeAlias = Callable[[Thread, Thread], bool]
"""Whether the first thread dominates the second."""


@attrs.define(eq=False)
class Directions:
    """What a thread must be, compared with another one, to dominate it: bits of MORE and LESS."""

    anchor: int = 0
    end: int = 0
    slots: list[int] = attrs.field(factory=list)
    chains: dict[int, tuple[Directions, ...]] = attrs.field(factory=dict)
    closes: Closes | None = None
    """Of its calendar spans: where a clock is set back past midnight, a later anchor may close earlier."""
    runs: set[int] = attrs.field(factory=set)
    """Slots of streaks."""


def directions(segment: Segment, zone: str) -> Directions:
    """The directions in which a segment's leaves pull."""
    made = Directions(slots=[0] * len(segment.slots))
    spans = segment.calendar + ((segment.frame,) if isinstance(segment.frame, tree.Calendar) else ())
    if spans:
        made.closes = closes_of(spans, zone)
    _pull(segment.root, MORE, made, judged=False, zone=zone)
    if segment.frame is not None:
        made.anchor |= made.end
    return made


def _opposite(sign: int) -> int:
    return {0: 0, MORE: LESS, LESS: MORE, SAME: SAME}[sign]


def _pull(step: Step, sign: int, made: Directions, *, judged: bool, zone: str) -> None:
    match step:
        case Leaf(slot=slot):
            made.slots[slot] |= sign
            _bounded(step, sign, made, judged=judged)
        case Range(slot=slot):
            made.slots[slot] |= SAME
            _bounded(step, SAME, made, judged=judged)
        case Balance(slots=slots, growth=growth):
            toward = growth if sign == MORE else _opposite(growth) if sign == LESS else SAME
            for slot in slots:
                made.slots[slot] |= toward
            # Fewer events are better for its value, and worse for what begins at each of them.
            _bounded(step, SAME if step.followed and growth == LESS else toward, made, judged=judged)
        case Choice():
            for term in step.terms:
                _pull(term, sign, made, judged=judged, zone=zone)
        case Guard():
            _pull(step.body, _opposite(sign), made, judged=judged, zone=zone)
        case Window():
            _pull(step.body, sign, made, judged=judged, zone=zone)
        case Judgement():
            # What follows is anchored at the close itself, so another instant is another end.
            made.anchor |= SAME if step.followed or step.forestalled else _opposite(sign)
            made.end |= sign
            _pull(step.body, sign, made, judged=True, zone=zone)
        case History(slot=slot, cut=cut):
            if slot is not None:
                made.slots[slot] |= SAME
            if any(map(moves, cut)):
                made.anchor |= SAME
            made.end |= 0 if judged else SAME
        case Nested(cut=cut):
            # Equal slots go on equally, where the scope and what it counts from are the same.
            made.slots[step.slot] |= SAME
            made.end |= SAME
            if any(map(moves, cut)) or isinstance(step.node, tree.By):
                made.anchor |= SAME
        case Run(cut=cut):
            made.slots[step.slot] |= sign
            made.runs.add(step.slot)
            made.anchor |= sign if any(map(moves, cut)) else 0
            made.end |= 0 if judged else sign
        case Fired(cut=cut):
            made.slots[step.slot] |= sign
            made.anchor |= sign if any(map(moves, cut)) else 0
            made.end |= 0 if judged else sign
        case Chain():
            _pull(step.first, sign, made, judged=judged, zone=zone)
            made.slots[step.slot] |= sign
            inner = tuple(directions(segment, zone) for segment in step.steps)
            made.chains[step.slot] = inner
            for other in inner:
                end = other.end if sign == MORE else _opposite(other.end)
                made.end |= 0 if judged else end
                made.anchor |= end if any(map(moves, step.cut)) else 0


def _bounded(step: Leaf | Range | Balance, sign: int, made: Directions, *, judged: bool) -> None:
    if any(map(moves, step.cut)):
        made.anchor |= sign
    if not judged:
        made.end |= sign


def dominates(x: Thread, y: Thread, pulls: Directions) -> bool:
    """Whether y can be forgotten while x is kept."""
    if not _lies(x[0], y[0], pulls.anchor):
        return False
    if pulls.closes is not None and x[0] != y[0]:
        later = zip(pulls.closes(x[0]), pulls.closes(y[0]), strict=True)
        if not all(_lies(left, right, pulls.anchor) for left, right in later):
            return False
    for slot, sign in enumerate(pulls.slots):
        left, right = x[slot + 2], y[slot + 2]
        if left == right:
            continue
        inner = pulls.chains.get(slot)
        if slot in pulls.runs:
            if (sign & MORE and not covers(left, right)) or (sign & LESS and not covers(right, left)):
                return False
        elif sign == SAME:
            return False
        elif inner is None:
            if not _lies(left, right, sign):
                return False
        elif (sign & MORE and not _covers(left, right, inner)) or (sign & LESS and not _covers(right, left, inner)):
            return False
    return True


def comparison(pulls: Directions) -> str | None:
    """`dominates` as an expression over `x` and `y`, for segments with no `then` of their own and no calendar."""
    if pulls.chains or pulls.runs or pulls.closes is not None:
        return None
    terms = [_compared("[0]", pulls.anchor)]
    terms += [_compared(f"[{slot}]", sign) for slot, sign in enumerate(pulls.slots, start=2)]
    return " and ".join(term for term in terms if term) or "True"


def _compared(index: str, sign: int) -> str:
    operator = {0: "", MORE: ">=", LESS: "<=", SAME: "=="}[sign]
    return f"x{index} {operator} y{index}" if operator else ""


def _lies(left: Any, right: Any, sign: int) -> bool:
    if sign == SAME:
        return bool(left == right)
    # Of two sets, neither may hold the other.
    return bool(not sign or (left >= right if sign == MORE else left <= right))


def _covers(left: Any, right: Any, inner: tuple[Directions, ...]) -> bool:
    """Whether a chain's slot has, for each thread of another's, one that dominates it; a decided slot is 0 or 1."""
    if left == 1 or right == 0:
        return True
    if left == 0 or right == 1:
        return False
    return all(
        any(dominates(x, y, pulls) for x in left[place])
        for place, pulls in enumerate(inner, start=1)
        for y in right[place]
    )


def prune(threads: list[Thread], pulls: Directions, better: Better) -> list[Thread]:
    """The threads that no other one dominates; of equals the first stays."""
    if pulls.anchor == SAME:
        return _prune_by_anchor(threads, better)
    kept: list[Thread] = []
    for thread in threads:
        for other in kept:
            if better(other, thread):
                break
        else:
            kept = [other for other in kept if not better(thread, other)]
            kept.append(thread)
    return kept


def _prune_by_anchor(threads: list[Thread], better: Better) -> list[Thread]:
    groups: dict[int, list[Thread]] = {}
    for thread in threads:
        group = groups.setdefault(thread[0], [])
        if any(better(other, thread) for other in group):
            continue
        group[:] = [other for other in group if not better(thread, other)]
        group.append(thread)
    return [thread for group in groups.values() for thread in group]
