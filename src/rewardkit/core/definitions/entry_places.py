"""What a referral takes of its campaign's limits at its entry, as its row and its recipient's keep it.

A place under each cap, and of a budget that stops the campaign the money that both sides' rewards cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

EVER: Final = "ever"
"""The place under the cap of all time; others are a unit of the calendar and the first date of the period."""

BUDGET: Final = "budget"
"""What the place in a budget begins with; behind it stand the costs of the sender's and of the recipient's reward."""

ENTRIES: Final = "at-entry/"
"""What the names of these counters begin with: they sort before all others, as they are taken before all others in a
transaction, so that nobody waits in a circle.
"""

_BETWEEN = ","


class Held(NamedTuple):
    """What a referral has taken of one counter."""

    counter: str
    always: int
    """What a completion keeps, whatever becomes of the sender's reward."""
    of_sender: int = 0
    """What it keeps beside that where the sender is rewarded."""


def money_place(sender: int, recipient: int) -> str:
    """The place of two rewards in a budget, whose costs are in ten-thousandths."""
    return f"{BUDGET} {sender} {recipient}"


def place_counter(campaign: str, place: str) -> str:
    """The name of the counter that counts a campaign's places of one kind, or its money."""
    return f"{ENTRIES}{BUDGET if unit_of(place) == BUDGET else place}/{campaign}"


def held_of(campaign: str, place: str) -> Held:
    """What a place takes of its counter."""
    counter = place_counter(campaign, place)
    if unit_of(place) != BUDGET:
        return Held(counter, 1)
    _, sender, recipient = place.split(" ")
    return Held(counter, int(recipient), int(sender))


def together(places: Iterable[str]) -> str:
    """Places as one text; empty where there are none."""
    return _BETWEEN.join(places)


def all_held(campaign: str, places: str) -> tuple[Held, ...]:
    """What places that were put together take."""
    return tuple(held_of(campaign, place) for place in places.split(_BETWEEN)) if places else ()


def unit_of(place: str) -> str:
    """The unit of the calendar that a place is counted by; empty where it is all time."""
    return "" if place == EVER else place.partition(" ")[0]
