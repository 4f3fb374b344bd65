"""The shares that a campaign has held out: of users, or of senders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.referral_campaign import ReferralCampaign

SHARE_CHANGED: Final = (
    "the share that is held out was changed while the campaign was live:"
    " the two groups did not come in at the same times"
)


def shares_while_live(versions: Iterable[Campaign | ReferralCampaign]) -> frozenset[int]:
    """Every share that was held out by a version that was launched, in millionths."""
    return frozenset(version.holdout for version in versions if version.launched_at is not None)
