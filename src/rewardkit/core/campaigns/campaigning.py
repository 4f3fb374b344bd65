"""Defining, launching, pausing and ending campaigns."""

from __future__ import annotations

from typing import Any, TypeVar

import attrs

from rewardkit.core.campaigns.checks import ONCE_MORE, findings, require_checked
from rewardkit.core.deciding.context import Context
from rewardkit.core.definitions.budget import read_exhaustion, read_money
from rewardkit.core.definitions.campaign import CAMPAIGN, Campaign
from rewardkit.core.definitions.campaign_terms import NEVER, read_caps_per, read_reentry
from rewardkit.core.definitions.draws import numbered, read_share
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.drafts.defining import read_condition, require_acknowledged, unknown
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.drafts.unknown_campaign import unknown_campaign
from rewardkit.core.requests.answers import CampaignState, Defined
from rewardkit.core.requests.commands import DefineCampaign, EndCampaign, LaunchCampaign, PauseCampaign, ResumeCampaign
from rewardkit.core.requests.variant import read_copy, read_variants
from rewardkit.core.values import limits
from rewardkit.core.values.civil import beginning, ending
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import Refused, ValidationError
from rewardkit.language.civil import zone_named
from rewardkit.language.event import moment, rfc3339
from rewardkit.language.folding.program import PENDING
from rewardkit.language.verdict import Mode

Either = TypeVar("Either", Campaign, ReferralCampaign)


def define_campaign(command: DefineCampaign, draft: Draft, context: Context) -> Defined:
    """A draft, or a new version where terms differ; a live campaign stays live under its new terms."""
    name = text(command.name, "a campaign's name")
    catalogue = draft.catalogue
    known = catalogue.campaigns.get(name)
    entry = _condition(command.entry, draft, command)
    audience = _condition(command.audience, draft, command, mode="live")
    campaign = _terms(command, name, entry, audience, known)
    for offer in sorted(campaign.offers):
        if offer not in catalogue.offers:
            raise unknown("offer", offer, catalogue.offers)
    if known is not None and _meaning(known) == _meaning(campaign):
        return Defined(CAMPAIGN, name, known.version, new=False)
    _require_pinned(known, campaign)
    _require_ending_cycles(campaign)
    if campaign.status == "ended":
        raise Refused(
            "campaign_over", f"campaign `{name}` has ended: define a new one under another name", facts_of(campaign)
        )
    if campaign.code is not None:
        other = catalogue.by_code(campaign.code)
        if other is not None and other.name != name:
            raise Refused(
                "code_taken",
                f"code `{show(campaign.code)}` belongs to campaign `{other.name}`",
                {"campaign": other.name},
            )
    draft.add(CAMPAIGN, name, campaign.version, campaign.body())
    draft.require_costs()
    return Defined(CAMPAIGN, name, campaign.version, new=True)


def _condition(source: str | None, draft: Draft, command: DefineCampaign, *, mode: Mode = "latch") -> str | None:
    if source is None:
        return None
    condition = read_condition(source, draft.catalogue)
    require_acknowledged(condition, "open", (*command.acknowledge, *(ONCE_MORE if mode == "live" else ())))
    return str(condition)


def _meaning(campaign: Campaign) -> dict[str, Any]:
    return campaign.body() | {"entry_source": None, "audience_source": None}


def _require_pinned(known: Campaign | None, campaign: Campaign) -> None:
    """What users' rows belong to stays as it was launched."""
    if known is None or known.launched_at is None:
        return
    if known.zone != campaign.zone:
        raise Refused(
            "zone_pinned",
            f"campaign `{campaign.name}` was launched in the zone `{known.zone}`: keep it, or define a new campaign",
            facts_of(campaign) | {"zone": known.zone},
        )
    if known.reentry != campaign.reentry:
        raise Refused(
            "reentry_pinned",
            f"campaign `{campaign.name}` was launched with the reentry `{known.reentry}`:"
            " keep it, or define a new campaign",
            facts_of(campaign) | {"reentry": known.reentry},
        )
    require_budget_pinned(known, campaign)


