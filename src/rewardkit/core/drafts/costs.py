"""What campaigns with a budget give has a cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewardkit.core.definitions.budget import cost_of
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.offer import Offer
from rewardkit.core.requests.records import Reward
from rewardkit.errors import Refused


def require_costs(
    campaigns: Mapping[str, Campaign],
    offers: Mapping[str, Offer],
    rewards: Mapping[tuple[str, int], Reward],
) -> None:
    """Every reward that a campaign with a budget gives says what it costs.

    Raises:
        Refused: one does not.
    """
    for campaign in campaigns.values():
        if campaign.budget is None or campaign.status == "ended":
            continue
        for name in sorted(campaign.offers):
            offer = offers[name]
            if not cost_of(rewards[offer.reward, offer.reward_version]):
                facts: dict[str, Any] = {"campaign": campaign.name, "offer": name, "reward": offer.reward}
                raise Refused(
                    "cost_unknown",
                    f"reward `{offer.reward}` has no `amount` among its properties, of at most four decimals above 0,"
                    f" and campaign `{campaign.name}`, which gives it, has a budget",
                    facts,
                )
