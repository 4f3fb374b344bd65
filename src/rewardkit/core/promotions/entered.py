"""What entering a promo code came to."""

from __future__ import annotations

import attrs

from rewardkit.core.pools.issuance import Issuance
from rewardkit.core.pools.redemption import Redemption
from rewardkit.core.requests.records import UserOffer


@attrs.frozen
class PromoEntered:
    """A promo code was redeemed, and one of the two was made for its user."""

    redemption: Redemption
    offer: UserOffer | None = None
    """The offer of the promotion's campaign."""
    coupon: Issuance | None = None
    """The code that was issued to her."""
