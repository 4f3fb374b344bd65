"""Histories that were made up, for people: few events, far enough apart to be told from each other."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import attrs

from rewardkit.language.analysing.search import Course, Goal, Search
from rewardkit.language.event import LATEST, Event, Instant, rfc3339

_GAPS = ((14, 86_400_000_000), (48, 3_600_000_000), (1_000, 60_000_000), (100_000, 1_000_000))
"""How many events at most lie how many microseconds apart."""
_MOST_IN_FULL = 8
"""Events of which every part is tried."""
_MOST_ONE_BY_ONE = 64


@attrs.frozen
class History:
    """One user's events, and the instant at which they lead to what was asked for."""

    events: tuple[Event, ...]
    """In total order; their ids are `e1`, `e2`, …"""
    at: Instant
    """Microseconds since 1970: that of the last event, or of a later deadline."""

    def __str__(self) -> str:
        lines = [_told(event) for event in self.events]
        if not self.events or self.at > self.events[-1].at:
            lines.append(f"{rfc3339(self.at)} {'nothing else happens' if self.events else 'nothing happens'}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Plain data: `events` as in vectors, and `at`."""
        return {"events": [_plain(event) for event in self.events], "at": rfc3339(self.at)}


def _told(event: Event) -> str:
    held = ", ".join(f"{name}: {value!r}" if isinstance(value, str) else f"{name}: {value}"
                     for name, value in event.properties.items())  # fmt: skip
    return f"{rfc3339(event.at)} {event.name}{f' ({held})' if held else ''}"


def _plain(event: Event) -> dict[str, Any]:
    made: dict[str, Any] = {"id": event.id, "name": event.name, "at": rfc3339(event.at)}
    if event.order:
        made["order"] = event.order
    return made | {"properties": dict(event.properties)}


def readable(search: Search, course: Course, goal: Goal, *, at_last: bool = False) -> History:
    """A course as a history, its events spread out where that changes nothing."""
    begin = search.setting.begin
    end = LATEST if search.setting.end is None else search.setting.end
    before = tuple(event for event in course.events if event.at < begin)
    inside = course.events[len(before) :]
    if inside and all(event.at == begin for event in inside):
        for most, gap in _GAPS:
            if len(inside) > most or begin + gap * len(inside) >= end:
                continue
            spread = tuple(
                attrs.evolve(event, at=begin + gap * number, order=0) for number, event in enumerate(inside, start=1)
            )
            at = search.reaches((*before, *spread), goal, at_last=at_last)
            if at is not None:
                return _numbered(Course((*before, *spread), at))
    return _numbered(course)


def least(search: Search, history: History, goal: Goal) -> History:
    """The history, or a smallest part of it that reaches the goal as well; a goal that stays once it is reached."""
    found = list(history.events)
    if len(found) <= _MOST_IN_FULL:
        for many in range(len(found)):
            for part in combinations(found, many):
                at = search.reaches(part, goal)
                if at is not None:
                    return _numbered(Course(part, at))
        return history
    best = history
    if len(found) <= _MOST_ONE_BY_ONE:
        for event in history.events:
            fewer = tuple(one for one in best.events if one is not event)
            at = search.reaches(fewer, goal)
            if at is not None:
                best = History(fewer, at)
    return best if best is history else _numbered(Course(best.events, best.at))


def _numbered(course: Course) -> History:
    """Ids in order; a place among events of one instant only where the ids do not give it."""
    ids = [f"e{number}" for number in range(1, len(course.events) + 1)]
    plain = [attrs.evolve(event, id=name, order=0) for event, name in zip(course.events, ids, strict=True)]
    if plain != sorted(plain, key=lambda event: event.position):
        plain = [attrs.evolve(event, order=number) for number, event in enumerate(plain, start=1)]
    return History(tuple(plain), course.at)
