"""Defining, launching, pausing and ending referral campaigns, of which one is always everybody's fallback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rewardkit.core.campaigns.campaigning import (
    ended,
    facts_of,
    launched,
    paused,
    read_span,
    require_budget_pinned,
    resumed,
    state_of,
)
from rewardkit.core.campaigns.checks import require_checked
from rewardkit.core.deciding.context import Context
from rewardkit.core.definitions.budget import read_exhaustion, read_money
from rewardkit.core.definitions.campaign_terms import read_caps_per
from rewardkit.core.definitions.draws import numbered, read_share
from rewardkit.core.definitions.referral_campaign import REFERRAL_CAMPAIGN, ReferralCampaign
from rewardkit.core.drafts.defining import read_condition, require_acknowledged, unknown
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.referrals.checks import OF_ONE_READING, findings
from rewardkit.core.requests.answers import CampaignState, Defined
from rewardkit.core.requests.commands import DefineCampaign, EndCampaign, LaunchCampaign, PauseCampaign, ResumeCampaign
from rewardkit.core.requests.variant import read_copy, read_variants
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import Refused, ValidationError

PRIORITY: Final = 1_000_000
"""The greatest, and the least below zero."""

_INSTEAD: Final = {
    "offer": "it gives a program, and not an offer",
    "code": "recipients enter their sender's own code",
    "audience": "its condition on senders is `sender`",
    "reentry": "a recipient follows one invitation once",
    "user_cap": "its program has a `sender_cap`",
}
"""What a definition cannot say of a referral campaign, and what there is in its place."""


def define_referral_campaign(command: DefineCampaign, draft: Draft, context: Context) -> Defined:
    """A draft, or a new version where terms differ; a live one stays live under its new terms."""
    name = text(command.name, "a campaign's name")
    register = draft.catalogue.referrals
    unsaid = DefineCampaign(name)
    for field, instead in _INSTEAD.items():
        if getattr(command, field) != getattr(unsaid, field):
            raise ValidationError(
                f"{field} is of campaigns with offers, and `{show(name)}` is one with a referral program: {instead}"
            )
    if command.entry is not None:
        sentence = f"entry cannot make referrals in campaign `{show(name)}`: whoever is referred enters a sender's code"
        raise Refused("referral_entry", sentence, {"name": name})
    known = register.campaigns.get(name)
    campaign = _terms(command, name, draft, known)
    for program in sorted(campaign.programs):
        if program not in register.programs:
            raise unknown("referral_program", program, register.programs)
    if known is not None and known.meaning() == campaign.meaning():
        return Defined(REFERRAL_CAMPAIGN, name, known.version, new=False)
    if campaign.status == "ended":
        sentence = f"campaign `{name}` has ended: define a new one under another name"
        raise Refused("campaign_over", sentence, facts_of(campaign))
    require_budget_pinned(known, campaign)
    _put(campaign, draft, context)
    draft.require_costs()
    return Defined(REFERRAL_CAMPAIGN, name, campaign.version, new=True)


def _terms(command: DefineCampaign, name: str, draft: Draft, known: ReferralCampaign | None) -> ReferralCampaign:
    variants = read_variants(command.variants, "program")
    if (command.program is None) == (not variants):
        raise ValidationError(
            f"campaign `{show(name)}` offers one referral program: pass `program`, or `variants`, which have one each"
        )
    sender = None
    if command.sender is not None:
        condition = read_condition(command.sender, draft.catalogue)
        require_acknowledged(condition, "open", (*command.acknowledge, *OF_ONE_READING))
        sender = str(condition)
    start, end = read_span(command, name)
    cap = None if command.cap is None else integer(command.cap, "cap", least=1, most=limits.CAP)
    return ReferralCampaign(
        id=-1 if known is None else known.id,
        name=name,
        version=1 if known is None else known.version + 1,
        epoch=0,
        program="" if command.program is None else text(command.program, "a referral program's name"),
        sender=sender,
        sender_source=command.sender,
        start=start,
        end=end,
        zone=command.zone,
        priority=integer(command.priority, "priority", least=-PRIORITY, most=PRIORITY),
        status="draft" if known is None else known.status,
        launched_at=None if known is None else known.launched_at,
        pauses=() if known is None else known.pauses,
        copy=read_copy(command.copy),
        holdout=read_share(command.holdout),
        cap=cap,
        caps_per=read_caps_per(command.caps_per),
        variants=variants,
        numbers=numbered(variants, {} if known is None else known.numbers),
        budget=None if command.budget is None else read_money(command.budget, "budget"),
        at_exhaustion=read_exhaustion(command.at_exhaustion),
        replenished=0 if known is None else known.replenished,
    )


def launch_referral_campaign(command: LaunchCampaign, draft: Draft, context: Context) -> CampaignState:
    """From draft to live; refused without a fallback for those for whom it does not hold, or no longer."""
    campaign = draft.catalogue.referrals.campaigns[command.name]
    if campaign.status == "draft":
        require_checked(campaign.name, findings(campaign, draft.catalogue), command.acknowledge)
    return _changed(command.name, draft, context, launched)


def pause_referral_campaign(command: PauseCampaign, draft: Draft, context: Context) -> CampaignState:
    """Nobody offers it until it is resumed; refused where it is the fallback of others that are live."""
    return _changed(command.name, draft, context, paused)


def resume_referral_campaign(command: ResumeCampaign, draft: Draft, context: Context) -> CampaignState:
    """Senders offer it again from now on; refused without a fallback."""
    return _changed(command.name, draft, context, resumed)


def end_referral_campaign(command: EndCampaign, draft: Draft, context: Context) -> CampaignState:
    """Nobody offers it from now on; refused where it is the fallback of others that are live."""
    return _changed(command.name, draft, context, ended)


def _changed(
    name: str, draft: Draft, context: Context, change: Callable[[ReferralCampaign, int], ReferralCampaign]
) -> CampaignState:
    campaign = draft.catalogue.referrals.campaigns[name]
    after = change(campaign, context.at)
    if after is not campaign:
        _put(after, draft, context)
    return state_of(after)


def _put(campaign: ReferralCampaign, draft: Draft, context: Context) -> None:
    """Add a version, unless some live campaign would be without a fallback by it.

    Raises:
        Refused: one would be.
    """
    draft.add(REFERRAL_CAMPAIGN, campaign.name, campaign.version, campaign.body())
    live = [one for one in draft.catalogue.referrals.campaigns.values() if one.status == "live"]
    evergreen = min((one.opens_at for one in live if one.is_evergreen), default=None)
    for one in live:
        over = one.end is not None and one.end <= context.at
        if over or one.is_evergreen:
            continue
        if evergreen is None or evergreen > max(one.opens_at, context.at):
            raise Refused(
                "fallback_missing",
                f"referral campaign `{one.name}` needs a fallback for everybody else, from its start on:"
                " launch one that has neither a condition on the sender,"
                " nor an end, a holdout, caps or a budget, and keep it",
                {"name": one.name},
            )
