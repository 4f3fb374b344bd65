"""Definitions as they are kept: one immutable version a row, its body as JSON."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import attrs

from rewardkit.core.definitions.grant_terms import PARTS, Terms
from rewardkit.core.requests.records import Issues, Reward
from rewardkit.core.storing.rows import DefinitionRow
from rewardkit.core.values import payload
from rewardkit.language.condition import Condition
from rewardkit.language.folding.program import Program
from rewardkit.language.zoning import UTC

REWARD, CONDITION, OFFER, PROMOTION = "reward", "condition", "offer", "promotion"


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
    hold: int | None = None
    """Of the terms of its grants; the same below."""
    review: str = ""
    reversal: str = PARTS
    reversal_frees: bool = False

    @cached_property
    def terms(self) -> Terms:
        """What becomes of its grants."""
        return Terms(self.hold, self.review, self.reversal, self.reversal_frees)

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


def offer_body(offer: Offer) -> dict[str, Any]:
    """What a row's body says of an offer."""
    left_out = {"name", "version", "number", "epoch"}
    return {field.name: getattr(offer, field.name) for field in attrs.fields(Offer) if field.name not in left_out}


def reward_of(row: DefinitionRow) -> Reward:
    """The reward of a row."""
    body = payload.read(row.body)
    issues = body.get("issues")
    return Reward(row.name, row.version, body["properties"], issues=Issues(**issues) if issues else None)


def offer_of(row: DefinitionRow) -> Offer:
    """The offer of a row."""
    return Offer(
        name=row.name, version=row.version, number=row.number, epoch=row.epoch, **payload.read(row.body, "offer")
    )
