"""The Python source of a segment: straight-line code over its slots, written in post-order.

`run_N` reads a segment after one event, or at a timer; `due_N` finds its next timer. Names of events, filters and
chains are bound through the namespace, so that no text of a user's ever becomes source.
"""

from __future__ import annotations

import re
from typing import Any

from rewardkit.language.planning.bounds import Bound, Cut, Moment, closes_of, moves
from rewardkit.language.planning.gauge import Gauge
from rewardkit.language.planning.plan import Counter, Segment
from rewardkit.language.running.chain import DRY, ENDS, FALSE, FOREVER, TRUE, VALUE
from rewardkit.language.tree import Calendar
from rewardkit.language.values.predicate import compile_predicate
from rewardkit.language.writing.facts import Facts
from rewardkit.language.writing.knowing import know
from rewardkit.language.writing.waiting import wait


class SegmentWriter:
    """Writes the two functions of one segment.

    Args:
        names: the namespace in which the source is executed; what the source refers to is bound there.
        zone: IANA name of the zone of calendar spans.
    """

    def __init__(self, segment: Segment, names: dict[str, Any], zone: str) -> None:
        self.segment = segment
        self.zone = zone
        self.calendar = segment.calendar
        self.names = names
        self.lines: list[str] = []
        self.locals = 0
        self.folding = True
        self.facts: dict[int, Facts] = {}

    def write(self) -> str:
        """Both functions."""
        number = self.segment.number
        slots = ", ".join(f"s{slot}" for slot in range(len(self.segment.slots)))
        head = f"    a, p0, {slots} = s" if slots else "    a, p0 = s"
        self.lines = [f"def run_{number}(s, event, at, end, evers):", head, *self._phase()]
        self.folding = True
        self._count()
        root = know(self, self.segment.root)
        self._finish(root)
        body, self.lines = _needed(self.lines), []
        self.lines += [f"def due_{number}(s, end, evers):", head, *self._closes(), "    p = p0", f"    due = {FOREVER}"]
        self.folding = False
        for slot in range(len(self.segment.slots)):
            self.put(f"n{slot} = s{slot}")
        know(self, self.segment.root)
        wait(self, self.segment.root, "    ")
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

    def closed(self, cut: Cut, phase: str = "p") -> str:
        """Whether time has passed one of some bounds."""
        places = [self.segment.bounds.index(bound) for bound in cut]
        if not places:
            return "False"
        if self.segment.ordered:
            return f"({phase} > {places[0]})"
        return f"({phase} & {sum(1 << place for place in places)} != 0)"

    def open(self, cut: Cut, phase: str) -> str:
        """Whether time has passed none of some bounds."""
        places = [self.segment.bounds.index(bound) for bound in cut]
        if self.segment.ordered:
            return f"{phase} <= {places[0]}"
        return f"{phase} & {sum(1 << place for place in places)} == 0"

    def close(self, bound: Bound) -> str:
        """The instant of a bound."""
        match bound:
            case Moment(instant=instant):
                return str(instant)
            case Calendar():
                return f"c[{self.calendar.index(bound)}]"
            case _:
                return f"a + {bound}"

    # --- counting ---

    def _phase(self) -> list[str]:
        # The phase is the number of bounds that time has passed, or a bit for each of them.
        segment, lines = self.segment, [*self._closes(), "    p = p0"]
        if not segment.bounds:
            return lines
        if segment.ordered:
            offsets = f"offsets_{segment.number}"
            self.names[offsets] = segment.bounds
            return [*lines, f"    while p < {len(segment.bounds)} and at >= a + {offsets}[p]:", "        p += 1"]
        lines.append(f"    if p != {segment.last_phase}:")
        lines += [
            f"        if at >= {self.close(bound)}: p |= {1 << place}" for place, bound in enumerate(segment.bounds)
        ]
        return lines

    def _closes(self) -> list[str]:
        if not self.calendar:
            return []
        closes = f"closes_{self.segment.number}"
        self.names[closes] = closes_of(self.calendar, self.zone)
        return [f"    c = {closes}(a)"]

    def _count(self) -> None:
        by_name: dict[str, list[tuple[int, Counter | Gauge]]] = {}
        for slot, counter in enumerate(self.segment.slots):
            self.put(f"n{slot} = s{slot}")
            if isinstance(counter, Counter | Gauge):
                if counter.followed:
                    self.put(f"h{slot} = False")
                for name in dict.fromkeys(match.name for match in counter.matches):
                    by_name.setdefault(name, []).append((slot, counter))
        if not by_name and not self.segment.listens:
            return
        self.put("if event is not None:")
        self.put("    name = event.name")
        for place, (name, counters) in enumerate(by_name.items()):
            self.put(f"    {'elif' if place else 'if'} name == {self.bind(name)}:")
            for slot, counter in counters:
                self._count_one(name, slot, counter)

    def _count_one(self, name: str, slot: int, counter: Counter | Gauge) -> None:
        terms = []
        if isinstance(counter, Counter) and not counter.followed:
            terms.append(f"n{slot} < {counter.most}")
        if counter.cut:
            terms.append(f"not {self.closed(counter.cut)}")
        if counter.floor is not None:
            terms.append(f"at >= {counter.floor}")
        filters = [match.where for match in counter.matches if match.name == name]
        if all(where is not None for where in filters):
            calls = [
                f"{self.bind(compile_predicate(where))}(event.properties)" for where in filters if where is not None
            ]
            terms.append(f"({' or '.join(calls)})")
        self.put(f"        if {' and '.join(terms) or 'True'}:")
        if isinstance(counter, Gauge):
            if counter.followed:
                self.put(f"            h{slot} = True")
            self.put(f"            n{slot} = {self.bind(counter.fold(self.zone))}(n{slot}, event)")
        elif counter.followed:
            self.put(f"            h{slot} = True")
            self.put(f"            if n{slot} < {counter.most}: n{slot} += 1")
        else:
            self.put(f"            n{slot} += 1")

    def _finish(self, root: Facts) -> None:
        changed = [f"n{slot} is not s{slot}" for slot in range(len(self.segment.slots))]
        if self.segment.bounds:
            # A scope that an event opens may open after an instant; other bounds are passed by timers alone.
            fixed = any(not moves(bound) for bound in self.segment.bounds)
            changed.append("p != p0" if fixed else "event is None and p != p0")
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
