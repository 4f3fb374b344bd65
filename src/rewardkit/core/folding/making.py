"""What a fold brings about: offers that were made, and how they, and earlier ones, ended."""

from __future__ import annotations

import attrs

from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.offer import Offer
from rewardkit.core.definitions.taking import Taking
from rewardkit.core.folding.active import Active
from rewardkit.errors import InvariantError
from rewardkit.language.event import Position
from rewardkit.language.folding.program import PENDING, SATISFIED, Program, State

HELD_OUT = "held_out"
"""The status of what is recorded of a user who gets no offer, until her condition is decided."""

WITHOUT_OFFER = {"earned": "converted", "expired": "lapsed"}
"""What the outcome of a condition is called where there was no offer."""


@attrs.frozen
class Outcome:
    """How a user offer ended."""

    status: str
    """`earned`, `expired` or `cancelled`."""
    at: int
    event_id: str
    reason: str


@attrs.define
class Making:
    """An offer made to the user in this fold."""

    user: str
    campaign: Campaign
    offer: Offer
    entry: int
    start: Position
    ends_at: int | None
    taking: Taking
    variant: str = ""
    held_out: bool = False
    """Recorded to compare with: there is no offer, and nothing is told, taken or granted."""
    outcome: Outcome | None = None
    denied: bool = False
    funded: bool = True
    """Whether its budget covers what was earned."""
    full: str = ""
    """The counter that had no room, where it was denied."""


@attrs.define
class Ending:
    """A user offer, made earlier, that ended in this fold."""

    campaign: Campaign
    offer: Offer
    active: Active
    outcome: Outcome
    funded: bool = True
    """Whether its budget covers what was earned."""


def status_of(outcome: Outcome, *, held_out: bool) -> str:
    """The status of a user offer, or of what is recorded in its place, that ended so."""
    return WITHOUT_OFFER[outcome.status] if held_out else outcome.status


def outcome_of(program: Program, state: State, event_id: str) -> Outcome | None:
    if state.status == PENDING:
        return None
    if state.decided_at is None:
        raise InvariantError("a condition was decided at no instant")
    status = "earned" if state.status == SATISFIED else "expired"
    return Outcome(status, state.decided_at, event_id, program.verdict(state).reason)
