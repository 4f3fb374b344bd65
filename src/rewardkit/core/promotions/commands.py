"""What callers can ask of promotions."""

from __future__ import annotations

import attrs

from rewardkit.core.attempts.limits import LIMITS, AttemptLimits
from rewardkit.core.promotions.entered import PromoEntered
from rewardkit.core.requests.answers import Defined
from rewardkit.core.requests.commands import Command
from rewardkit.core.values.input import masked


@attrs.frozen
class DefinePromotion(Command[Defined]):
    """Say what follows where somebody enters a code of a pool; another outcome takes the place of it.

    Args:
        pool: the pool's name: its codes are for their bearers, or issued to those who may enter them.
        campaign: the name of a campaign whose offer is made, and which says when, to whom and how often.
        coupons: in its place, the name of another pool, a code of which is issued to the user: to each one at most,
            and to all together as many as the pool has.
    """

    pool: str
    campaign: str | None = None
    coupons: str | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class EnterPromoCode(Command[PromoEntered]):
    """Redeem a promo code for a user, and make her the offer or issue her the coupon that it promises, both or neither.

    Every attempt counts, refused ones too: so many a minute, and so many failures before she is locked out for a while.
    Not inside a host's transaction, whose rollback would forget them.

    Args:
        code: as it was typed.
        user: who enters it.
        origin: where it comes from, such as an address of the network; its attempts are limited as well.
        public: whether the answer goes to somebody who may be guessing: then all refusals are the same.
        limits: how many attempts are listened to; the user is the subject.
    """

    code: str = attrs.field(repr=masked)
    user: str
    origin: str = attrs.field(default="", kw_only=True, repr=False)
    public: bool = attrs.field(default=True, kw_only=True)
    limits: AttemptLimits = attrs.field(default=LIMITS, kw_only=True)
