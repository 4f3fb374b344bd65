"""What a case has told so far, step by step."""

from __future__ import annotations

from typing import Literal

from rewardkit.errors import Conflict
from rewardkit.language.conformance.vectors import Case, Step
from rewardkit.language.event import Event, Instant
from rewardkit.language.replay import BEFORE_ALL


class Arrivals:
    """The events that have come, and the instant that it is."""

    def __init__(self, case: Case) -> None:
        self.events: dict[str, Event] = {}
        self.last = case.start or BEFORE_ALL
        self.now: Instant = case.start.at if case.start is not None else 0

    def apply(self, step: Step) -> Literal["known", "next", "earlier"]:
        """Takes a step in, and says how its event stands to those before it; an advance brings nothing new.

        Raises:
            Conflict: an event's id came with another body.
        """
        now, event = self.now, step.event
        if event is None:
            self.now = max(now, step.now or 0)
            return "known"
        self.now = max(now, event.at)
        if event.id in self.events:
            if self.events[event.id] != event:
                raise Conflict(f"event `{event.id}` came twice with different bodies")
            return "known"
        self.events[event.id] = event
        if event.at < now or event.position <= self.last:
            return "earlier"
        self.last = event.position
        return "next"
