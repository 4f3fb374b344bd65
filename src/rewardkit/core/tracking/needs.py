"""What reports ask: the store counts, by one statement a need, and answers with few rows."""

from __future__ import annotations

from typing import Final

import attrs

from rewardkit.core.storing.needs import Need
from rewardkit.core.tracking.tallies import (
    DepthTally,
    GrantTally,
    LengthTally,
    OfferTally,
    ReferralTally,
    SenderTally,
    SpreadTally,
    TermsTally,
    UserTally,
)

PERCENTS: Final = (25, 50, 75, 90)
"""The quantiles of a report, beside the least and the greatest."""

DEEPEST: Final = 64
"""How deep chains are followed: nobody reads further, and a circle has no end."""


def places(count: int) -> tuple[int, ...]:
    """The places of the least, of the quantiles by the nearest rank, and of the greatest, in a sorted list."""
    return (1, *(-(-count * percent // 100) for percent in PERCENTS), count)


@attrs.frozen
class TallyOffers(Need[tuple[OfferTally, ...]]):
    """User offers of a campaign, by variant, status, and whether they are over by now."""

    campaign: str
    now: int


@attrs.frozen
class TallyUsers(Need[tuple[UserTally, ...]]):
    """Users of a campaign who were offered something or held out, by variant or all together; not the capped ones."""

    campaign: str
    by_variant: bool


@attrs.frozen
class TallyEarning(Need[tuple[LengthTally, ...]]):
    """How long it took to earn the earned user offers of a campaign, at the `places` of each list."""

    campaign: str
    by_variant: bool


@attrs.frozen
class TallyGrants(Need[tuple[GrantTally, ...]]):
    """Grants earned by a campaign's offers, by variant, version of the reward and status."""

    campaign: str


@attrs.frozen
class Referred:
    """Which referrals are counted: each filter that is given holds; at least one is."""

    program: str | None
    campaign: str | None
    held_out: str | None = None
    """The campaign that their senders were held out of; empty is none."""

    @property
    def filters(self) -> dict[str, str]:
        """Those that are given, by column."""
        all_three = {"program": self.program, "campaign": self.campaign, "held_out": self.held_out}
        return {column: value for column, value in all_three.items() if value is not None}


@attrs.frozen
class TallyReferrals(Need[tuple[ReferralTally, ...]]):
    """Referrals by status, what became of the sender's reward, whether they are over by now, and variant."""

    of: Referred
    now: int


@attrs.frozen
class TallyCompleting(Need[tuple[LengthTally, ...]]):
    """How long it took to complete the completed referrals, at the `places` of each list."""

    of: Referred
    by_variant: bool = False


@attrs.frozen
class TallySenders(Need[tuple[SenderTally, ...]]):
    """The senders who have completed most referrals, then opened most, then by name."""

    of: Referred
    limit: int


@attrs.frozen
class TallySpread(Need[SpreadTally]):
    """Referrals, and how they are spread over their senders."""

    of: Referred


@attrs.frozen
class TallyVariantSpreads(Need[tuple[SpreadTally, ...]]):
    """The same by variant of their campaign, each with referrals."""

    of: Referred


@attrs.frozen
class TallyTerms(Need[tuple[TermsTally, ...]]):
    """Referrals by the version of the program whose terms they have."""

    of: Referred


@attrs.frozen
class TallySides(Need[tuple[GrantTally, ...]]):
    """Grants of both sides of referrals, by side, version of the reward and status; no grant knows `held_out`."""

    of: Referred


@attrs.frozen
class TallyVariantSides(Need[tuple[GrantTally, ...]]):
    """Grants of one side of referrals, by variant of their campaign, version of the reward and status."""

    of: Referred
    side: str


@attrs.frozen
class TallyDepths(Need[tuple[DepthTally, ...]]):
    """Referrals by how deep they are, from 1 up to `DEEPEST`; circles are in none."""

    of: Referred


@attrs.frozen
class ChainInto(Need[tuple[str, ...]]):
    """Who referred whom, from the first sender down to this recipient: at most `DEEPEST` steps up."""

    of: Referred
    recipient: str
