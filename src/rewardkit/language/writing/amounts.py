"""Writes what is known about counts between two numbers and comparisons of aggregates: what more events may undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rewardkit.language.drift import difference_drift
from rewardkit.language.planning.gauge import EQUAL, LESS, MORE, NOTHING, OTHER, Gauge
from rewardkit.language.planning.plan import Balance, Range
from rewardkit.language.writing.facts import Facts, conjunction, disjunction
from rewardkit.language.writing.level import shows

if TYPE_CHECKING:
    from rewardkit.language.writing.source import SegmentWriter


class Signs(NamedTuple):
    """Expressions for how left minus right stands to nothing."""

    less: str
    equal: str
    more: str
    known: str
    other: str = "False"
    """It is a value of another type than what it is compared with."""


def range_facts(writer: SegmentWriter, step: Range) -> Facts:
    """What is known about `σ*n..m`: once it is past the upper number it stays there."""
    value = writer.let(f"{step.least} <= n{step.slot} <= {step.most}")
    over = f"n{step.slot} > {step.most}"
    return _facts(writer, step, value, "False", over, over)


def balance_facts(writer: SegmentWriter, step: Balance) -> Facts:
    """What is known about a comparison, by which way the difference of both sides can still move."""
    signs, operator = _signs(writer, step), step.node.operator
    value = writer.let(_holds(signs, operator, step))
    drift = difference_drift(step.node)
    true, false = ("False", "False") if drift is None else _frozen(signs, operator, value, drift)
    return _facts(writer, step, value, true, false, false)


def _facts(writer: SegmentWriter, step: Range | Balance, value: str, true: str, false: str, dry: str) -> Facts:
    closed = writer.closed(step.cut)
    if closed != "False":
        true = disjunction([true, f"({closed} and {value})"])
        false = disjunction([false, f"({closed} and not {value})"])
        dry = disjunction([dry, closed])
    ends = "False"
    if step.followed and writer.folding:
        slots = (step.slot,) if isinstance(step, Range) else step.slots
        happened = disjunction([f"h{slot}" for slot in slots])
        ends = writer.let(f"({happened}) and {value}")
    return Facts(value, writer.let(true), writer.let(false), writer.let(dry), ends)


def _signs(writer: SegmentWriter, step: Balance) -> Signs:
    if step.weigh is not None:
        held = ", ".join(f"n{slot}" for slot in step.slots)
        return _coded(writer.local(f"{writer.bind(step.weigh)}({held})"), flipped=False)
    (slot,) = step.slots
    content, held = writer.segment.slots[slot], f"n{slot}"
    if isinstance(content, Gauge):
        if content.coded:
            return _coded(held, flipped=step.flipped != (content.kind == "min"))
        if content.kind == "distinct":
            held = f"len({held})"
        elif content.kind == "days":
            held = f"{held}[0]"
    # A number of a user's is bound, and does not become source.
    bound = writer.bind(step.against)
    less, more = f"{held} < {bound}", f"{held} > {bound}"
    return Signs(more if step.flipped else less, f"{held} == {bound}", less if step.flipped else more, "True")


def _coded(code: str, *, flipped: bool) -> Signs:
    less, more = (MORE, LESS) if flipped else (LESS, MORE)
    known = f"{NOTHING} < {code} < {OTHER}"
    return Signs(f"{code} == {less}", f"{code} == {EQUAL}", f"{code} == {more}", known, f"{code} == {OTHER}")


def _holds(signs: Signs, operator: str, step: Balance) -> str:
    match operator:
        case "==":
            return signs.equal
        case "!=":
            unequal = [signs.less, signs.more]
            return disjunction([*unequal, signs.other] if shows(step) else unequal)
        case "<" | ">":
            return signs.less if operator == "<" else signs.more
        case _:
            return disjunction([signs.less if operator == "<=" else signs.more, signs.equal])


def _frozen(signs: Signs, operator: str, value: str, drift: tuple[bool, bool]) -> tuple[str, str]:
    """Whether it holds for good, and whether it never will again."""
    rises, falls = drift
    fails = conjunction([signs.known, f"not {value}"])
    if operator in ("==", "!="):
        # Once past, it does not come back.
        apart = [fact for fact, moving in ((signs.more, falls), (signs.less, rises)) if not moving]
        stays = signs.equal if not (rises or falls) else "False"
        apart_for_good = disjunction(apart)
        return (stays, apart_for_good) if operator == "==" else (apart_for_good, stays)
    up = operator in (">", ">=")
    true = value if not (falls if up else rises) else "False"
    false = f"({fails})" if not (rises if up else falls) else "False"
    return true, false
