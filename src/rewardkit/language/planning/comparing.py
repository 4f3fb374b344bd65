"""From a comparison of aggregates to its plan: which slots it needs, shared with all that measure the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rewardkit.errors import ValidationError
from rewardkit.language import tree
from rewardkit.language.planning.gauge import Gauge, Kind
from rewardkit.language.planning.plan import Balance, Counter, Slot
from rewardkit.language.planning.weighing import Weigh, Weighed, weigh, weighed
from rewardkit.language.running.dominance import LESS, MORE, SAME
from rewardkit.language.values.exact import Number

if TYPE_CHECKING:
    from rewardkit.language.planning.frame import Frame
    from rewardkit.language.planning.lowering import Lowering

UNBOUNDED = 2**62
"""Of a counter whose number itself is needed."""

_SHOWING = frozenset({"min", "max", "latest", "first"})


def compare(lowering: Lowering, node: tree.Comparison, frame: Frame) -> Balance:
    """The plan of a comparison.

    Raises:
        ValidationError: it compares a text with something else than `latest` or `first`, or no aggregate at all.
    """
    if isinstance(node.right, str):
        return _textual(lowering, node, node.right, frame)
    whole = weighed(node)
    only = whole.alone
    if only is not None:
        slot = _alone(lowering, only, whole.threshold, _most(whole, node.operator), frame)
        growth = _growth(node.operator, lowering.made.slots[slot], flipped=whole.flipped)
        return Balance(node, (slot,), whole.threshold, whole.flipped, None, growth, frame.cut, frame.followed)
    slots: list[int] = []
    for _, aggregate in whole.terms:
        if aggregate.function == "avg":
            slots += [_gauge(lowering, "sum", aggregate, frame), _gauge(lowering, "numbers", aggregate, frame)]
        elif aggregate.function == "count":
            slots.append(lowering.counter(aggregate.matches, UNBOUNDED, frame))
        else:
            slots.append(_gauge(lowering, aggregate.function, aggregate, frame))
    weighing: Weigh = weigh(whole.constant, [(factor, aggregate.function) for factor, aggregate in whole.terms])
    return Balance(node, tuple(slots), None, False, weighing, SAME, frame.cut, frame.followed)


def _textual(lowering: Lowering, node: tree.Comparison, text: str, frame: Frame) -> Balance:
    (term, *others) = node.left
    aggregate = term.aggregate
    if others or aggregate is None or term.factor != 1 or aggregate.function not in ("latest", "first"):
        raise ValidationError("only `latest` and `first` can be compared with a text")
    slot = _gauge(lowering, aggregate.function, aggregate, frame, against=text)
    return Balance(node, (slot,), text, False, None, SAME, frame.cut, frame.followed)


def _growth(operator: str, content: Slot | None, *, flipped: bool) -> int:
    """Whether a comparison holds where its slot holds more, or less; SAME where neither can be said."""
    if operator in ("==", "!="):
        return SAME
    up = (operator in (">", ">=")) != flipped
    if isinstance(content, Counter) or (isinstance(content, Gauge) and content.kind == "distinct"):
        return MORE if up else LESS
    if isinstance(content, Gauge) and content.coded and content.kind == ("max" if up else "min"):
        return MORE
    return SAME


def _most(whole: Weighed, operator: str) -> int:
    """The least number of events, values or days from which on more of them change nothing."""
    inclusive = operator in ((">", "<=") if whole.flipped else (">=", "<"))
    most = math.ceil(whole.threshold) if inclusive else math.floor(whole.threshold) + 1
    return min(max(0, most), UNBOUNDED)


def _alone(lowering: Lowering, aggregate: tree.Aggregate, threshold: Number, most: int, frame: Frame) -> int:
    """The slot of an aggregate that is compared with a constant alone: it need not tell apart what lies beyond."""
    function = aggregate.function
    if function in _SHOWING:
        return _gauge(lowering, function, aggregate, frame, against=threshold)
    if function == "sum":
        return _gauge(lowering, "sum", aggregate, frame)
    if function == "count":
        return lowering.counter(aggregate.matches, most, frame)
    return _gauge(lowering, function, aggregate, frame, most=most)


def _gauge(
    lowering: Lowering,
    function: str,
    aggregate: tree.Aggregate,
    frame: Frame,
    *,
    against: Number | str | None = None,
    most: int | None = None,
) -> int:
    kind: Kind = function  # type: ignore[assignment]  # the functions of the grammar but `count` and `avg`
    if not aggregate.matches or (aggregate.field is None and kind != "days"):
        raise ValidationError(f"`{function}` needs a property: write `{function}(A:amount)`")
    key = (kind, repr(aggregate.matches), aggregate.field, repr(against), frame.cut, frame.floor)
    slot = lowering.counters.get(key)
    if slot is None:
        made = Gauge(kind, aggregate.matches, aggregate.field, against, frame.cut, frame.floor, most)
        slot = lowering.counters[key] = lowering.slot(made)
    gauge = lowering.made.slots[slot]
    assert isinstance(gauge, Gauge)
    gauge.most = None if most is None or gauge.most is None else max(gauge.most, most)
    gauge.followed |= frame.followed
    lowering.hear(frozenset(match.name for match in aggregate.matches))
    return slot
