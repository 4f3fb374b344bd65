"""Referral campaigns in the list of all campaigns."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.budget import money
from rewardkit.core.definitions.entry_places import EVER, place_counter
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.requests.queries import REFERRALS, CampaignUse
from rewardkit.core.storing.needs import Counters, ask
from rewardkit.language.event import moment


def referral_uses(found: Sequence[ReferralCampaign], at: int) -> Deciding[tuple[CampaignUse, ...]]:
    """These referral campaigns as they stand at an instant, and what is taken of caps of all time and budgets."""
    names = {place_counter(one.name, EVER) for one in found if one.cap is not None}
    names |= {one.budget_counter for one in found if one.budget is not None}
    rows = (yield from ask(Counters(tuple(sorted(names))))) if names else ()
    taken = {row.name: (row.reserved, row.confirmed) for row in rows}

    def use(campaign: ReferralCampaign) -> CampaignUse:
        reserved, confirmed = taken.get(place_counter(campaign.name, EVER), (0, 0))
        committed, spent = taken.get(campaign.budget_counter, (0, 0))
        start = campaign.launched_at if campaign.start is None else campaign.start
        return CampaignUse(
            name=campaign.name,
            version=campaign.version,
            status=campaign.status,
            offer="",
            cap=campaign.cap,
            reserved=reserved,
            confirmed=confirmed,
            variants=tuple(variant.name for variant in campaign.variants),
            budget=None if campaign.budget is None else money(campaign.money),
            committed=money(committed),
            spent=money(spent),
            kind=REFERRALS,
            program=campaign.program,
            start=None if start is None else moment(start),
            end=None if campaign.end is None else moment(campaign.end),
            is_open=campaign.is_open_at(at),
        )

    return tuple(map(use, found))
