"""Entering promo codes: the code is redeemed and its outcome made, or the attempt is counted and nothing else."""

from __future__ import annotations

from rewardkit.core.attempts.attempt import Attempt
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.definitions.promotion import Promotion
from rewardkit.core.grants.supplying import APPLICATION
from rewardkit.core.offers.offering import enter, member_of
from rewardkit.core.pools.alphabet import read_code
from rewardkit.core.pools.commands import IssueCode, RedeemCode
from rewardkit.core.pools.issuance import Issuance
from rewardkit.core.pools.issuing import issue_unwritten
from rewardkit.core.pools.needs import CodeOf, ListIssuances
from rewardkit.core.pools.numbering import numbered_apart
from rewardkit.core.pools.redeeming import redeem
from rewardkit.core.pools.redemption import Redemption
from rewardkit.core.pools.refusals import UNIFORM, code_unknown
from rewardkit.core.promotions.commands import EnterPromoCode
from rewardkit.core.promotions.entered import PromoEntered
from rewardkit.core.storing.needs import ask
from rewardkit.core.values.input import show, text
from rewardkit.errors import InvariantError, Refused


def enter_promo_code(command: EnterPromoCode, context: Context) -> Deciding[Decision[PromoEntered]]:
    """Count, redeem, and make the offer; what is refused on the way is counted in the same transaction."""
    attempt = Attempt(context, text(command.user, "a user"), command.origin, command.limits)
    return (
        yield from attempt.made(numbered_apart(_entered(command, context)), uniform=UNIFORM if command.public else None)
    )


def _entered(command: EnterPromoCode, context: Context) -> Deciding[Decision[PromoEntered]]:
    """Refusals before the offer is settled have changed nothing; its own says what is to be written all the same."""
    # Known codes and unknown ones lead to the same questions, so that time does not tell them apart.
    catalogue, row = yield from member_of(command.user, context)
    found = yield from ask(CodeOf(read_code(command.code)))
    redeemed = yield from redeem(RedeemCode(command.code, external_issuee_id=command.user), context)
    if found is None:
        raise code_unknown()
    promotion = catalogue.promotions.get(found[1].id)
    if promotion is None:
        sentence = f"the codes of pool `{found[1].name}` are no promo codes: define it with `DefinePromotion`"
        raise Refused("code_not_promotional", sentence, {"pool": found[1].id})
    if isinstance(redeemed.answer, Refused):
        return Decision(redeemed.answer)
    if promotion.campaign is None:
        coupon = yield from _coupon(promotion, redeemed.answer, command.user, context)
        if isinstance(coupon.answer, Refused):
            return Decision(coupon.answer)
        entered = PromoEntered(redeemed.answer, coupon=coupon.answer)
        return Decision(entered, (*coupon.effects, *redeemed.effects), catalogue)
    made = yield from enter(catalogue.campaigns[promotion.campaign], catalogue, row, context, record=True)
    if isinstance(made.answer, Refused):
        return Decision(made.answer, made.effects, made.catalogue)
    return Decision(PromoEntered(redeemed.answer, made.answer), (*made.effects, *redeemed.effects), made.catalogue)


def _coupon(promotion: Promotion, redemption: Redemption, user: str, context: Context) -> Deciding[Decision[Issuance]]:
    """A code of the promotion's pool that the user did not have."""
    if promotion.coupons is None:
        raise InvariantError("a promotion has neither a campaign nor coupons")
    reference = f"redemption/{redemption.id}"
    command = IssueCode(
        promotion.coupons, user, referring_application=APPLICATION, referring_application_ref_id=reference
    )
    issued = yield from issue_unwritten(command, promotion.coupons, context)
    if isinstance(issued.answer, Refused):
        return issued
    # Whoever has a code of a pool is issued the same one again, which takes nothing: it is not promised twice.
    before = yield from ask(ListIssuances(read_code(issued.answer.code), issued.answer.issuee_id, -1, 1))
    if any(row.id != issued.answer.id for row in before):
        pool = promotion.coupons
        return Decision(Refused("coupon_had", f"user `{show(user)}` has a coupon of this promotion", {"pool": pool}))
    return issued
