"""Answering `CampaignReport`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs

from rewardkit.core.campaigns.uses import uses_of
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.drafts.unknown_campaign import no_offer_campaign
from rewardkit.core.storing.needs import ask
from rewardkit.core.tracking.figures import CampaignFigures, Holdout, VariantFigures
from rewardkit.core.tracking.grant_figures import grant_figures
from rewardkit.core.tracking.interval import difference
from rewardkit.core.tracking.lengths import lengths_of
from rewardkit.core.tracking.needs import TallyEarning, TallyGrants, TallyOffers, TallyUsers
from rewardkit.core.tracking.queries import CampaignReport
from rewardkit.core.tracking.shares import SHARE_CHANGED, shares_while_live
from rewardkit.core.tracking.tallies import GrantTally, LengthTally, OfferTally, UserTally
from rewardkit.core.tracking.variant_order import variants_of
from rewardkit.core.values.input import text
from rewardkit.language.event import moment

ACTIVE, HELD_OUT = "active", "held_out"


@attrs.frozen
class _Counted:
    """What the store counted of one variant, or of all."""

    offers: Sequence[OfferTally]
    users: Sequence[UserTally]
    lengths: Sequence[LengthTally]
    grants: Sequence[GrantTally]

    def of(self, variant: str) -> _Counted:
        """What of it belongs to a variant."""
        return _Counted(
            [row for row in self.offers if row.variant == variant],
            [row for row in self.users if row.variant == variant],
            [row for row in self.lengths if row.variant == variant],
            [row for row in self.grants if row.group == variant],
        )

    @property
    def variants(self) -> frozenset[str]:
        """Every variant that something was counted of."""
        return frozenset(row.variant for row in self.offers)


def campaign_report(query: CampaignReport, context: Context) -> Deciding[Decision[CampaignFigures]]:
    """What the store counts of a campaign, put together."""
    name = text(query.campaign, "a campaign's name")
    catalogue = yield from newest(context)
    campaign = _known(name, catalogue)
    offers = yield from ask(TallyOffers(name, context.at))
    grants = yield from ask(TallyGrants(name))
    together = _Counted(
        offers,
        (yield from ask(TallyUsers(name, by_variant=False))),
        (yield from ask(TallyEarning(name, by_variant=False))),
        grants,
    )
    (use,) = yield from uses_of((campaign,), context.at)
    apart, names = together, variants_of(campaign, together.variants)
    if names:
        users = yield from ask(TallyUsers(name, by_variant=True))
        apart = _Counted(offers, users, (yield from ask(TallyEarning(name, by_variant=True))), grants)
    total = _figures("", together, catalogue)
    figures = CampaignFigures(
        campaign=name,
        at=moment(context.at),
        use=use,
        total=total,
        variants=tuple(_figures(variant, apart.of(variant), catalogue) for variant in names),
        cautions=_cautions(total, _shares(campaign, catalogue)) if total.holdout.users else (),
    )
    return Decision(figures, (), catalogue)


def _known(name: str, catalogue: Catalogue) -> Campaign:
    campaign = catalogue.campaigns.get(name)
    if campaign is not None:
        return campaign
    raise no_offer_campaign(name, catalogue, "ask for `ReferralReport(campaign=…)`")


def _figures(variant: str, counted: _Counted, catalogue: Catalogue) -> VariantFigures:
    statuses: Counter[str] = Counter()
    overdue = 0
    for row in counted.offers:
        late = bool(row.over) and row.status == ACTIVE
        overdue += row.number * late
        statuses[row.status] += row.number * (not late)
    offered = next((row for row in counted.users if not row.held_out), UserTally(variant, 0, 0, 0))
    held_out = next((row for row in counted.users if row.held_out), UserTally(variant, 1, 0, 0))
    active, earned, expired, cancelled = (statuses[one] for one in (ACTIVE, "earned", "expired", "cancelled"))
    return VariantFigures(
        variant=variant,
        offered=active + overdue + earned + expired + cancelled,
        active=active,
        overdue=overdue,
        earned=earned,
        expired=expired,
        cancelled=cancelled,
        capped=statuses["capped"],
        users=offered.users,
        users_earned=offered.converted,
        grants=grant_figures(counted.grants, catalogue),
        time_to_earn=lengths_of(counted.lengths),
        holdout=Holdout(held_out.users, held_out.converted, statuses[HELD_OUT]),
        effect=difference(offered.converted, offered.users, held_out.converted, held_out.users),
    )


# --- how far the comparison goes ---------------------------------------------------------------------


def _shares(campaign: Campaign, catalogue: Catalogue) -> frozenset[int]:
    return shares_while_live(
        catalogue.campaign_versions[campaign.name, version]
        for version in range(1, campaign.version + 1)
        if (campaign.name, version) in catalogue.campaign_versions
    )


def _cautions(total: VariantFigures, shares: frozenset[int]) -> tuple[str, ...]:
    found = []
    pending = total.active + total.overdue
    if pending or total.holdout.undecided:
        found.append(
            f"{pending} offers and {total.holdout.undecided} records of users held out are undecided:"
            " conversions are those up to now"
        )
    if total.capped:
        found.append(
            f"{total.capped} entries found no place under a cap, or no money: users held out were recorded meanwhile,"
            " so the two groups did not come in at the same times"
        )
    if total.cancelled:
        found.append(f"{total.cancelled} offers were cancelled, and count as offered and not earned")
    if len(shares) > 1:
        found.append(SHARE_CHANGED)
    return tuple(found)
