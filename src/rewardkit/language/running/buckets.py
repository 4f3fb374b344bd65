"""`in one week`: one thread for the calendar bucket that an event of the scope has opened."""

from __future__ import annotations

import attrs

from rewardkit.language import civil
from rewardkit.language.event import Event, Instant
from rewardkit.language.running.chain import DRY, ENDS, FALSE, FOREVER, TRUE, VALUE, Evers, Part
from rewardkit.language.running.family import Slot, begun


@attrs.frozen(eq=False)
class Buckets:
    """One `in one` at run time.

    Its slot is `(bits, close, threads)`: the close of the newest bucket that was opened, and its thread unless that is
    decided. TRUE is for good: some bucket held when it closed, or will.
    """

    part: Part
    opens: frozenset[str]
    """Names of the events that open a bucket."""
    unit: str
    zone: str
    followed: bool

    @property
    def initial(self) -> Slot:
        return (0, 0, ())

    def fold(
        self,
        slot: Slot,
        event: Event | None,
        at: Instant,
        end: Instant,
        evers: Evers,
        anchor: Instant,  # noqa: ARG002 - every family is asked alike
    ) -> tuple[Slot, bool]:
        before, close, threads = slot
        part = self.part
        opening = event is not None and at >= close and event.name in self.opens
        if event is not None and not opening and event.name not in part.names:
            return slot, False
        bits, ended = before & TRUE, False
        for thread in threads:
            # Noticed later, a close is read where it was: what ends after it is not judged.
            after, known = part.run(thread, event if at < close else None, min(at, close), min(end, close), evers)
            ended = known & ENDS != 0
            bits, threads = self._judged(bits, known, after, closed=at >= close)
        if opening:
            start, close = civil.bucket(at, self.unit, self.zone)
            thread, _ = begun(part, start, at, min(end, close), evers)
            thread, known = part.run(thread, event, at, min(end, close), evers)
            ended = ended or known & ENDS != 0
            bits, threads = self._judged(bits & TRUE, known, thread, closed=False)
        if bits & TRUE:
            if not self.followed:
                return (TRUE | VALUE, 0, ()), False
            bits |= VALUE
        after_all = (bits, close, threads)
        return (slot if after_all == slot else after_all), ended

    def _judged(self, bits: int, known: int, thread: tuple[int, ...], *, closed: bool) -> tuple[int, Slot]:
        """What is known after a bucket's reading, and its thread where that may still lead to something."""
        if known & TRUE or (closed and known & VALUE):
            bits |= TRUE
        if closed or known & FALSE or (bits & TRUE and known & DRY):
            return bits, ()
        return bits | known & VALUE, (thread,)

    def due(self, slot: Slot, end: Instant, evers: Evers) -> Instant:
        bits, close, threads = slot
        due: Instant = FOREVER
        for thread in threads:
            due = self.part.due(thread, min(end, close), evers)
            if bits & (TRUE | VALUE) == VALUE:  # what holds at the close will hold for good
                due = min(due, close)
        return due
