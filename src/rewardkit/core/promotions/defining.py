"""Defining which pool's codes lead to which campaign."""

from __future__ import annotations

from rewardkit.core.deciding.context import Context
from rewardkit.core.definitions.offer import PROMOTION
from rewardkit.core.drafts.defining import unknown
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.pools.refusals import pool_unknown
from rewardkit.core.promotions.commands import DefinePromotion
from rewardkit.core.requests.answers import Defined
from rewardkit.core.values.input import text


def define_promotion(command: DefinePromotion, draft: Draft, context: Context) -> Defined:
    """A new version where the campaign differs; a pool has one at a time."""
    pool, campaign = text(command.pool, "a pool's name"), text(command.campaign, "a campaign's name")
    if pool not in draft.pools:
        raise pool_unknown(pool)
    if campaign not in draft.catalogue.campaigns:
        raise unknown("campaign", campaign, draft.catalogue.campaigns)
    pool_id = draft.pools[pool]
    version, known = draft.catalogue.promotions.get(pool_id, (0, ""))
    name = str(pool_id)
    if known == campaign:
        return Defined(PROMOTION, name, version, new=False)
    draft.add(PROMOTION, name, version + 1, {"campaign": campaign})
    return Defined(PROMOTION, name, version + 1, new=True)