def require_budget_pinned(known: Either | None, campaign: Either) -> None:
    """Whether a campaign has a budget, and of which kind, stays as it was launched.

    Raises:
        Refused: it would not.
    """
    if known is None or known.launched_at is None:
        return
    before, after = ((one.budget is None, one.at_exhaustion) for one in (known, campaign))
    if before != after:
        had = "without a budget" if known.budget is None else f"with a budget that will {known.at_exhaustion}"
        raise Refused(
            "budget_pinned",
            f"campaign `{campaign.name}` was launched {had}: keep that, or define a new campaign",
            facts_of(campaign),
        )


def _require_ending_cycles(campaign: Campaign) -> None:
    """An entry condition that may begin anew must need something to happen after it has, or it would hold for ever."""
    if campaign.recurs and (campaign.opening.status != PENDING or campaign.program.uses_history):
        raise ValidationError(
            f"entry `{campaign.entry_source}` may hold again at once, before anything has happened:"
            " where an audience or a reentry has it begin anew, name an event that it waits for, without `ever`"
        )


def _terms(
    command: DefineCampaign, name: str, entry: str | None, audience: str | None, known: Campaign | None
) -> Campaign:
    variants = read_variants(command.variants, "offer")
    if (command.offer is None) == (not variants):
        raise ValidationError(f"campaign `{name}` gives one offer: pass `offer`, or `variants`, which have one each")
    start, end = read_span(command, name)
    reentry = read_reentry(command.reentry)
    user_cap = (1 if reentry == NEVER else limits.USER_CAP) if command.user_cap is None else command.user_cap
    return Campaign(
        id=-1 if known is None else known.id,
        name=name,
        version=1 if known is None else known.version + 1,
        epoch=0,
        offer="" if command.offer is None else text(command.offer, "an offer's name"),
        entry=entry,
        entry_source=command.entry,
        code=None if command.code is None else _code(command.code),
        start=start,
        end=end,
        cap=None if command.cap is None else integer(command.cap, "cap", least=1, most=limits.CAP),
        user_cap=integer(user_cap, "user_cap", least=1, most=limits.USER_CAP),
        status="draft" if known is None else known.status,
        launched_at=None if known is None else known.launched_at,
        zone=command.zone,
        variants=variants,
        numbers=numbered(variants, {} if known is None else known.numbers),
        holdout=read_share(command.holdout),
        copy=read_copy(command.copy),
        audience=audience,
        audience_source=command.audience,
        pauses=() if known is None else known.pauses,
        reentry=reentry,
        caps_per=read_caps_per(command.caps_per),
        budget=None if command.budget is None else read_money(command.budget, "budget"),
        at_exhaustion=read_exhaustion(command.at_exhaustion),
        replenished=0 if known is None else known.replenished,
    )


def read_span(command: DefineCampaign, name: str) -> tuple[int | None, int | None]:
    """The start and the end of a campaign, read in its zone.

    Raises:
        ValidationError: the zone is unknown, or the end does not lie after the start.
    """
    zone_named(text(command.zone, "a zone"))
    start, end = beginning(command.start, command.zone), ending(command.end, command.zone)
    if start is not None and end is not None and end <= start:
        raise ValidationError(
            f"campaign `{name}` would end at `{rfc3339(end)}`, not after its start `{rfc3339(start)}`"
        )
    return start, end


def _code(value: str) -> str:
    """An offer code in upper case; ASCII alone, where upper and lower case are the same to everybody."""
    code = text(value, "an offer code", most=64)
    if not code.isascii():
        raise ValidationError(f"an offer code has letters, digits and signs of ASCII, not `{show(code)}`")
    return code.upper()


def launch_campaign(command: LaunchCampaign, draft: Draft, context: Context) -> CampaignState:
    """From draft to live; users with history enter at its start at the earliest, whenever they are folded."""
    campaign = _known(draft, command.name)
    if campaign.status == "draft":
        require_checked(campaign.name, findings(campaign, draft.catalogue), command.acknowledge)
    return _changed(draft, campaign, launched(campaign, context.at))


