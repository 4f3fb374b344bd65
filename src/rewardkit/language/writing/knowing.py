"""Writes what is known about each node at a reading, children first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rewardkit.language.planning.names import Everything, together
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
    Never,
    Range,
    Run,
    Step,
    Window,
)
from rewardkit.language.running.chain import DRY, ENDS, FALSE, TRUE, VALUE
from rewardkit.language.writing.amounts import balance_facts, range_facts
from rewardkit.language.writing.facts import NEVER, Facts, conjunction, disjunction
from rewardkit.language.writing.nested_facts import end_of, know_fired, know_nested, know_run

if TYPE_CHECKING:
    from rewardkit.language.writing.source import SegmentWriter


def know(writer: SegmentWriter, step: Step) -> Facts:
    """Writes what is needed to know a node, children first."""
    match step:
        case Leaf():
            facts = _leaf(writer, step)
        case Range():
            facts = range_facts(writer, step)
        case Balance():
            facts = balance_facts(writer, step)
        case Choice():
            facts = _choice(writer, step)
        case Guard():
            body = know(writer, step.body)
            facts = Facts(writer.let(f"not {body.value}"), body.false, body.true, "True", "False")
        case Window():
            facts = know(writer, step.body)
        case Judgement():
            facts = _judgement(writer, step)
        case Never():
            facts = NEVER
        case History():
            facts = _history(writer, step)
        case Chain():
            facts = _chain(writer, step)
        case Nested():
            facts = know_nested(writer, step)
        case Run():
            facts = know_run(writer, step)
        case Fired():
            facts = know_fired(writer, step)
    writer.facts[id(step)] = facts
    return facts


def _leaf(writer: SegmentWriter, leaf: Leaf) -> Facts:
    value = writer.let(f"n{leaf.slot} >= {leaf.least}")
    closed = writer.closed(leaf.cut)
    false = "False" if not leaf.cut else writer.let(f"{closed} and not {value}")
    ends = writer.let(f"h{leaf.slot} and {value}") if leaf.followed and writer.folding else "False"
    return Facts(value, value, false, closed, ends)


def _choice(writer: SegmentWriter, choice: Choice) -> Facts:
    terms = [know(writer, term) for term in choice.terms]
    values = [term.value for term in terms]
    trues = [term.true for term in terms]
    falses = [term.false for term in terms]
    many = len(terms)
    if choice.least == many:
        value, true, false = conjunction(values), conjunction(trues), disjunction(falses)
    elif choice.least == 1:
        value, true, false = disjunction(values), disjunction(trues), conjunction(falses)
    else:
        value = f"{' + '.join(values)} >= {choice.least}"
        true = f"{' + '.join(trues)} >= {choice.least}"
        false = f"{' + '.join(falses)} > {many - choice.least}"
    value, true, false = writer.let(value), writer.let(true), writer.let(false)
    if not choice.followed:
        return Facts(value, true, false, "False", "False")
    dry = disjunction([false, writer.let(conjunction([term.dry for term in terms]))])
    ends = disjunction([term.ends for term in terms])
    ends = ends if ends == "False" else f"({ends}) and {value}"
    return Facts(value, true, false, writer.let(dry), writer.let(ends))


def _judgement(writer: SegmentWriter, step: Judgement) -> Facts:
    body = know(writer, step.body)
    closed, close = writer.closed((step.bound,)), writer.close(step.bound)
    beyond = disjunction([f"{close} > {writer.close(bound)}" for bound in step.forestalled])
    if beyond == "False":
        value = writer.let(f"{closed} and {body.value}")
        false = writer.let(f"not {body.value} if {closed} else {body.false} or {close} > end")
    else:
        value = writer.let(f"{closed} and {body.value} and not ({beyond})")
        false = writer.let(f"{beyond} or (not {body.value} if {closed} else {body.false} or {close} > end)")
    if not step.followed:
        return Facts(value, value, false, "False", "False")
    dry = writer.let(f"{closed} or {false}")
    opened = writer.open((step.bound,), "p0")
    ends = writer.let(f"{value} and {opened}") if writer.folding else "False"
    return Facts(value, value, false, dry, ends)


def _history(writer: SegmentWriter, step: History) -> Facts:
    bits = writer.let(f"evers[{step.ever}]")
    known = [writer.let(f"{bits} & {bit} != 0") for bit in (VALUE, TRUE, FALSE, DRY, ENDS)]
    if step.slot is None:
        return Facts(*known)
    slot, closed = f"n{step.slot}", writer.closed(step.cut)
    if writer.folding:
        # What was known when the window closed is all that there will be.
        writer.put(f"if {writer.open(step.cut, 'p0')}:")
        writer.put(f"    {slot} = {bits} & {VALUE} if {closed} else 0")
    value = writer.let(f"{slot} == 1 if {closed} else {known[0]}")
    true = writer.let(f"{slot} == 1 if {closed} else {known[1]}")
    false = writer.let(f"{slot} != 1 if {closed} else {known[2]}")
    ends = writer.let(f"{writer.open(step.cut, 'p0')} and {known[4]}")
    return Facts(value, true, false, writer.let(f"{closed} or {known[3]}"), ends)


def _chain(writer: SegmentWriter, step: Chain) -> Facts:
    first = know(writer, step.first)
    slot = f"n{step.slot}"
    bits, ends = writer.local("0"), writer.local("False")
    writer.put(f"if {slot}.__class__ is tuple:")
    if writer.folding:
        _fold(writer, step, first, slot, ends)
    writer.put(f"    {bits} = {slot}[0]")
    if writer.folding:
        _settle(writer, step, first, slot, bits)
    writer.put(f"if {slot}.__class__ is not tuple:")
    writer.put(f"    {bits} = {VALUE | TRUE | DRY} if {slot} else {FALSE | DRY}")
    gone = f"({slot}.__class__ is not tuple or {first.dry})"
    return Facts(
        writer.let(f"{bits} & {VALUE} != 0"),
        writer.let(f"{bits} & {TRUE} != 0"),
        writer.let(f"{bits} & {FALSE} != 0 and {gone}"),
        writer.let(f"{bits} & {DRY} != 0 and {gone}"),
        ends if step.followed else "False",
    )


def _fold(writer: SegmentWriter, step: Chain, first: Facts, slot: str, ends: str) -> None:
    names = together(segment.names for segment in step.steps)
    threads = f"chain_{writer.segment.number}_{step.slot}"
    begins = first.ends
    heard = "True" if isinstance(names, Everything) else f"name in {writer.bind(names)}"
    writer.put(f"    if event is None or {disjunction([begins, heard])}:")
    event = "event" if not step.cut else f"(None if {writer.closed(step.cut)} else event)"
    writer.put(
        f"        {slot}, {ends} = {threads}.fold({slot}, {event}, at, {end_of(writer, step.cut)}, evers, {begins})"
    )


def _settle(writer: SegmentWriter, step: Chain, first: Facts, slot: str, bits: str) -> None:
    writer.put(f"    if {writer.closed(step.cut)}:")
    writer.put(f"        {slot} = {bits} & {VALUE}")
    if not step.followed:
        writer.put(f"    elif {bits} & {TRUE}:")
        writer.put(f"        {slot} = 1")
    writer.put(f"    elif {bits} & {FALSE} and {first.dry}:")
    writer.put(f"        {slot} = 0")
