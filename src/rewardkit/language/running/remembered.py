"""A whole condition that asks again about what has passed: it is judged anew over all that it has listened to.

Its parts may end before the event that opens them, or take back what they completed; no bounded state can say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType

import attrs

from rewardkit.language import tree
from rewardkit.language.descent import children, descend
from rewardkit.language.event import Event, Instant
from rewardkit.language.listening import needs_an_event
from rewardkit.language.running.chain import FALSE, FOREVER, VALUE, Evers
from rewardkit.language.running.family import Slot
from rewardkit.language.running.kept import Keeping
from rewardkit.language.specification.deadlines import deadlines
from rewardkit.language.specification.judging import decide
from rewardkit.language.specification.scope import BEFORE_ALL, Outermost, Scope, opening, place, timer


def looks_back(node: tree.Node) -> bool:
    """Whether only the events themselves say what comes next: the rest of a condition needs no more than its state."""
    return any(_retold(part) for part in descend(node)) or _revoked(node, followed=False)


def _retold(part: tree.Node) -> bool:
    """Whether a body asks what was known before it began, or goes on changing when its scope has ended."""
    match part:
        case tree.InOne(body=body) | tree.InLast(body=body):
            asked: type | UnionType = tree.Ever | tree.Satisfied
            if any(isinstance(inner, asked) for inner in descend(body)):
                return True
        case tree.InAny(body=body) if _follows_history(body):
            return True
        case tree.Within(body=body) | tree.Over(body=body) | tree.InAny(body=body) | tree.Before(body=body):
            pass
        case _:
            return False
    return not isinstance(part, tree.InLast) and any(isinstance(inner, tree.InLast) for inner in descend(body))


def _follows_history(body: tree.Node) -> bool:
    """Whether a step begins where an `ever` ends, which may lie before the window around them."""
    for part in descend(body):
        if isinstance(part, tree.Then) and any(
            isinstance(inner, tree.Ever) for step in part.steps[:-1] for inner in descend(step)
        ):
            return True
    return False


def _revoked(node: tree.Node, *, followed: bool) -> bool:
    """Whether a step follows an end that may be taken back, or may lie before the event that opens its scope."""
    match node:
        case tree.Then(steps=steps):
            *first, last = steps
            return any(_revoked(step, followed=True) for step in first) or _revoked(last, followed=followed)
        case tree.InLast() if followed:
            return True
        case tree.InOne(body=body) | tree.By(body=body) if followed:
            return (_ends_by_time(body) and not needs_an_event(body)) or _revoked(body, followed=True)
        case tree.InAny(body=body) if followed:
            return any(isinstance(part, tree.Ever) for part in descend(body)) or _revoked(body, followed=True)
        case tree.Not() | tree.Over() | tree.No() | tree.Satisfied():
            return any(_revoked(part, followed=False) for part in children(node))
        case _:
            return any(_revoked(part, followed=followed) for part in children(node))


def _ends_by_time(node: tree.Node) -> bool:
    """Whether a body may be completed before anything has happened in its scope."""
    match node:
        case tree.Over() | tree.No() | tree.Satisfied():
            return True
        case tree.AtLeast() | tree.Between() | tree.Comparison() | tree.Streak() | tree.Not() | tree.InAny():
            return False
        case tree.Then(steps=steps):
            return all(_ends_by_time(step) for step in steps)
        case _:
            return any(_ends_by_time(part) for part in children(node))


@attrs.frozen(eq=False)
class Remembered:
    """Such a condition at run time.

    Its slot is `(bits, next instant at which time may change it, whether its scope has a start, the number of events
    before that, kept events)`.
    """

    node: tree.Node
    zone: str
    keeping: Keeping

    @classmethod
    def of(cls, node: tree.Node, zone: str) -> Remembered:
        return cls(node, zone, Keeping.of(node))

    @property
    def initial(self) -> Slot:
        return self.opened((), anchored=True)

    def opened(self, history: Iterable[Event], *, anchored: bool) -> Slot:
        """The slot at the opening of a scope, with what happened before it."""
        kept = tuple(self.keeping.keep(event) for event in history if self.keeping.hears(event.name))
        return (0, -1, int(anchored), len(kept), kept)

    def fold(
        self,
        slot: Slot,
        event: Event | None,
        at: Instant,
        end: Instant,
        evers: Evers,  # noqa: ARG002 - every family is asked alike
        anchor: Instant,
    ) -> tuple[Slot, bool]:
        _, due, anchored, before, kept = slot
        heard = event is not None and self.keeping.hears(event.name)
        if not heard and at < due:
            return slot, False
        if heard and event is not None:
            kept = (*kept, self.keeping.keep(event))
        after, opens = (opening(anchor, before, ""), anchor) if anchored else (BEFORE_ALL, None)
        events = self.keeping.restore(kept[:before]) + self.keeping.restore(kept[before:], first=before + 1)
        until = place(events[-1]) if heard else max(after, timer(at))
        last = None if end == FOREVER else end
        scope = Scope(events, after, until, opens, last, Outermost(after, opens), last, until, self.zone)
        status = decide(self.node, scope, at)
        bits = VALUE if status == "satisfied" else FALSE if status == "impossible" else 0
        found = deadlines(self.node, events, opens, self.zone, None)
        due = min((instant for instant in found if instant > at), default=FOREVER)
        return (bits, due, anchored, before, kept), False

    def due(self, slot: Slot, end: Instant, evers: Evers) -> Instant:  # noqa: ARG002 - every family is asked alike
        due: Instant = slot[1]
        return due
