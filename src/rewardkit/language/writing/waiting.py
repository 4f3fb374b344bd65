"""Writes when time alone may next change a node, and says of which nodes it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rewardkit.language import tree
from rewardkit.language.planning.plan import Balance, Chain, Choice, Guard, Judgement, Leaf, Nested, Range, Step, Window
from rewardkit.language.writing.nested_facts import end_of, family_of

if TYPE_CHECKING:
    from rewardkit.language.writing.source import SegmentWriter


def wait(writer: SegmentWriter, step: Step, indent: str) -> None:
    """Writes the search for the next instant at which time alone may change a node."""
    if not waits(step):
        return
    facts = writer.facts[id(step)]
    followed = getattr(step, "followed", False)
    frozen = f"({facts.true} or {facts.false})"
    if not isinstance(step, Guard):
        writer.lines.append(f"{indent}if not ({frozen}{f' and {facts.dry}' if followed else ''}):")
        indent += "    "
    match step:
        case Choice():
            for term in step.terms:
                wait(writer, term, indent)
        case Guard():
            wait(writer, step.body, indent)
        case Window() | Judgement():
            close = writer.close(step.bound)
            writer.lines.append(f"{indent}if {writer.open((step.bound,), 'p')} and {close} < due:")
            writer.lines.append(f"{indent}    due = {close}")
            wait(writer, step.body, indent)
        case Chain():
            threads, end = f"chain_{writer.segment.number}_{step.slot}", end_of(writer, step.cut)
            writer.lines.append(f"{indent}if n{step.slot}.__class__ is tuple:")
            writer.lines.append(f"{indent}    due = min(due, {threads}.due(n{step.slot}, {end}, evers))")
            wait(writer, step.first, indent)
        case Nested():
            family = family_of(writer.segment.number, step.slot)
            end = end_of(writer, step.cut)
            writer.lines.append(f"{indent}if n{step.slot}.__class__ is tuple:")
            writer.lines.append(f"{indent}    due = min(due, {family}.due(n{step.slot}, {end}, evers))")


def waits(step: Step) -> bool:
    """Whether time alone may change a node."""
    match step:
        case Choice():
            return any(waits(term) for term in step.terms)
        case Guard():
            return waits(step.body)
        case Window() | Judgement():
            return True
        case Nested(node=node, body=body):
            if body is None:
                return step.whole or not (isinstance(node, tree.InAny) and isinstance(node.body, tree.AtLeast))
            return body.asks or waits(body.root) or not isinstance(node, tree.By)
        case Chain():
            return waits(step.first) or any(segment.bounds or waits(segment.root) for segment in step.steps)
        case _:
            return False


def judges(step: Step) -> bool:
    """Whether a node of this segment is judged at a close, which its scope's end may forestall."""
    match step:
        case Choice():
            return any(judges(term) for term in step.terms)
        case Guard() | Window():
            return judges(step.body)
        case Leaf() | Range() | Balance():
            return False
        case _:
            return True
