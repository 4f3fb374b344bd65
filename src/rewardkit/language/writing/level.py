"""How a comparison of aggregates stands in a state, read from what its slots hold."""

from __future__ import annotations

from rewardkit.language.drift import difference_drift
from rewardkit.language.planning.gauge import EQUAL, LESS, MORE, NOTHING, OTHER, Gauge
from rewardkit.language.planning.plan import Balance, Segment
from rewardkit.language.running.dominance import Thread

_HOLDING = {
    "==": {EQUAL},
    "!=": {LESS, MORE},
    "<": {LESS},
    "<=": {LESS, EQUAL},
    ">": {MORE},
    ">=": {MORE, EQUAL},
}
_FLIPPED = {LESS: MORE, MORE: LESS}


def level(step: Balance, segment: Segment, thread: Thread) -> int:
    """How left minus right stands to nothing: NOTHING, LESS, EQUAL, MORE, or OTHER for a value of another type."""
    held = [thread[slot + 2] for slot in step.slots]
    if step.weigh is not None:
        return step.weigh(*held)
    (value,), content = held, segment.slots[step.slots[0]]
    flipped = step.flipped
    if isinstance(content, Gauge) and content.coded:
        flipped ^= content.kind == "min"
        found: int = value
    else:
        if isinstance(content, Gauge) and content.kind in ("distinct", "days"):
            value = len(value) if content.kind == "distinct" else value[0]
        found = EQUAL if value == step.against else LESS if value < step.against else MORE
    return _FLIPPED.get(found, found) if flipped else found


def reached(step: Balance, found: int) -> bool:
    """Whether a comparison holds at a level."""
    if found == OTHER:
        return step.node.operator == "!=" and shows(step)
    return found in _HOLDING[step.node.operator]


def reachable(step: Balance, found: int) -> bool:
    """Whether more events may make a comparison hold that does not."""
    drift = difference_drift(step.node)
    if drift is None or found in (NOTHING, OTHER):
        return True
    rises, falls = drift
    wanted = _HOLDING[step.node.operator]
    up = rises and any(other > found for other in wanted)
    return up or (falls and any(other < found for other in wanted))


def shows(step: Balance) -> bool:
    """Whether a value of another type is unequal: where it stands alone against a constant, as in a filter."""
    if step.against is None or len(step.node.left) != 1:
        return False
    term = step.node.left[0]
    return term.aggregate is not None and term.factor == 1
