"""Reports, as they are asked for; see `rewardkit.core.requests.queries`."""

from __future__ import annotations

import attrs

from rewardkit.core.requests.queries import Query
from rewardkit.core.tracking.figures import CampaignFigures, ReferralFigures


@attrs.frozen
class CampaignReport(Query[CampaignFigures]):
    """What came of a campaign of offers, by variant, against the users who were held out.

    The store counts; what is asked and answered does not grow with the users. It reads all user offers and grants of
    the tenant, so ask where nobody waits for it.
    """

    campaign: str


@attrs.frozen
class ReferralReport(Query[ReferralFigures]):
    """What came of referrals: of a program, of a referral campaign, or of both.

    A campaign by itself is compared with the senders who were held out of it: whether more of the referrals were
    completed, and how many each sender brought, of those who referred at all. Whether more senders referred cannot be
    told, since nobody is recorded who might have; nor whether other friends were asked.

    Args:
        program: counts its referrals, in all its versions.
        campaign: counts those that this referral campaign chose the program of.
        top: how many senders are listed, at most 100.
    """

    program: str | None = None
    campaign: str | None = attrs.field(default=None, kw_only=True)
    top: int = attrs.field(default=10, kw_only=True)
