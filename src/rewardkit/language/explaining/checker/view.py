"""What a part of a condition sees: its events, and the instants that its windows count from and end at.

Nothing of `checker` uses `specification` or `proof`: it says the meaning of the language a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import attrs

from rewardkit.language import civil
from rewardkit.language.event import Event, Instant
from rewardkit.language.tree import Calendar, Span

Mark: TypeAlias = tuple[Instant, int, int, str]
"""A place between or at events: a tick of the clock comes before the events of its instant."""

FIRST: Mark = (-1, 0, 0, "")


def tick(at: Instant) -> Mark:
    """The clock reaches an instant."""
    return at, 0, 0, ""


def mark(event: Event) -> Mark:
    """Where an event stands."""
    return event.at, 1, event.order, event.id


def late(at: Instant) -> Mark:
    """After all events of an instant."""
    return at, 2, 0, ""


@attrs.frozen
class View:
    """The events after `low` and up to `high`."""

    known: tuple[Event, ...]
    low: Mark
    high: Mark
    anchor: Instant | None
    end: Instant | None
    zone: str
    base: tuple[Mark, Instant | None]
    """Where the outermost scope around begins, and its anchor."""
    base_end: Instant | None
    reading: Mark
    floor: Mark = FIRST

    def seen(self) -> list[Event]:
        return [event for event in self.known if self.low < mark(event) <= self.high]

    def upto(self, high: Mark) -> View:
        return attrs.evolve(self, high=min(high, self.high))

    def until(self, close: Instant) -> View:
        """What is seen before a close."""
        return attrs.evolve(
            self, high=min(self.high, tick(close)), end=close if self.end is None else min(close, self.end)
        )

    def since(self, low: Mark, anchor: Instant | None) -> View:
        return attrs.evolve(self, low=max(low, self.low), anchor=anchor)

    def far(self, span: Span, start: Instant | None) -> Instant:
        """The end of a span."""
        assert start is not None
        if isinstance(span, Calendar):
            return civil.span_end(start, span.count, span.unit, self.zone)
        return start + span.microseconds

    def over(self, now: Instant) -> bool:
        """Whether no event can be added to it."""
        return self.end is not None and now >= self.end

    def from_event(self, opener: Event, span: Span) -> View:
        """The window that begins with an event."""
        before = [mark(event) for event in self.known if mark(event) < mark(opener)]
        low = max([tick(opener.at), *before[-1:]])
        return self.since(low, opener.at).until(self.far(span, opener.at))

    def outermost(self) -> View:
        low, anchor = self.base
        return attrs.evolve(self, low=low, anchor=anchor, high=self.reading, end=self.base_end)

    def of_key(self, events: Iterator[Event]) -> View:
        return attrs.evolve(self, known=tuple(events))
