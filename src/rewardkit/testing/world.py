"""Worlds that random histories happen in: spans of microseconds, or days around the traps of a zone's calendar."""

from __future__ import annotations

import random
from datetime import date, timedelta

import attrs

from rewardkit.language import tree
from rewardkit.language.civil import first_instant, local_date
from rewardkit.language.event import Event, Instant
from rewardkit.testing.samples import NAMES, SPANS, random_properties

HOUR = 3_600_000_000
DAY = 24 * HOUR


@attrs.frozen
class World:
    """Where instants and spans come from."""

    start: Instant
    zone: str
    spans: tuple[Instant, ...]
    calendar: tuple[tree.Calendar, ...] = ()
    units: tuple[str, ...] = ("day",)
    dates: tuple[str, ...] = ()
    gaps: tuple[Instant, ...] = ()
    """Microseconds from one event to the next; by default the spans and their near neighbours."""


MICROSECONDS = World(1_000, "UTC", SPANS)

_TRAPS = (
    ("Europe/Berlin", date(2024, 3, 30)),
    ("Europe/Berlin", date(2024, 10, 26)),
    ("America/Sao_Paulo", date(2018, 11, 3)),
    ("America/Havana", date(2023, 11, 4)),
    ("Pacific/Apia", date(2011, 12, 29)),
    ("UTC", date(2024, 1, 30)),
    ("UTC", date(2023, 12, 31)),
)


def random_world(chance: random.Random) -> World:
    """A few days around a change of the clocks, a missing date, or the end of a month."""
    zone, day = chance.choice(_TRAPS)
    return World(
        start=first_instant(day, zone) + chance.choice((0, 0, 12 * HOUR, 23 * HOUR, -1)),
        zone=zone,
        spans=(12 * HOUR, DAY, 2 * DAY),
        calendar=(
            tree.Calendar(1, "day"),
            tree.Calendar(2, "day"),
            tree.Calendar(3, "day"),
            tree.Calendar(1, "week"),
            tree.Calendar(1, "month"),
        ),
        units=("day", "day", "week", "month", "quarter", "year"),
        dates=tuple((day + timedelta(days=after)).isoformat() for after in range(4)),
        gaps=(0, 1, HOUR, 11 * HOUR, 12 * HOUR, 23 * HOUR, DAY - 1, DAY, DAY + 1, 25 * HOUR, 2 * DAY),
    )


def civil_history(chance: random.Random, world: World, length: int = 8) -> list[Event]:
    """Events around the start of a world, many of them at a midnight of its zone or a microsecond before it."""
    at = world.start - chance.choice((0, 0, HOUR, DAY))
    events = []
    for number in range(chance.randint(0, length)):
        at += chance.choice(world.gaps)
        if chance.random() < 0.3:
            at = _midnight_after(at, world.zone) - chance.choice((0, 0, 1))
        events.append(
            Event(
                chance.choice(NAMES),
                at,
                f"e{chance.randrange(100)}-{number}",
                order=chance.choice((0, 0, 0, 1)),
                properties=random_properties(chance),
            )
        )
    return sorted(events, key=lambda event: event.position)


def _midnight_after(at: Instant, zone: str) -> Instant:
    return first_instant(local_date(at, zone) + timedelta(days=1), zone)
