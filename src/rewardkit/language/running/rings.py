"""`σ*n in any D`: the last few places of σ say whether as many lie in one window."""

from __future__ import annotations

import attrs

from rewardkit.language import tree
from rewardkit.language.event import Event, Instant
from rewardkit.language.running.chain import FOREVER, TRUE, VALUE, Evers
from rewardkit.language.running.family import Slot
from rewardkit.language.values.selector import Selector, selector_of


@attrs.frozen(eq=False)
class Rings:
    """One such part at run time, over elapsed time.

    Its slot is `(bits, instants of the newest matching events, fewer than n, that a window can still hold)`.
    """

    matches: Selector
    least: int
    microseconds: int
    followed: bool

    @classmethod
    def of(cls, body: tree.AtLeast, span: tree.Elapsed, *, followed: bool) -> Rings:
        return cls(selector_of(body.matches), body.least, span.microseconds, followed)

    @property
    def initial(self) -> Slot:
        return (0, ())

    def fold(
        self,
        slot: Slot,
        event: Event | None,
        at: Instant,
        end: Instant,  # noqa: ARG002 - every family is asked alike
        evers: Evers,  # noqa: ARG002 - every family is asked alike
        anchor: Instant,  # noqa: ARG002 - every family is asked alike
    ) -> tuple[Slot, bool]:
        if event is None or not self.matches(event):
            return slot, False
        bits, before = slot
        opened = at - self.microseconds
        places = (*(place for place in before if place > opened), at)
        if len(places) < self.least:
            return (bits, places), False
        if not self.followed:
            return (TRUE | VALUE, ()), False
        after = (TRUE | VALUE, places[1:])
        return (slot if after == slot else after), True

    def due(self, slot: Slot, end: Instant, evers: Evers) -> Instant:  # noqa: ARG002 - every family is asked alike
        return FOREVER
