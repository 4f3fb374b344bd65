"""A history in total order."""

from __future__ import annotations

from collections.abc import Iterable

from rewardkit.errors import Conflict, ValidationError
from rewardkit.language.diagnostic import quoted
from rewardkit.language.event import UNTIMED, Event


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events in total order, each id once.

    Raises:
        Conflict: for one event id with two bodies.
        ValidationError: something is no event, an event has no instant or no id, or the events are of several users.
    """
    by_id: dict[str, Event] = {}
    users: dict[str, None] = {}
    for event in events:
        if not isinstance(event, Event):
            raise ValidationError(f"a history is made of `Event`s, not of `{type(event).__name__}`")
        if event.at == UNTIMED or not event.id:
            lacking = "instant: pass `at`" if event.at == UNTIMED else "id: pass `id`"
            raise ValidationError(f"event {quoted(event.name)} has no {lacking}, since nothing gives it one here")
        if by_id.setdefault(event.id, event) != event:
            raise Conflict(f"event `{event.id}` came twice with different bodies")
        if event.user:
            users[event.user] = None
    if len(users) > 1:
        one, other, *_ = users
        raise ValidationError(
            f"a history is of one user, and this is of {quoted(one)} and {quoted(other)}: "
            "judge each user's events alone"
        )
    return sorted(by_id.values(), key=lambda event: event.position)
