"""A campaign as it is kept: who gets which offer, when and how; one immutable version a row, its body as JSON."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import attrs

from rewardkit.core import payload
from rewardkit.core.rows import DefinitionRow
from rewardkit.language.condition import Condition
from rewardkit.language.folding.program import Program, State
from rewardkit.language.zoning import UTC

CAMPAIGN = "campaign"


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


def campaign_of(row: DefinitionRow, campaign_id: int) -> Campaign:
    """The campaign of a row."""
    body = payload.read(row.body, "campaign")
    return Campaign(id=campaign_id, name=row.name, version=row.version, epoch=row.epoch, **body)
