"""`in last D`: the events of the last D are kept, and the body is judged over them."""

from __future__ import annotations

import attrs

from rewardkit.language import tree
from rewardkit.language.event import Event, Instant
from rewardkit.language.running.chain import FOREVER, VALUE, Evers
from rewardkit.language.running.family import Slot
from rewardkit.language.running.kept import Keeping, KeptEvent
from rewardkit.language.specification.aggregate import matching
from rewardkit.language.specification.deadlines import deadlines
from rewardkit.language.specification.holding import holds
from rewardkit.language.specification.scope import BEFORE_ALL, Outermost, Place, Scope


@attrs.frozen(eq=False)
class Recent:
    """One `in last` at run time.

    Its slot is `(bits, next instant at which time may change it, kept events)`; it is never decided.
    """

    node: tree.InLast
    zone: str
    keeping: Keeping

    @classmethod
    def of(cls, node: tree.InLast, zone: str) -> Recent:
        return cls(node, zone, Keeping.of(node))

    @property
    def initial(self) -> Slot:
        return (0, -1, ())

    def fold(
        self,
        slot: Slot,
        event: Event | None,
        at: Instant,
        end: Instant,
        evers: Evers,  # noqa: ARG002 - every family is asked alike
        anchor: Instant,  # noqa: ARG002 - every family is asked alike
    ) -> tuple[Slot, bool]:
        _, due, kept = slot
        heard = event is not None and self.keeping.hears(event.name)
        if not heard and at < due:
            return slot, False
        if heard and event is not None:
            kept = (*kept, self.keeping.keep(event))
            if isinstance(self.node.body, tree.AtLeast):
                # Of a count no more than its newest events can matter.
                if not matching(self.node.body.matches, (event,)):
                    return slot, False
                kept = kept[-self.node.body.least :]
        scope = self._scope(kept, (at, 2, 0, ""), end)
        after = scope.recent(self.node.span, at).after
        gone = next((place for place, one in enumerate(kept) if (one[0], 1, 0, "") > after), len(kept))
        if gone:
            kept = kept[gone:]
            scope = scope._replace(events=scope.events[gone:])
        bits = VALUE if holds(self.node, scope, at) else 0
        found = deadlines(self.node, scope.events, None, self.zone, None)
        changed = (bits, min((instant for instant in found if instant > at), default=FOREVER), kept)
        return (slot if changed == slot else changed), False

    def _scope(self, kept: tuple[KeptEvent, ...], until: Place, end: Instant) -> Scope:
        last = None if end == FOREVER else end
        events = self.keeping.restore(kept)
        return Scope(events, BEFORE_ALL, until, None, last, Outermost(BEFORE_ALL, None), last, until, self.zone)

    def due(self, slot: Slot, end: Instant, evers: Evers) -> Instant:  # noqa: ARG002 - every family is asked alike
        due: Instant = slot[1]
        return due
