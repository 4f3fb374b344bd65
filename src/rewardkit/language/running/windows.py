"""`in any D`: one thread for each window that may still lead to something, begun by an event of the scope."""

from __future__ import annotations

import attrs

from rewardkit.language import tree
from rewardkit.language.event import Event, Instant
from rewardkit.language.running.chain import DRY, ENDS, FALSE, FOREVER, TRUE, VALUE, Evers, Part
from rewardkit.language.running.dominance import Thread, prune
from rewardkit.language.running.family import Slot, close_of


@attrs.frozen(eq=False)
class Windows:
    """One `in any` at run time.

    Its slot is `(bits, threads)`. TRUE is for good: some window held when it closed, or will.
    """

    part: Part
    opens: frozenset[str]
    """Names of the events that open a window."""
    span: tree.Span
    zone: str
    followed: bool
    asks: bool
    """Whether what is known of shared segments matters, which a close cuts."""

    @property
    def initial(self) -> Slot:
        return (0, ())

    def fold(
        self,
        slot: Slot,
        event: Event | None,
        at: Instant,
        end: Instant,
        evers: Evers,
        anchor: Instant,  # noqa: ARG002 - every family is asked alike
    ) -> tuple[Slot, bool]:
        bits, before = slot
        part = self.part
        opening = event is not None and event.name in self.opens
        if event is not None and not opening and event.name not in part.names:
            return slot, False
        bits &= TRUE
        value, ended = 0, False
        kept: list[Thread] = []
        for thread in (*before, (at, *part.born)) if opening else before:
            close = close_of(self.span, thread[0], self.zone)
            # Noticed later, a close is read where it was: what ends after it is not judged.
            after, known = part.run(thread, event if at < close else None, min(at, close), min(end, close), evers)
            ended = ended or known & ENDS != 0
            if at >= close:
                bits |= TRUE if known & VALUE else 0
                continue
            bits |= known & TRUE
            if known & FALSE or (known & TRUE and (known & DRY or not self.followed)):
                continue
            value |= known & VALUE
            kept.append(after)
        if bits and not self.followed:
            return (TRUE | VALUE, ()), False
        bits |= VALUE if bits else value
        threads = tuple(prune(kept, part.pulls, part.better)) if len(kept) > 1 else tuple(kept)
        if threads != before:
            return (bits, threads), ended
        return (slot if bits == slot[0] else (bits, before)), ended

    def due(self, slot: Slot, end: Instant, evers: Evers) -> Instant:
        earliest = FOREVER
        # Only what holds becomes what will hold for good when its window closes.
        settling = self.asks or slot[0] & (TRUE | VALUE) == VALUE
        for thread in slot[1]:
            close = close_of(self.span, thread[0], self.zone)
            due = self.part.due(thread, min(end, close), evers)
            earliest = min(earliest, due, close if settling else FOREVER)
        return earliest