def launched(campaign: Either, at: int) -> Either:
    """The campaign as it is launched at an instant; itself where it is live already.

    Raises:
        Refused: it is over.
    """
    if campaign.status in ("live", "paused"):
        return campaign
    if campaign.status == "ended":
        raise Refused("campaign_over", f"campaign `{campaign.name}` has ended", facts_of(campaign))
    # One whose terms say when it started may be over: users with history enter it all the same.
    if campaign.start is None and campaign.end is not None and campaign.end <= at:
        sentence = (
            f"campaign `{campaign.name}` would start now, after its end `{rfc3339(campaign.end)}`:"
            " give it a later end, or the start that it had"
        )
        raise Refused("campaign_over", sentence, facts_of(campaign))
    return attrs.evolve(campaign, version=campaign.version + 1, status="live", launched_at=at)


def pause_campaign(command: PauseCampaign, draft: Draft, context: Context) -> CampaignState:
    """No offers from now on, until it is resumed."""
    campaign = _known(draft, command.name)
    return _changed(draft, campaign, paused(campaign, context.at))


def resume_campaign(command: ResumeCampaign, draft: Draft, context: Context) -> CampaignState:
    """Offers again from now on; who qualified meanwhile enters now, whenever she is folded."""
    campaign = _known(draft, command.name)
    return _changed(draft, campaign, resumed(campaign, context.at))


def paused(campaign: Either, at: int) -> Either:
    """The campaign as it is paused at an instant; itself where it is paused already.

    Raises:
        Refused: it is a draft, or over.
    """
    _require_running(campaign)
    if campaign.status == "paused":
        return campaign
    return attrs.evolve(campaign, version=campaign.version + 1, status="paused", pauses=(*campaign.pauses, (at, None)))


def resumed(campaign: Either, at: int) -> Either:
    """The campaign as it is resumed at an instant; itself where it is live already.

    Raises:
        Refused: it is a draft, or over.
    """
    _require_running(campaign)
    if campaign.status == "live":
        return campaign
    *before, (begin, _) = campaign.pauses
    # One of no length is kept as well: who qualified in it still waits for its end.
    pauses = (*before, (begin, max(begin, at)))
    return attrs.evolve(campaign, version=campaign.version + 1, status="live", pauses=pauses)


def _require_running(campaign: Campaign | ReferralCampaign) -> None:
    if campaign.status == "ended":
        raise Refused("campaign_over", f"campaign `{campaign.name}` has ended", facts_of(campaign))
    if campaign.status == "draft":
        raise Refused("campaign_draft", f"campaign `{campaign.name}` has not been launched", {"name": campaign.name})


def _changed(draft: Draft, before: Campaign, after: Campaign) -> CampaignState:
    """The state of a campaign, whose next version is added where there is one."""
    if after is not before:
        draft.add(CAMPAIGN, after.name, after.version, after.body())
    return state_of(after)


def end_campaign(command: EndCampaign, draft: Draft, context: Context) -> CampaignState:
    """No more offers from now on. Ending an ended campaign changes nothing."""
    campaign = _known(draft, command.name)
    return _changed(draft, campaign, ended(campaign, context.at))


def ended(campaign: Either, at: int) -> Either:
    """The campaign as it is ended at an instant; itself where it has ended already.

    Raises:
        Refused: it has not been launched.
    """
    if campaign.status == "ended":
        return campaign
    if campaign.status == "draft":
        raise Refused("campaign_draft", f"campaign `{campaign.name}` has not been launched", {"name": campaign.name})
    end = at if campaign.end is None else min(campaign.end, at)
    return attrs.evolve(campaign, version=campaign.version + 1, status="ended", end=end)


def _known(draft: Draft, name: str) -> Campaign:
    campaign = draft.catalogue.campaigns.get(text(name, "a campaign's name"))
    if campaign is None:
        raise unknown_campaign(name, draft.catalogue)
    return campaign


def state_of(campaign: Campaign | ReferralCampaign) -> CampaignState:
    """What callers are told of a campaign's status."""
    start = campaign.launched_at if campaign.start is None else campaign.start
    return CampaignState(
        campaign.name,
        campaign.version,
        campaign.status,
        None if start is None else moment(start),
        None if campaign.end is None else moment(campaign.end),
    )


def facts_of(campaign: Campaign | ReferralCampaign) -> dict[str, str]:
    """What a refusal says of a campaign."""
    return {"name": campaign.name} | ({} if campaign.end is None else {"end": rfc3339(campaign.end)})
