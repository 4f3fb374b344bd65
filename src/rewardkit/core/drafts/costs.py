"""What campaigns with a budget give has a cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rewardkit.core.definitions.budget import cost_of
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.errors import Refused


def require_costs(catalogue: Catalogue) -> None:
    """Every reward that a campaign with a budget gives says what it costs.

    Raises:
        Refused: one does not.
    """
    known: tuple[Campaign | ReferralCampaign, ...]
    known = *catalogue.campaigns.values(), *catalogue.referrals.campaigns.values()
    for campaign in known:
        if campaign.budget is None or campaign.status == "ended":
            continue
        for kind, name, reward, version in _given(campaign, catalogue):
            if not cost_of(catalogue.reward_versions[reward, version]):
                facts: dict[str, Any] = {"campaign": campaign.name, kind: name, "reward": reward}
                raise Refused(
                    "cost_unknown",
                    f"reward `{reward}` has no `amount` among its properties, of at most four decimals above 0,"
                    f" and campaign `{campaign.name}`, which gives it, has a budget",
                    facts,
                )


def _given(campaign: Campaign | ReferralCampaign, catalogue: Catalogue) -> Iterator[tuple[str, str, str, int]]:
    """Each reward and its version, behind the kind and the name of the definition that gives it."""
    if isinstance(campaign, Campaign):
        for name in sorted(campaign.offers):
            offer = catalogue.offers[name]
            yield "offer", name, offer.reward, offer.reward_version
        return
    for name in sorted(campaign.programs):
        program = catalogue.referrals.programs[name]
        yield "program", name, program.sender_reward, program.sender_reward_version
        yield "program", name, program.recipient_reward, program.recipient_reward_version
