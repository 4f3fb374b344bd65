"""The variants of a campaign as a report lists them."""

from __future__ import annotations

from collections.abc import Container

from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.referral_campaign import ReferralCampaign


def variants_of(campaign: Campaign | ReferralCampaign, counted: Container[str]) -> tuple[str, ...]:
    """All that it ever had, in their order; with what it made while it had none, where there is any."""
    known = tuple(sorted(campaign.numbers, key=lambda name: campaign.numbers[name]))
    return ("", *known) if known and "" in counted else known
