"""The Python source of a segment: straight-line code over its slots, written in post-order.

`run_N` reads a segment after one event, or at a timer; `due_N` finds its next timer. Names of events, filters and
chains are bound through the namespace, so that no text of a user's ever becomes source.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from rewardkit.language.chain import DRY, ENDS, FALSE, FOREVER, TRUE, VALUE
from rewardkit.language.plan import (
    Chain,
    Choice,
    Counter,
    Guard,
    History,
    Judgement,
    Leaf,
    Never,
    Segment,
    Step,
    Window,
)
from rewardkit.language.predicate import compile_predicate


class Facts(NamedTuple):
    """Expressions for what is known about one node at a reading; see the bits of `chain`."""

    value: str
    true: str
    false: str
    dry: str
    ends: str


_NEVER = Facts("False", "False", "True", "True", "False")


def conjunction(terms: list[str]) -> str:
    terms = [term for term in dict.fromkeys(terms) if term != "True"]
    if "False" in terms:
        return "False"
    return " and ".join(terms) if terms else "True"


def disjunction(terms: list[str]) -> str:
    terms = [term for term in dict.fromkeys(terms) if term != "False"]
    if "True" in terms:
        return "True"
    return " or ".join(terms) if terms else "False"


class SegmentWriter:
    """Writes the two functions of one segment.

    Args:
        names: the namespace in which the source is executed; what the source refers to is bound there.
    """

    def __init__(self, segment: Segment, names: dict[str, Any]) -> None:
        self.segment = segment
        self.names = names
        self.lines: list[str] = []
        self.locals = 0
        self.folding = True
        self.facts: dict[int, Facts] = {}

    def write(self) -> str:
        """Both functions."""
        number = self.segment.number
        self.names[f"offsets_{number}"] = self.segment.offsets
        slots = ", ".join(f"s{slot}" for slot in range(len(self.segment.slots)))
        head = f"    a, p0, {slots} = s" if slots else "    a, p0 = s"
        self.lines = [f"def run_{number}(s, event, at, end, evers):", head, *self._phase()]
        self.folding = True
        self._count()
        root = self.emit(self.segment.root)
        self._finish(root)
        body, self.lines = _needed(self.lines), []
        self.lines += [f"def due_{number}(s, end, evers):", head, "    p = p0", f"    due = {FOREVER}"]
        self.folding = False
        for slot in range(len(self.segment.slots)):
            self.put(f"n{slot} = s{slot}")
        self.emit(self.segment.root)
        self._due(self.segment.root, "    ")
        self.put("return due")
        return "\n".join([*body, *_needed(self.lines)]) + "\n"

    def put(self, line: str) -> None:
        self.lines.append("    " + line)

    def let(self, expression: str) -> str:
        """A local name for an expression, unless it is a name or a constant already."""
        return expression if expression.isidentifier() else self.local(expression)

    def local(self, expression: str) -> str:
        """A new local name for an expression."""
        self.locals += 1
        name = f"x{self.locals}"
        self.put(f"{name} = {expression}")
        return name

    def bind(self, value: object) -> str:
        name = f"g{len(self.names)}"
        self.names[name] = value
        return name

    def closed(self, offset: int | None) -> str:
        """Whether time has passed an offset."""
        return "False" if offset is None else f"(p > {self.segment.offsets.index(offset)})"

    # --- counting ---

    def _phase(self) -> list[str]:
        # The phase is the number of offsets that time has passed.
        lines = ["    p = p0"]
        if self.segment.offsets:
            many, offsets = len(self.segment.offsets), f"offsets_{self.segment.number}"
            lines += [f"    while p < {many} and at >= a + {offsets}[p]:", "        p += 1"]
        return lines

    def _count(self) -> None:
        by_name: dict[str, list[tuple[int, Counter]]] = {}
        for slot, counter in enumerate(self.segment.slots):
            self.put(f"n{slot} = s{slot}")
            if isinstance(counter, Counter):
                if counter.followed:
                    self.put(f"h{slot} = False")
                for name in dict.fromkeys(match.name for match in counter.matches):
                    by_name.setdefault(name, []).append((slot, counter))
        if not by_name and not self.segment.chains:
            return
        self.put("if event is not None:")
        self.put("    name = event.name")
        for place, (name, counters) in enumerate(by_name.items()):
            self.put(f"    {'elif' if place else 'if'} name == {self.bind(name)}:")
            for slot, counter in counters:
                self._count_one(name, slot, counter)

    def _count_one(self, name: str, slot: int, counter: Counter) -> None:
        terms = []
        if not counter.followed:
            terms.append(f"n{slot} < {counter.most}")
        if counter.cut is not None:
            terms.append(f"not {self.closed(counter.cut)}")
        filters = [match.where for match in counter.matches if match.name == name]
        if all(where is not None for where in filters):
            calls = [
                f"{self.bind(compile_predicate(where))}(event.properties)" for where in filters if where is not None
            ]
            terms.append(f"({' or '.join(calls)})")
        self.put(f"        if {' and '.join(terms) or 'True'}:")
        if counter.followed:
            self.put(f"            h{slot} = True")
            self.put(f"            if n{slot} < {counter.most}: n{slot} += 1")
        else:
            self.put(f"            n{slot} += 1")

    def _finish(self, root: Facts) -> None:
        changed = [f"n{slot} is not s{slot}" for slot in range(len(self.segment.slots))]
        if self.segment.offsets:
            changed.append("event is None and p != p0")
        parts = ", ".join(["a", "p", *(f"n{slot}" for slot in range(len(self.segment.slots)))])
        if changed:
            self.put(f"if {' or '.join(changed)}:")
            self.put(f"    s = ({parts})")
        bits = [(root.value, VALUE), (root.true, TRUE), (root.false, FALSE)]
        if self.segment.followed:
            bits += [(root.dry, DRY), (root.ends, ENDS)]
        constant = sum(bit for fact, bit in bits if fact == "True")
        terms = [f"({bit} if {fact} else 0)" for fact, bit in bits if fact not in ("True", "False")]
        self.put(f"return s, {' + '.join([*terms, str(constant)] if constant or not terms else terms)}")

    # --- knowing ---

    def emit(self, step: Step) -> Facts:
        """Writes what is needed to know a node, children first."""
        match step:
            case Leaf():
                facts = self._leaf(step)
            case Choice():
                facts = self._choice(step)
            case Guard():
                body = self.emit(step.body)
                facts = Facts(self.let(f"not {body.value}"), body.false, body.true, "True", "False")
            case Window():
                facts = self.emit(step.body)
            case Judgement():
                facts = self._judgement(step)
            case Never():
                facts = _NEVER
            case History():
                facts = self._history(step)
            case Chain():
                facts = self._chain(step)
        self.facts[id(step)] = facts
        return facts

    def _leaf(self, leaf: Leaf) -> Facts:
        value = self.let(f"n{leaf.slot} >= {leaf.least}")
        closed = self.closed(leaf.cut)
        false = "False" if leaf.cut is None else self.let(f"{closed} and not {value}")
        ends = self.let(f"h{leaf.slot} and {value}") if leaf.followed and self.folding else "False"
        return Facts(value, value, false, closed, ends)

    def _choice(self, choice: Choice) -> Facts:
        terms = [self.emit(term) for term in choice.terms]
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
        value, true, false = self.let(value), self.let(true), self.let(false)
        if not choice.followed:
            return Facts(value, true, false, "False", "False")
        dry = disjunction([false, self.let(conjunction([term.dry for term in terms]))])
        ends = disjunction([term.ends for term in terms])
        ends = ends if ends == "False" else f"({ends}) and {value}"
        return Facts(value, true, false, self.let(dry), self.let(ends))

    def _judgement(self, step: Judgement) -> Facts:
        body = self.emit(step.body)
        closed = self.closed(step.offset)
        value = self.let(f"{closed} and {body.value}")
        false = self.let(f"not {body.value} if {closed} else {body.false} or a + {step.offset} > end")
        if not step.followed:
            return Facts(value, value, false, "False", "False")
        dry = self.let(f"{closed} or {false}")
        opened = f"p0 <= {self.segment.offsets.index(step.offset)}"
        ends = self.let(f"{value} and {opened}") if self.folding else "False"
        return Facts(value, value, false, dry, ends)

    def _history(self, step: History) -> Facts:
        bits = self.let(f"evers[{step.ever}]")
        known = [self.let(f"{bits} & {bit} != 0") for bit in (VALUE, TRUE, FALSE, DRY, ENDS)]
        if step.slot is None or step.cut is None:
            return Facts(*known)
        slot, closed = f"n{step.slot}", self.closed(step.cut)
        if self.folding:
            # What was known when the window closed is all that there will be.
            self.put(f"if p0 <= {self.segment.offsets.index(step.cut)}:")
            self.put(f"    {slot} = {bits} & {VALUE} if {closed} else 0")
        value = self.let(f"{slot} == 1 if {closed} else {known[0]}")
        true = self.let(f"{slot} == 1 if {closed} else {known[1]}")
        false = self.let(f"{slot} != 1 if {closed} else {known[2]}")
        at_close = f"p0 > {self.segment.offsets.index(step.cut)}"
        return Facts(
            value, true, false, self.let(f"{closed} or {known[3]}"), self.let(f"not ({at_close}) and {known[4]}")
        )

    def _chain(self, step: Chain) -> Facts:
        first = self.emit(step.first)
        slot = f"n{step.slot}"
        bits, ends = self.local("0"), self.local("False")
        self.put(f"if {slot}.__class__ is tuple:")
        if self.folding:
            self._fold(step, first, slot, ends)
        self.put(f"    {bits} = {slot}[0]")
        if self.folding:
            self._settle(step, first, slot, bits)
        self.put(f"if {slot}.__class__ is not tuple:")
        self.put(f"    {bits} = {VALUE | TRUE | DRY} if {slot} else {FALSE | DRY}")
        gone = f"({slot}.__class__ is not tuple or {first.dry})"
        return Facts(
            self.let(f"{bits} & {VALUE} != 0"),
            self.let(f"{bits} & {TRUE} != 0"),
            self.let(f"{bits} & {FALSE} != 0 and {gone}"),
            self.let(f"{bits} & {DRY} != 0 and {gone}"),
            ends if step.followed else "False",
        )

    def _end(self, step: Chain) -> str:
        return "end" if step.cut is None else f"min(end, a + {step.cut})"

    def _fold(self, step: Chain, first: Facts, slot: str, ends: str) -> None:
        names = frozenset[str]().union(*(segment.names for segment in step.steps))
        threads = f"chain_{self.segment.number}_{step.slot}"
        begins = first.ends
        self.put(f"    if event is None or {disjunction([begins, f'name in {self.bind(names)}'])}:")
        event = "event" if step.cut is None else f"(None if {self.closed(step.cut)} else event)"
        self.put(f"        {slot}, {ends} = {threads}.fold({slot}, {event}, at, {self._end(step)}, evers, {begins})")

    def _settle(self, step: Chain, first: Facts, slot: str, bits: str) -> None:
        self.put(f"    if {self.closed(step.cut)}:")
        self.put(f"        {slot} = {bits} & {VALUE}")
        if not step.followed:
            self.put(f"    elif {bits} & {TRUE}:")
            self.put(f"        {slot} = 1")
        self.put(f"    elif {bits} & {FALSE} and {first.dry}:")
        self.put(f"        {slot} = 0")

    # --- waiting ---

    def _due(self, step: Step, indent: str) -> None:
        if not waits(step):
            return
        facts = self.facts[id(step)]
        followed = getattr(step, "followed", False)
        frozen = f"({facts.true} or {facts.false})"
        if not isinstance(step, Guard):
            self.lines.append(f"{indent}if not ({frozen}{f' and {facts.dry}' if followed else ''}):")
            indent += "    "
        match step:
            case Choice():
                for term in step.terms:
                    self._due(term, indent)
            case Guard():
                self._due(step.body, indent)
            case Window() | Judgement():
                place = self.segment.offsets.index(step.offset)
                self.lines.append(f"{indent}if p <= {place} and a + {step.offset} < due:")
                self.lines.append(f"{indent}    due = a + {step.offset}")
                self._due(step.body, indent)
            case Chain():
                threads = f"chain_{self.segment.number}_{step.slot}"
                self.lines.append(f"{indent}if n{step.slot}.__class__ is tuple:")
                self.lines.append(f"{indent}    due = min(due, {threads}.due(n{step.slot}, {self._end(step)}, evers))")
                self._due(step.first, indent)


_ASSIGNED = re.compile(r"    (x[0-9]+) = ")
_LOCAL = re.compile(r"x[0-9]+")


def _needed(lines: list[str]) -> list[str]:
    """A function's lines without the facts that nothing in it asks for."""
    kept: list[str] = []
    used: set[str] = set()
    for line in reversed(lines):
        assigned = _ASSIGNED.match(line)
        if assigned is None or assigned[1] in used:
            kept.append(line)
            used.update(_LOCAL.findall(line if assigned is None else line[assigned.end() :]))
    return kept[::-1]


def waits(step: Step) -> bool:
    """Whether time alone may change a node."""
    match step:
        case Choice():
            return any(waits(term) for term in step.terms)
        case Guard():
            return waits(step.body)
        case Window() | Judgement():
            return True
        case Chain():
            return waits(step.first) or any(segment.offsets or waits(segment.root) for segment in step.steps)
        case _:
            return False


def judges(step: Step) -> bool:
    """Whether a node of this segment is judged at a close, which its scope's end may forestall."""
    match step:
        case Choice():
            return any(judges(term) for term in step.terms)
        case Guard() | Window():
            return judges(step.body)
        case Leaf():
            return False
        case _:
            return True
