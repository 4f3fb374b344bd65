"""What is defined of referrals, to be shown."""

from __future__ import annotations

from datetime import timedelta

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.definitions.budget import money
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.core.referrals.queries import (
    ReferralCampaigns,
    ReferralCampaignTerms,
    ReferralPrograms,
    ReferralProgramTerms,
)
from rewardkit.language.event import moment


def referral_programs(
    _query: ReferralPrograms, context: Context
) -> Deciding[Decision[tuple[ReferralProgramTerms, ...]]]:
    """All of them, by name."""
    catalogue = yield from newest(context)
    programs = catalogue.referrals.programs
    return Decision(tuple(_program(programs[name], catalogue) for name in sorted(programs)), (), catalogue)


def _program(program: ReferralProgram, catalogue: Catalogue) -> ReferralProgramTerms:
    rewards, lasts = catalogue.reward_versions, program.expires_after
    return ReferralProgramTerms(
        name=program.name,
        version=program.version,
        sender_reward=rewards[program.sender_reward, program.sender_reward_version],
        recipient_reward=rewards[program.recipient_reward, program.recipient_reward_version],
        condition=program.source,
        expires_after=None if lasts is None else timedelta(microseconds=lasts),
        sender_cap=program.sender_cap,
        period_cap=program.period_cap,
        period=program.period,
        zone=program.zone,
    )


def referral_campaigns(
    _query: ReferralCampaigns, context: Context
) -> Deciding[Decision[tuple[ReferralCampaignTerms, ...]]]:
    """All of them, those that come first first."""
    catalogue = yield from newest(context)
    campaigns = catalogue.referrals.campaigns
    drafts = [campaigns[name] for name in sorted(campaigns) if campaigns[name].launched_at is None]
    return Decision(tuple(map(_campaign, (*catalogue.referrals.launched, *drafts))), (), catalogue)


def _campaign(campaign: ReferralCampaign) -> ReferralCampaignTerms:
    start = campaign.launched_at if campaign.start is None else campaign.start
    return ReferralCampaignTerms(
        name=campaign.name,
        version=campaign.version,
        program=campaign.program,
        sender=campaign.sender_source,
        start=None if start is None else moment(start),
        end=None if campaign.end is None else moment(campaign.end),
        priority=campaign.priority,
        status=campaign.status,
        is_fallback=campaign.is_evergreen,
        cap=campaign.cap,
        caps_per=dict(campaign.caps_per),
        variants=tuple(variant.name for variant in campaign.variants),
        budget=None if campaign.budget is None else money(campaign.money),
        at_exhaustion=campaign.at_exhaustion,
    )
