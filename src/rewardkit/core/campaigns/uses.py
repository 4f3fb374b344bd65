"""Campaigns as they stand, and what is taken of their caps and budgets."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.definitions.budget import money
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.requests.queries import Campaigns, CampaignUse
from rewardkit.core.storing.needs import Counters, ask


def campaigns(query: Campaigns, context: Context) -> Deciding[Decision[tuple[CampaignUse, ...]]]:
    """All campaigns and the use of their caps."""
    catalogue = yield from newest(context)
    found = [catalogue.campaigns[name] for name in sorted(catalogue.campaigns)]
    return Decision((yield from uses_of(found)), (), catalogue)


def uses_of(found: Sequence[Campaign]) -> Deciding[tuple[CampaignUse, ...]]:
    """What is taken of the caps and the budgets of these campaigns."""
    rows = yield from ask(
        Counters(tuple(sorted({name for one in found for name in (one.counter, one.budget_counter)})))
    )
    taken = {row.name: (row.reserved, row.confirmed) for row in rows}

    def use(campaign: Campaign) -> CampaignUse:
        reserved, confirmed = taken.get(campaign.counter, (0, 0))
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
        )

    return tuple(map(use, found))
