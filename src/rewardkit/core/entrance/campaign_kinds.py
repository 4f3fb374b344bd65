"""Campaigns of both kinds, with an offer or with a referral program, under one set of names."""

from __future__ import annotations

from rewardkit.core.campaigns import campaigning as offers
from rewardkit.core.deciding.context import Context
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.referrals import campaigning as referrals
from rewardkit.core.requests.answers import CampaignState, Defined
from rewardkit.core.requests.commands import DefineCampaign, EndCampaign, LaunchCampaign, PauseCampaign, ResumeCampaign
from rewardkit.core.values.input import text
from rewardkit.errors import Refused, ValidationError


def define_campaign(command: DefineCampaign, draft: Draft, context: Context) -> Defined:
    """Define it as what its terms make it; a name stays with its kind."""
    name, catalogue = text(command.name, "a campaign's name"), draft.catalogue
    of_referrals = command.program is not None
    if name in (catalogue.campaigns if of_referrals else catalogue.referrals.campaigns):
        sentence = f"campaign `{name}` is one of {'offers' if of_referrals else 'referrals'}: take another name"
        raise Refused("campaign_of_other_kind", sentence, {"name": name})
    if of_referrals:
        return referrals.define_referral_campaign(command, draft, context)
    if command.sender is not None or command.priority != 0:
        wrong = "sender" if command.sender is not None else "priority"
        raise ValidationError(f"{wrong} is of campaigns with a referral program, and `{name}` has none: pass `program`")
    return offers.define_campaign(command, draft, context)


def launch_campaign(command: LaunchCampaign, draft: Draft, context: Context) -> CampaignState:
    """Take a draft of either kind live."""
    if _is_of_referrals(command.name, draft):
        return referrals.launch_referral_campaign(command.name, draft, context)
    return offers.launch_campaign(command, draft, context)


def end_campaign(command: EndCampaign, draft: Draft, context: Context) -> CampaignState:
    """End a live campaign of either kind."""
    if _is_of_referrals(command.name, draft):
        return referrals.end_referral_campaign(command.name, draft, context)
    return offers.end_campaign(command, draft, context)


def pause_campaign(command: PauseCampaign, draft: Draft, context: Context) -> CampaignState:
    """Pause a live campaign of offers."""
    if _is_of_referrals(command.name, draft):
        raise _only_ended(command.name)
    return offers.pause_campaign(command, draft, context)


def resume_campaign(command: ResumeCampaign, draft: Draft, context: Context) -> CampaignState:
    """Resume a paused campaign of offers."""
    if _is_of_referrals(command.name, draft):
        raise _only_ended(command.name)
    return offers.resume_campaign(command, draft, context)


def _only_ended(name: str) -> Refused:
    sentence = f"campaign `{name}` is one of referrals, which is not paused: end it, and the fallback takes its place"
    return Refused("campaign_of_other_kind", sentence, {"name": name})


def _is_of_referrals(name: str, draft: Draft) -> bool:
    return text(name, "a campaign's name") in draft.catalogue.referrals.campaigns
