"""Entering promo codes: the code is redeemed and the offer made, or the attempt is counted and nothing else happens."""

from __future__ import annotations

from rewardkit.core.attempts.attempt import Attempt
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.offers.offering import enter, member_of
from rewardkit.core.pools.alphabet import read_code
from rewardkit.core.pools.commands import RedeemCode
from rewardkit.core.pools.needs import CodeOf
from rewardkit.core.pools.redeeming import redeem
from rewardkit.core.pools.refusals import UNIFORM, code_unknown
from rewardkit.core.promotions.commands import EnterPromoCode
from rewardkit.core.requests.records import UserOffer
from rewardkit.core.storing.needs import ask
from rewardkit.core.values.input import text
from rewardkit.errors import Refused


def enter_promo_code(command: EnterPromoCode, context: Context) -> Deciding[Decision[UserOffer]]:
    """Count, redeem, and make the offer; what is refused on the way is counted in the same transaction."""
    attempt = Attempt(context, text(command.user, "a user"), command.origin, command.limits)
    return (yield from attempt.made(_entered(command, context), uniform=UNIFORM if command.public else None))


def _entered(command: EnterPromoCode, context: Context) -> Deciding[Decision[UserOffer]]:
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
    campaign = catalogue.campaigns[promotion[1]]
    if isinstance(redeemed.answer, Refused):
        return Decision(redeemed.answer)
    made = yield from enter(campaign, catalogue, row, context, record=True)
    if isinstance(made.answer, Refused):
        return made
    return Decision(made.answer, (*made.effects, *redeemed.effects), made.catalogue)
