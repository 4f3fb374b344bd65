"""Defining what follows where a code of a pool is entered."""

from __future__ import annotations

from rewardkit.core.deciding.context import Context
from rewardkit.core.definitions.offer import PROMOTION
from rewardkit.core.definitions.promotion import Promotion
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.drafts.unknown_campaign import no_offer_campaign
from rewardkit.core.pools.refusals import pool_unknown
from rewardkit.core.promotions.commands import DefinePromotion
from rewardkit.core.requests.answers import Defined
from rewardkit.core.values.input import text
from rewardkit.errors import ValidationError


def define_promotion(command: DefinePromotion, draft: Draft, _context: Context) -> Defined:
    """A new version where the outcome differs; a pool has one at a time."""
    pool = text(command.pool, "a pool's name")
    if pool not in draft.pools:
        raise pool_unknown(pool)
    if (command.campaign is None) == (command.coupons is None):
        raise ValidationError("a promotion makes the offer of a `campaign`, or issues `coupons` of a pool: name one")
    known = draft.catalogue.promotions.get(draft.pools[pool], Promotion(0))
    promotion = _promotion(command, draft, known.version)
    if promotion == known:
        return Defined(PROMOTION, pool, known.version, new=False)
    # Under its id: a pool that is renamed keeps its promotion.
    draft.add(PROMOTION, str(draft.pools[pool]), known.version + 1, promotion.body)
    return Defined(PROMOTION, pool, known.version + 1, new=True)


def _promotion(command: DefinePromotion, draft: Draft, version: int) -> Promotion:
    if command.coupons is None:
        campaign = text(command.campaign, "campaign")
        if campaign not in draft.catalogue.campaigns:
            raise no_offer_campaign(campaign, draft.catalogue, "a promo code makes an offer, so name one of offers")
        return Promotion(version, campaign=campaign)
    coupons = text(command.coupons, "coupons")
    if coupons not in draft.pools:
        raise pool_unknown(coupons)
    if coupons == command.pool:
        raise ValidationError("coupons are codes of another pool than the promo codes themselves")
    return Promotion(version, coupons=draft.pools[coupons])
