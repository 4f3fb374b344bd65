"""Definitions as they are kept: one immutable version a row, its body as JSON."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import attrs

from rewardkit.core import payload
from rewardkit.core.records import Reward
from rewardkit.core.rows import DefinitionRow
from rewardkit.language.condition import Condition
from rewardkit.language.folding.program import Program, State
from rewardkit.language.zoning import UTC

REWARD, CONDITION, OFFER, CAMPAIGN = "reward", "condition", "offer", "campaign"


@attrs.frozen(slots=False)
class Offer:
    """A version of an offer: reward + condition, pinned."""

    name: str
    version: int
    number: int
    """Unique over all definitions of the tenant; what packed progress refers to."""
    epoch: int
    """That began with this version."""
    reward: str
    reward_version: int
    condition: str
    """Canonical text with every `@name` inlined."""
    source: str
    """As it was written."""
    expires_after: int | None
    """Microseconds."""

    @cached_property
    def names(self) -> frozenset[str]:
        """The events that its condition listens to."""
        return self.program_in(UTC).names

    def program_in(self, zone: str) -> Program:
        """The compiled condition in a campaign's zone; one for all zones where it has no civil time."""
        program = self._programs.get(zone)
        if program is None:
            program = self._programs[zone] = Condition.parse(self.condition).program(zone=zone)
        return program

    @cached_property
    def _programs(self) -> dict[str, Program]:
        return {}


@attrs.frozen(slots=False)
class Campaign:
    """A version of a campaign."""

    id: int
    """The same for all versions: which campaign of the tenant it was, from 0."""
    name: str
    version: int
    epoch: int
    """That began with this version."""
    offer: str
    entry: str | None
    """Canonical text with every `@name` inlined."""
    entry_source: str | None
    code: str | None
    """In upper case."""
    start: int | None
    end: int | None
    cap: int | None
    user_cap: int
    status: str
    """`draft`, `live` or `ended`."""
    launched_at: int | None
    zone: str = UTC
    """Of the calendar of its entry condition and its offers; pinned by the launch, since packed states belong to it."""

    @cached_property
    def program(self) -> Program:
        """The compiled entry condition.

        Raises:
            ValueError: there is none.
        """
        if self.entry is None:
            raise ValueError(f"campaign `{self.name}` has no entry condition")
        return Condition.parse(self.entry).program(scope="open", zone=self.zone)

    @cached_property
    def opening(self) -> State:
        """The entry condition's state before any event."""
        return self.program.start(None)

    @property
    def opens_at(self) -> int:
        """The first instant at which it makes offers.

        Raises:
            ValueError: it is a draft.
        """
        if self.launched_at is None:
            raise ValueError(f"campaign `{self.name}` is a draft")
        return self.launched_at if self.start is None else self.start

    def creates_at(self, at: int) -> bool:
        """Whether it makes offers at this instant: from its start on, up to but not at its end."""
        return self.launched_at is not None and self.opens_at <= at and (self.end is None or at < self.end)

    @property
    def counter(self) -> str:
        """The name of the counter behind its cap."""
        return f"campaign/{self.name}"

    def body(self) -> dict[str, Any]:
        """What a row's body says; name, version and epoch stand beside it."""
        left_out = {"name", "version", "epoch", "id"}
        return {field.name: getattr(self, field.name) for field in attrs.fields(Campaign) if field.name not in left_out}


def offer_body(offer: Offer) -> dict[str, Any]:
    """What a row's body says of an offer."""
    left_out = {"name", "version", "number", "epoch"}
    return {field.name: getattr(offer, field.name) for field in attrs.fields(Offer) if field.name not in left_out}


def reward_of(row: DefinitionRow) -> Reward:
    """The reward of a row."""
    return Reward(row.name, row.version, payload.read(row.body)["properties"])


def offer_of(row: DefinitionRow) -> Offer:
    """The offer of a row."""
    return Offer(
        name=row.name, version=row.version, number=row.number, epoch=row.epoch, **payload.read(row.body, "offer")
    )


def campaign_of(row: DefinitionRow, campaign_id: int) -> Campaign:
    """The campaign of a row."""
    body = payload.read(row.body, "campaign")
    return Campaign(id=campaign_id, name=row.name, version=row.version, epoch=row.epoch, **body)
