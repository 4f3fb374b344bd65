"""Campaigns as they stand, and what is taken of their caps and budgets."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.budget import money
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.requests.queries import CampaignUse
from rewardkit.core.storing.needs import Counters, ask
from rewardkit.language.event import moment


def uses_of(found: Sequence[Campaign], at: int) -> Deciding[tuple[CampaignUse, ...]]:
    """These campaigns as they stand at an instant, and what is taken of their caps and budgets."""
    rows = yield from ask(
        Counters(tuple(sorted({name for one in found for name in (one.counter, one.budget_counter)})))
    )
    taken = {row.name: (row.reserved, row.confirmed) for row in rows}

    def use(campaign: Campaign) -> CampaignUse:
        reserved, confirmed = taken.get(campaign.counter, (0, 0))
        start = campaign.launched_at if campaign.start is None else campaign.start
        committed, spent = taken.get(campaign.budget_counter, (0, 0))
        return CampaignUse(
            campaign.name,
            campaign.version,
            campaign.status,
            campaign.offer,
            campaign.cap,
            reserved,
            confirmed,
            tuple(variant.name for variant in campaign.variants),
            None if campaign.budget is None else money(campaign.money),
            money(committed),
            money(spent),
            start=None if start is None else moment(start),
            end=None if campaign.end is None else moment(campaign.end),
            is_open=campaign.creates_at(at),
        )

    return tuple(map(use, found))
