"""The instants at which time alone may change a condition: one too many is harmless, one too few is not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from rewardkit.language import civil, tree
from rewardkit.language.descent import descend
from rewardkit.language.event import LATEST, Event, Instant

_DAYS_AROUND = range(-3, 4)


def deadlines(
    node: tree.Node, known: Iterable[Event], opened: Instant | None, zone: str, now: Instant | None
) -> set[Instant]:
    """All sums of an anchor and the spans after it.

    Args:
        node: the condition.
        known: the events that have happened.
        opened: the anchor of the scope, where it has one.
        zone: of its calendar.
        now: closes after this instant hand nothing over; None where all do.
    """
    found = _Deadlines({event.at for event in known}, zone, now)
    found.walk(node, set() if opened is None else {opened}, set() if opened is None else {opened})
    return {instant for instant in found.instants if instant <= LATEST}


class _Deadlines:
    def __init__(self, happened: set[Instant], zone: str, now: Instant | None) -> None:
        self.happened = happened
        self.zone = zone
        self.now = now
        self.instants: set[Instant] = set()

    def walk(self, node: tree.Node, anchors: set[Instant], base: set[Instant]) -> set[Instant]:
        """Collects the closes of a node's windows, and gives the instants at which they may hand over."""
        match node:
            case tree.Within(body=body, span=span):
                self.instants |= self._ends(span, anchors)
                return self.walk(body, anchors, base)
            case tree.Over(body=body, span=span) | tree.No(body=body, span=span):
                closes = {close for close in self._ends(span, anchors) if self.now is None or close <= self.now}
                self.instants |= closes
                self.walk(body, anchors, base)
                return closes
            case tree.Then(steps=steps):
                for step in steps:
                    anchors = self.walk(step, anchors, base) | self.happened
                return anchors
            case tree.And(terms=terms) | tree.Or(terms=terms) | tree.Some(terms=terms):
                return set().union(*(self.walk(term, anchors, base) for term in terms))
            case tree.Not(body=body) | tree.Since(body=body) | tree.By(body=body):
                return self.walk(body, anchors, base)
            case tree.Before(body=body, instant=text):
                self.instants.add(civil.instant_of(text, self.zone))
                return self.walk(body, anchors, base)
            case tree.Ever(body=body):
                return self.walk(body, set(), set())
            case tree.InAny(body=body, span=span):
                self.instants |= self._ends(span, self.happened)
                return self.walk(body, self.happened, base)
            case tree.InOne(body=body, unit=unit):
                buckets = {civil.bucket(at, unit, self.zone) for at in self.happened}
                self.instants |= {end for _, end in buckets}
                return self.walk(body, {start for start, _ in buckets}, base)
            case tree.InLast(body=body, span=span):
                self._moving(body, span)
                return self.walk(body, set(), base)
            case tree.Satisfied(body=body) if body is not None:
                self.walk(body, base, base)
                # It may have been satisfied by nothing, at the opening.
                return self.instants | (base or {0})
            case _:
                return set()

    def _ends(self, span: tree.Span, anchors: set[Instant]) -> set[Instant]:
        if isinstance(span, tree.Elapsed):
            return {anchor + span.microseconds for anchor in anchors}
        return {civil.span_end(anchor, span.count, span.unit, self.zone) for anchor in anchors}

    def _moving(self, body: tree.Node, span: tree.Span) -> None:
        """When an event leaves the window that ends now, or enters or leaves a window that moves with its start."""
        if isinstance(span, tree.Calendar):
            # The start moves at midnight alone; which one passes an event depends on the length of its months.
            for at in self.happened:
                near = civil.local_date(civil.span_end(at, span.count, span.unit, self.zone), self.zone)
                self.instants |= {civil.first_instant(near + timedelta(days=day), self.zone) for day in _DAYS_AROUND}
            return
        self.instants |= {at + span.microseconds for at in self.happened}
        for part in descend(body):
            inner = getattr(part, "span", None)
            if isinstance(inner, tree.Elapsed):
                self.instants |= {at + span.microseconds - inner.microseconds + 1 for at in self.happened}
