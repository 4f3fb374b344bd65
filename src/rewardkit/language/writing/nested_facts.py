"""Writes what is known about the parts whose slots are kept by a family, at a reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rewardkit.language.planning.bounds import Cut
from rewardkit.language.planning.names import Everything
from rewardkit.language.planning.plan import Fired, Nested, Run
from rewardkit.language.running.chain import DRY, FALSE, FIRED, TRUE, VALUE
from rewardkit.language.writing.facts import Facts, disjunction

if TYPE_CHECKING:
    from rewardkit.language.writing.source import SegmentWriter


def family_of(number: int, slot: int) -> str:
    """The name under which a family is bound."""
    return f"family_{number}_{slot}"


def end_of(writer: SegmentWriter, cut: Cut) -> str:
    """The end of a part's own scope."""
    return f"min({', '.join(['end', *map(writer.close, cut)])})" if cut else "end"


def know_nested(writer: SegmentWriter, step: Nested) -> Facts:
    slot = f"n{step.slot}"
    bits, ends = writer.local("0"), writer.local("False")
    writer.put(f"if {slot}.__class__ is tuple:")
    if writer.folding:
        family, closed = family_of(writer.segment.number, step.slot), writer.closed(step.cut)
        unheard = disjunction([closed, "False" if step.floor is None else f"at < {step.floor}"])
        event = "event" if unheard == "False" else f"(None if {unheard} else event)"
        end = end_of(writer, step.cut)
        heard = "True" if isinstance(step.names, Everything) else f"name in {writer.bind(step.names)}"
        writer.put(f"    if event is None or {heard}:")
        writer.put(f"        {slot}, {ends} = {family}.fold({slot}, {event}, at, {end}, evers, a)")
    writer.put(f"    {bits} = {slot}[0]")
    if writer.folding:
        writer.put(f"    if {writer.closed(step.cut)}:")
        writer.put(f"        {slot} = {bits} & {VALUE}")
        if not step.followed:
            writer.put(f"    elif {bits} & {TRUE | FALSE}:")
            writer.put(f"        {slot} = {bits} & {VALUE}")
    writer.put(f"if {slot}.__class__ is not tuple:")
    writer.put(f"    {bits} = {VALUE | TRUE | DRY} if {slot} else {FALSE | DRY}")
    value, true, false, dry = (writer.let(f"{bits} & {bit} != 0") for bit in (VALUE, TRUE, FALSE, DRY))
    return Facts(value, true, false, dry, ends if step.followed else "False")


def know_run(writer: SegmentWriter, step: Run) -> Facts:
    slot, closed = f"n{step.slot}", writer.closed(step.cut)
    matched = writer.local("False")
    if writer.folding:
        family = family_of(writer.segment.number, step.slot)
        lasting = "" if step.followed else f" and {slot} != 1"
        heard = "" if step.floor is None else f" and at >= {step.floor}"
        open_still = f" and not {closed}" if step.cut else ""
        writer.put(f"if event is not None and name in {writer.bind(step.names)}{heard}{lasting}{open_still}:")
        writer.put(f"    {slot}, {matched} = {family}.fold({slot}, event)")
    value = writer.let(f"{slot} == 1")
    false = writer.let(f"{closed} and not {value}") if step.cut else "False"
    ends = writer.let(f"{matched} and {value}") if step.followed and writer.folding else "False"
    return Facts(value, value, false, closed, ends)


def know_fired(writer: SegmentWriter, step: Fired) -> Facts:
    slot, closed = f"n{step.slot}", writer.closed(step.cut)
    bits, now = writer.let(f"evers[{step.ever}]"), "False"
    if writer.folding:
        floor = step.floor
        heard = "" if floor is None else f" and (at > {floor} or (at == {floor} and event is not None))"
        now = writer.let(f"{bits} & {FIRED} != 0 and at < end and not {closed}{heard}")
        writer.put(f"if {now}:")
        writer.put(f"    {slot} = 1")
    value = writer.let(f"{slot} == 1")
    decided = writer.let(f"{bits} & {TRUE | FALSE} != 0 or {closed}")
    false = writer.let(f"{decided} and not {value}")
    return Facts(value, value, false, decided, now if step.followed else "False")
