"""Campaigns of both kinds, with an offer or with a referral program, under one set of names."""

from __future__ import annotations

from operator import attrgetter

from rewardkit.core.campaigns import campaigning as offers
from rewardkit.core.campaigns import checks
from rewardkit.core.campaigns import preview as offer_preview
from rewardkit.core.campaigns.checks import Finding, LaunchChecks
from rewardkit.core.campaigns.preview import Preview, Previewed
from rewardkit.core.campaigns.uses import uses_of
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.drafts.unknown_campaign import unknown_campaign
from rewardkit.core.referrals import campaigning as referrals
from rewardkit.core.referrals import checks as referral_checks
from rewardkit.core.referrals import preview as referral_preview
from rewardkit.core.referrals.uses import referral_uses
from rewardkit.core.requests.answers import CampaignState, Defined
from rewardkit.core.requests.commands import DefineCampaign, EndCampaign, LaunchCampaign, PauseCampaign, ResumeCampaign
from rewardkit.core.requests.listing import status_of
from rewardkit.core.requests.queries import OFFERS, REFERRALS, Campaigns, CampaignUse
from rewardkit.core.requests.variant import Variant
from rewardkit.core.values.input import text
from rewardkit.errors import Refused, ValidationError


def define_campaign(command: DefineCampaign, draft: Draft, context: Context) -> Defined:
    """Define it as what its terms make it; a name stays with its kind."""
    name, catalogue = text(command.name, "a campaign's name"), draft.catalogue
    of_referrals = command.program is not None or _gives_programs(command.variants)
    if name in (catalogue.campaigns if of_referrals else catalogue.referrals.campaigns):
        sentence = f"campaign `{name}` is one of {'offers' if of_referrals else 'referrals'}: take another name"
        raise Refused("campaign_of_other_kind", sentence, {"name": name})
    if of_referrals:
        return referrals.define_referral_campaign(command, draft, context)
    if command.sender is not None or command.priority != 0:
        wrong = "sender" if command.sender is not None else "priority"
        raise ValidationError(
            f"{wrong} is of campaigns with a referral program, and `{name}` has none: pass `program`,"
            " or `variants`, which have one each"
        )
    return offers.define_campaign(command, draft, context)


def _gives_programs(variants: object) -> bool:
    """Whether one of them has a program; what is no list of variants is refused where it is read."""
    known = variants if isinstance(variants, tuple) else ()
    return any(isinstance(one, Variant) and one.program for one in known)


def launch_campaign(command: LaunchCampaign, draft: Draft, context: Context) -> CampaignState:
    """Take a draft of either kind live."""
    if _is_of_referrals(command.name, draft.catalogue):
        return referrals.launch_referral_campaign(command, draft, context)
    return offers.launch_campaign(command, draft, context)


def pause_campaign(command: PauseCampaign, draft: Draft, context: Context) -> CampaignState:
    """Pause a live campaign of either kind."""
    if _is_of_referrals(command.name, draft.catalogue):
        return referrals.pause_referral_campaign(command, draft, context)
    return offers.pause_campaign(command, draft, context)


def resume_campaign(command: ResumeCampaign, draft: Draft, context: Context) -> CampaignState:
    """Resume a paused campaign of either kind."""
    if _is_of_referrals(command.name, draft.catalogue):
        return referrals.resume_referral_campaign(command, draft, context)
    return offers.resume_campaign(command, draft, context)


def end_campaign(command: EndCampaign, draft: Draft, context: Context) -> CampaignState:
    """End a campaign of either kind."""
    if _is_of_referrals(command.name, draft.catalogue):
        return referrals.end_referral_campaign(command, draft, context)
    return offers.end_campaign(command, draft, context)


def campaigns(query: Campaigns, context: Context) -> Deciding[Decision[tuple[CampaignUse, ...]]]:
    """Campaigns of both kinds, by name, or of one."""
    kind = status_of(query.kind, (OFFERS, REFERRALS), "a campaign's kind")
    catalogue = yield from newest(context)
    register = catalogue.referrals
    uses = yield from uses_of(tuple(catalogue.campaigns.values()) if kind != REFERRALS else (), context.at)
    uses += yield from referral_uses(tuple(register.campaigns.values()) if kind != OFFERS else (), context.at)
    return Decision(tuple(sorted(uses, key=attrgetter("name"))), (), catalogue)


def launch_checks(query: LaunchChecks, context: Context) -> Deciding[Decision[tuple[Finding, ...]]]:
    """Look at a campaign of either kind before it is launched, or while it runs."""
    catalogue = yield from newest(context)
    return Decision((yield from findings_of(query, catalogue)), (), catalogue)


def findings_of(query: LaunchChecks, catalogue: Catalogue) -> Deciding[tuple[Finding, ...]]:
    """What there is to know of a campaign of either kind."""
    name = text(query.campaign, "a campaign's name")
    if name in catalogue.referrals.campaigns:
        return (yield from referral_checks.launch_checks(catalogue.referrals.campaigns[name], catalogue))
    return (yield from checks.launch_checks(_campaign(name, catalogue), catalogue))


def preview(query: Preview, context: Context) -> Deciding[Decision[Previewed]]:
    """Look at what a campaign of either kind would do for one user."""
    user, name = text(query.user, "a user"), text(query.campaign, "a campaign's name")
    catalogue = yield from newest(context)
    if name in catalogue.referrals.campaigns:
        campaign = catalogue.referrals.campaigns[name]
        return (yield from referral_preview.preview(user, campaign, catalogue, context))
    return (yield from offer_preview.preview(user, _campaign(name, catalogue), catalogue, context))


def _campaign(name: str, catalogue: Catalogue) -> Campaign:
    campaign = catalogue.campaigns.get(name)
    if campaign is None:
        raise unknown_campaign(name, catalogue)
    return campaign


def _is_of_referrals(name: str, catalogue: Catalogue) -> bool:
    return text(name, "a campaign's name") in catalogue.referrals.campaigns
