"""Answering `ReferralReport`."""

from __future__ import annotations

from typing import Final

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.drafts.defining import unknown
from rewardkit.core.drafts.unknown_campaign import no_referral_campaign
from rewardkit.core.referrals.places import uses_of
from rewardkit.core.referrals.queries import LimitsUse
from rewardkit.core.requests.listing import optional_text
from rewardkit.core.settling.referral_writing import RECIPIENT, SENDER
from rewardkit.core.storing.needs import ask
from rewardkit.core.tracking.figures import (
    DepthFigures,
    ReferralFigures,
    ReferralVariantFigures,
    SenderFigures,
    SenderHoldout,
)
from rewardkit.core.tracking.grant_figures import grant_figures
from rewardkit.core.tracking.lengths import lengths_of
from rewardkit.core.tracking.needs import (
    ChainInto,
    Referred,
    TallyCompleting,
    TallyDepths,
    TallyReferrals,
    TallySenders,
    TallySides,
)
from rewardkit.core.tracking.queries import ReferralReport
from rewardkit.core.tracking.referral_variants import funnel_of, variants_in
from rewardkit.core.tracking.sender_holdout import sender_holdout
from rewardkit.core.values.input import integer, show
from rewardkit.errors import Refused, ValidationError
from rewardkit.language.event import moment

TOP: Final = 100
"""The most senders that a report lists: what is longer is a list of its own, from `Referrals`."""


def referral_report(query: ReferralReport, context: Context) -> Deciding[Decision[ReferralFigures]]:
    """What the store counts of referrals, put together."""
    program = optional_text(query.program, "a referral program's name")
    campaign = optional_text(query.campaign, "a campaign's name")
    if program is None and campaign is None:
        raise ValidationError("a report of referrals is of a `program`, of a `campaign`, or of both: name one")
    limit = integer(query.top, "top", least=1, most=TOP)
    catalogue = yield from newest(context)
    _require(program, campaign, catalogue)
    of = Referred(program, campaign)
    referrals = yield from ask(TallyReferrals(of, context.at))
    funnel = funnel_of(referrals)
    senders = yield from ask(TallySenders(of, limit))
    sides = yield from ask(TallySides(of))
    depths = yield from ask(TallyDepths(of))
    use = LimitsUse()
    variants: tuple[ReferralVariantFigures, ...] = ()
    holdout: SenderHoldout | None = None
    cautions: tuple[str, ...] = ()
    if campaign is not None:
        known = catalogue.referrals.campaigns[campaign]
        use = yield from _use(known, catalogue, context.at)
        variants = yield from variants_in(known, of, referrals, catalogue)
        if program is None:
            holdout, cautions = yield from sender_holdout(known, catalogue.referrals)
    figures = ReferralFigures(
        program=program or "",
        campaign=campaign or "",
        at=moment(context.at),
        **attrs.asdict(funnel),
        senders=senders[0].senders if senders else 0,
        time_to_complete=lengths_of((yield from ask(TallyCompleting(of)))),
        sender_side=grant_figures((row for row in sides if row.group == SENDER), catalogue),
        recipient_side=grant_figures((row for row in sides if row.group == RECIPIENT), catalogue),
        top=tuple(SenderFigures(row.sender, row.opened, row.completed, row.granted) for row in senders),
        depths=tuple(DepthFigures(row.depth, row.opened, row.completed) for row in depths),
        elsewhere=funnel.opened - sum(row.opened for row in depths),
        longest=(yield from ask(ChainInto(of, depths[-1].recipient))) if depths else (),
        status="" if campaign is None else catalogue.referrals.campaigns[campaign].status,
        caps=use.caps,
        budget=use.budget,
        holdout=holdout,
        cautions=cautions,
        variants=variants,
    )
    return Decision(figures, (), catalogue)


def _use(campaign: ReferralCampaign, catalogue: Catalogue, at: int) -> Deciding[LimitsUse]:
    """What is taken of a campaign's limits, where its dearest referral is the next one."""
    programs = (catalogue.referrals.programs[one] for one in sorted(campaign.programs))
    dearest = max(programs, key=lambda one: sum(catalogue.referral_costs(one)))
    return (yield from uses_of(((campaign, dearest),), catalogue, at))[campaign.name]


def _require(program: str | None, campaign: str | None, catalogue: Catalogue) -> None:
    """Refuse what is not defined.

    Raises:
        Refused: there is no such program, or no such referral campaign.
    """
    register = catalogue.referrals
    if program is not None and program not in register.programs:
        refused = unknown("referral_program", program, register.programs)
        if program in register.campaigns or program in catalogue.campaigns:
            sentence = f"`{show(program)}` is a campaign and no referral program: pass it as `campaign`"
            raise Refused("referral_program_unknown", sentence, refused.facts)
        raise refused
    if campaign is not None and campaign not in register.campaigns:
        raise no_referral_campaign(campaign, catalogue, "ask for `CampaignReport(…)`")
