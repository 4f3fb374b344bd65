"""The places that a referral takes under its campaign's caps, as its row and its recipient's keep them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

EVER: Final = "ever"
"""The place under the cap of all time; others are a unit of the calendar and the first date of the period."""

ENTRIES: Final = "at-entry/"
"""What the names of these counters begin with: they sort before all others, as they are taken before all others in a
transaction, so that nobody waits in a circle.
"""

_BETWEEN = ","


def place_counter(campaign: str, place: str) -> str:
    """The name of the counter that counts a campaign's places of one kind."""
    return f"{ENTRIES}{place}/{campaign}"


def together(places: Iterable[str]) -> str:
    """Places as one text; empty where there are none."""
    return _BETWEEN.join(places)


def place_counters(campaign: str, places: str) -> tuple[str, ...]:
    """The counters of places that were put together."""
    return tuple(place_counter(campaign, place) for place in places.split(_BETWEEN)) if places else ()


def unit_of(place: str) -> str:
    """The unit of the calendar that a place is counted by; empty where it is all time."""
    return "" if place == EVER else place.partition(" ")[0]
