"""What follows where a code of a pool is entered as a promo code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class Promotion:
    """The newest terms of a pool's promo codes: a campaign whose offer they make, or a pool that gives a coupon."""

    version: int
    campaign: str | None = None
    coupons: int | None = None
    """The id of the pool whose codes are the coupons."""

    @classmethod
    def of(cls, version: int, body: Mapping[str, Any]) -> Promotion:
        """Of a definition's body."""
        return cls(version, body.get("campaign"), body.get("coupons"))

    @property
    def body(self) -> dict[str, Any]:
        """What is kept of it."""
        return {
            key: value for key, value in (("campaign", self.campaign), ("coupons", self.coupons)) if value is not None
        }
