"""What a condition has come to, by the language's specification alone, and which event decided it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, Instant, Position
from rewardkit.language.specification import judge
from rewardkit.language.zoning import UTC


class Decided(NamedTuple):
    """What a condition came to."""

    status: str
    at: Instant
    event: Event | None
    """That decided, or None where time or the opening did."""

    @property
    def position(self) -> Position:
        return Position(self.at) if self.event is None else self.event.position


def decided(
    condition: str,
    events: Sequence[Event],
    start: Position | None,
    now: Instant,
    end: Instant | None = None,
    zone: str = UTC,
) -> Decided | None:
    """The decision about a condition at an instant, with the event that made it; None where it is pending."""
    tree = Condition.parse(condition).tree
    reading = judge(tree, events, start, now, end, zone=zone)
    if reading.status == "pending" or reading.decided_at is None:
        return None
    at = reading.decided_at
    known = [event for event in events if event.at < at or (start is not None and event.position <= start)]
    if judge(tree, known, start, at, end, zone=zone).status != "pending":
        return Decided(reading.status, at, None)
    for event in sorted(events, key=lambda event: event.position):
        if event.at == at and event not in known:
            known.append(event)
            if judge(tree, known, start, at, end, zone=zone).status != "pending":
                return Decided(reading.status, at, event)
    raise AssertionError(f"nothing decides `{condition}` at {at}")
