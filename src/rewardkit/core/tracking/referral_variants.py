"""What came of each variant of a referral campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import attrs

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.settling.referral_writing import CAPPED, RECIPIENT, SENDER
from rewardkit.core.storing.needs import ask
from rewardkit.core.tracking.figures import ReferralVariantFigures, SenderGroup
from rewardkit.core.tracking.grant_figures import grant_figures
from rewardkit.core.tracking.lengths import lengths_of
from rewardkit.core.tracking.needs import Referred, TallyCompleting, TallyVariantSides, TallyVariantSpreads
from rewardkit.core.tracking.sender_holdout import group_of
from rewardkit.core.tracking.tallies import GrantTally, LengthTally, ReferralTally, SpreadTally
from rewardkit.core.tracking.variant_order import variants_of


@attrs.frozen
class Funnel:
    """Referrals by what became of them."""

    opened: int
    open: int
    overdue: int
    completed: int
    expired: int
    voided: int
    capped: int


def funnel_of(rows: Iterable[ReferralTally]) -> Funnel:
    """The funnel of all these together."""
    statuses: Counter[str] = Counter()
    overdue = capped = 0
    for row in rows:
        statuses[row.status] += row.number
        overdue += row.number * row.over
        capped += row.number * (row.sender_reward == CAPPED)
    return Funnel(
        opened=statuses.total(),
        open=statuses["open"] - overdue,
        overdue=overdue,
        completed=statuses["completed"],
        expired=statuses["expired"],
        voided=statuses["voided"],
        capped=capped,
    )


@attrs.frozen
class _Counted:
    """What the store counted, of all variants."""

    referrals: Sequence[ReferralTally]
    spreads: Sequence[SpreadTally]
    lengths: Sequence[LengthTally]
    sides: Sequence[tuple[GrantTally, ...]]
    """Of senders, and of recipients."""


def variants_in(
    campaign: ReferralCampaign, of: Referred, referrals: Sequence[ReferralTally], catalogue: Catalogue
) -> Deciding[tuple[ReferralVariantFigures, ...]]:
    """The figures of each variant that a campaign ever had; nothing is asked where it never had any.

    Args:
        campaign: in its newest version.
        of: which referrals are counted.
        referrals: those, by status and variant.
        catalogue: for what rewards cost.
    """
    names = variants_of(campaign, {row.variant for row in referrals})
    if not names:
        return ()
    counted = _Counted(
        referrals,
        (yield from ask(TallyVariantSpreads(of))),
        (yield from ask(TallyCompleting(of, by_variant=True))),
        ((yield from ask(TallyVariantSides(of, SENDER))), (yield from ask(TallyVariantSides(of, RECIPIENT)))),
    )
    return tuple(_figures(name, counted, catalogue) for name in names)


def _figures(variant: str, counted: _Counted, catalogue: Catalogue) -> ReferralVariantFigures:
    funnel = funnel_of(row for row in counted.referrals if row.variant == variant)
    sender_side, recipient_side = (
        grant_figures((row for row in rows if row.group == variant), catalogue) for rows in counted.sides
    )
    spread = next((row for row in counted.spreads if row.variant == variant), None)
    return ReferralVariantFigures(
        variant=variant,
        **attrs.asdict(funnel),
        senders=SenderGroup(0, 0, 0, None, None) if spread is None else group_of(spread),
        time_to_complete=lengths_of([row for row in counted.lengths if row.variant == variant]),
        sender_side=sender_side,
        recipient_side=recipient_side,
    )
