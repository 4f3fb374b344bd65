"""Defining which pool's codes lead to which campaign."""

from __future__ import annotations

from rewardkit.core.answers import Defined
from rewardkit.core.context import Context
from rewardkit.core.defining import unknown
from rewardkit.core.definitions import PROMOTION
from rewardkit.core.draft import Draft
from rewardkit.core.input import text
from rewardkit.core.pools.refusals import pool_unknown
from rewardkit.core.promotions.commands import DefinePromotion


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
