"""The definitions of a tenant as decisions see them, read from rows once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rewardkit.core.definitions.campaign import Campaign, campaign_of
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_register import Register
from rewardkit.core.folding.members import event_of
from rewardkit.core.storing.needs import DefinitionSet
from rewardkit.core.storing.rows import DefinitionRow, EventRow
from rewardkit.language.event import Event


def catalogue_of(definitions: Iterable[DefinitionRow], epoch: int) -> Catalogue:
    """The definitions as decisions see them."""
    return _read(tuple(sorted(definitions, key=lambda row: row.number)), epoch)


def register_of(definitions: Iterable[DefinitionRow], epoch: int) -> Register:
    """The referral programs of a tenant."""
    return catalogue_of(definitions, epoch).referrals


@lru_cache(4_096)
def campaign_at(row: DefinitionRow, campaign_id: int) -> Campaign:
    """The campaign of a row, read once."""
    return campaign_of(row, campaign_id)


@lru_cache(16_384)
def event_at(row: EventRow) -> Event:
    """The event of a row, read once."""
    return event_of(row)


@lru_cache(8)
def _read(rows: tuple[DefinitionRow, ...], epoch: int) -> Catalogue:
    return Catalogue.of(DefinitionSet(epoch, 0, rows))
