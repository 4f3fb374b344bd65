"""A case's events in other orders, none of them too late: its last verdict stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rewardkit.language.condition import Condition
from rewardkit.language.conformance.styles import Found, program_for, told
from rewardkit.language.conformance.vectors import Case
from rewardkit.language.event import Instant
from rewardkit.language.folding.timely import Timely


def is_in_time(case: Case) -> bool:
    """Whether a case allows events to be late, and its own come in order, each once."""
    events = [step.event for step in case.steps if step.event is not None]
    moments = [step.event.at if step.event is not None else step.now or 0 for step in case.steps]
    return case.lateness > 0 and moments == sorted(moments) and len({event.id for event in events}) == len(events)


class Shuffled:
    """Reads the events of a case as they might have come."""

    def __init__(self, condition: Condition, case: Case) -> None:
        self.case = case
        self.timely = Timely(program_for(condition, case), timedelta(microseconds=case.lateness))
        self.events = [step.event for step in case.steps if step.event is not None]
        self.now = max(step.event.at if step.event is not None else step.now or 0 for step in case.steps)

    def found(self) -> Iterator[Found]:
        """The last verdict for each order, without when it wakes; and where it was decided at once, without when."""
        many = len(self.events)
        longest = self.case.lateness - 1
        for delays in (
            [longest * (many - place) // many for place in range(many)],
            [longest * (place % 2) for place in range(many)],
            [longest * ((place + 1) % 2) for place in range(many)],
            [longest * (place * 5 % 7) // 6 for place in range(many)],
        ):
            yield self._found(delays)

    def _found(self, delays: list[Instant]) -> Found:
        arrivals = [
            (max(event.at, min(event.at + delay, self.now)), event)
            for delay, event in zip(delays, self.events, strict=True)
        ]
        state = self.timely.start(self.case.start, end=self.case.end)
        for at, event in sorted(arrivals, key=lambda each: each[0]):
            state = self.timely.receive(self.timely.advance(state, max(at, state.now)), event).state
        state = self.timely.advance(state, max(self.now, state.now))
        found = told(self.timely.verdict(state))
        return {key: found[key] for key in ("status", "holds_now", *(() if state.at_once else ("decided_at",)))}
