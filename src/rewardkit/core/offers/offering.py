"""Making offers directly and by offer code, and withdrawing them."""

from __future__ import annotations

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import current
from rewardkit.core.definitions.budget import money
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.campaign_terms import UNITS
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.drafts.unknown_campaign import no_offer_campaign
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.making import Making
from rewardkit.core.folding.members import fold_members, fold_with_history
from rewardkit.core.folding.reading import HistoryNeeded
from rewardkit.core.requests.commands import CancelUserOffer, EnterOfferCode, MakeOffer
from rewardkit.core.requests.records import UserOffer
from rewardkit.core.settling.settle import settle
from rewardkit.core.storing.needs import Accept, Accepted, Members, UserOfferOf, ask
from rewardkit.core.storing.rows import MemberRow, UserOfferRow
from rewardkit.core.values.input import masked, show, text
from rewardkit.errors import InvariantError, Refused
from rewardkit.language.event import Position, moment, rfc3339


def make_offer(command: MakeOffer, context: Context) -> Deciding[Decision[UserOffer]]:
    """Make a campaign's offer to a user now."""
    user = text(command.user, "a user")
    name = text(command.campaign, "a campaign's name")
    catalogue, row = yield from member_of(user, context)
    campaign = catalogue.campaigns.get(name)
    if campaign is None:
        raise no_offer_campaign(name, catalogue, "make a referral by it, with `MakeReferral`")
    return (yield from enter(campaign, catalogue, row, context))


def enter_offer_code(command: EnterOfferCode, context: Context) -> Deciding[Decision[UserOffer]]:
    """Make the offer of the campaign that has this code; an unknown code is refused like one that is over."""
    user = text(command.user, "a user")
    code = text(command.code, "an offer code", most=64)
    catalogue, row = yield from member_of(user, context)
    campaign = catalogue.by_code(code)
    if campaign is None or not campaign.creates_at(context.at):
        return Decision(Refused("code_not_valid", f"code `{masked(code)}` is not valid now", {"code": masked(code)}))
    return (yield from enter(campaign, catalogue, row, context))


def member_of(user: str, context: Context) -> Deciding[tuple[Catalogue, MemberRow]]:
    """A user's row, locked, and the definitions in force."""
    accepted: Accepted = yield from ask(Accept((), (user,)))
    rows = yield from ask(Members((user,)))
    catalogue = yield from current(context, accepted, rows)
    return catalogue, rows[0]


def enter(
    campaign: Campaign, catalogue: Catalogue, row: MemberRow, context: Context, *, record: bool = False
) -> Deciding[Decision[UserOffer]]:
    """Make a campaign's offer to a user, or refuse it.

    With `record` a refusal for want of a place has effects, the offer that was capped, because places were asked for;
    without, the transaction has to be rolled back.
    """
    if not campaign.creates_at(context.at):
        return Decision(_closed(campaign, context.at))
    fold = yield from _caught_up(catalogue, row, context.at)
    made, taken = fold.progress.counts(campaign.id)
    if taken >= campaign.user_cap:
        sentence = f"user `{show(row.user)}` has {taken} of {campaign.user_cap} offers of campaign `{campaign.name}`"
        return Decision(Refused("user_cap_reached", sentence, {"used": taken, "cap": campaign.user_cap, "made": made}))
    if any(one.held_out for one in fold.active(campaign)):
        return Decision(_held_out(campaign, row.user))
    start = Position(context.at)
    try:
        making = _make(fold, campaign, start)
    except HistoryNeeded:
        fold = yield from fold_with_history(catalogue, row, context.at)
        making = _make(fold, campaign, start)
    settled = yield from settle(context, catalogue, (fold,))
    if making.denied:
        effects = settled.effects((fold,)) if record else ()
        if making.full == campaign.budget_counter:
            return Decision(_exhausted(campaign), effects)
        facts = {"cap": campaign.limits(context.at)[making.full]}
        sentence = f"campaign `{campaign.name}` makes no more offers now: {campaign.full(making.full)}"
        return Decision(Refused("campaign_capped", sentence, facts), effects)
    if making.held_out:
        return Decision(_held_out(campaign, row.user), settled.effects((fold,)), catalogue)
    entry = next(offer for offer in settled.offers if offer.campaign == campaign.name and offer.entry == making.entry)
    return Decision(user_offer_of(entry, catalogue), settled.effects((fold,)), catalogue)


def _make(fold: Fold, campaign: Campaign, start: Position) -> Making:
    """Make the offer, where the user is in the audience and may enter now.

    Raises:
        Refused: she is not, or may not.
        HistoryNeeded: only her stored events say so.
    """
    if campaign.audience is not None and not fold.admits(campaign, start, direct=True):
        sentence = f"user `{show(fold.row.user)}` is not in the audience of campaign `{campaign.name}`"
        raise Refused("not_in_audience", sentence, {"audience": campaign.audience})
    reopens_at = fold.progress.reopens_at(campaign.id)
    if campaign.reentry in UNITS and start.at < reopens_at:
        sentence = f"user `{show(fold.row.user)}` has entered campaign `{campaign.name}` in this {campaign.reentry}"
        raise Refused("reentry_later", sentence, {"from": rfc3339(reopens_at), "reentry": campaign.reentry})
    making = fold.make(campaign, start, max(start.at, fold.position.at))
    fold.open_cycles()
    return making


def _caught_up(catalogue: Catalogue, row: MemberRow, at: int) -> Deciding[Fold]:
    """The user's fold up to an instant, so that what has ended by then takes no place, noticed before or not."""
    folded = yield from fold_members(catalogue, (row,), {}, at)
    return folded.folds[0]


def _exhausted(campaign: Campaign) -> Refused:
    sentence = f"the budget of campaign `{campaign.name}` does not cover another offer"
    return Refused("budget_exhausted", sentence, {"budget": str(money(campaign.money))})


def _held_out(campaign: Campaign, user: str) -> Refused:
    sentence = f"user `{show(user)}` is held out of campaign `{campaign.name}`, to compare with: show her nothing of it"
    return Refused("held_out", sentence, {"campaign": campaign.name})


def _closed(campaign: Campaign, at: int) -> Refused:
    if campaign.launched_at is None:
        return Refused("campaign_draft", f"campaign `{campaign.name}` has not been launched", {"name": campaign.name})
    if at < campaign.opens_at:
        start = rfc3339(campaign.opens_at)
        return Refused("campaign_not_started", f"campaign `{campaign.name}` starts at `{start}`", {"start": start})
    if campaign.end is None or at < campaign.end:
        return Refused("campaign_paused", f"campaign `{campaign.name}` is paused", {"name": campaign.name})
    end = rfc3339(campaign.end)
    return Refused("campaign_over", f"campaign `{campaign.name}` ended at `{end}`", {"end": end})


def cancel_user_offer(command: CancelUserOffer, context: Context) -> Deciding[Decision[UserOffer]]:
    """Withdraw an active user offer and give its place back; one whose time was over by now cannot be withdrawn."""
    found = yield from ask(UserOfferOf(text(command.user_offer, "a user offer's id")))
    if found is None:
        return Decision(Refused("user_offer_unknown", f"user offer `{show(command.user_offer)}` does not exist", {}))
    catalogue, row = yield from member_of(found.user, context)
    found = yield from ask(UserOfferOf(found.id))
    if found is None:
        raise InvariantError("a user offer vanished while its user was locked")
    if found.status != "active":
        return Decision(_over(found, found.status))
    campaign = catalogue.campaigns[found.campaign]
    fold = yield from _caught_up(catalogue, row, context.at)
    for ending in fold.endings:
        if (ending.campaign.id, ending.active.entry) == (campaign.id, found.entry):
            return Decision(_over(found, ending.outcome.status))
    if not fold.cancel(campaign, found.entry, context.at):
        raise InvariantError(f"user offer `{found.id}` is active, and its user's progress does not know it")
    settled = yield from settle(context, catalogue, (fold,))
    after = next(ending for ending in settled.endings if ending.id == found.id)
    cancelled = found._replace(status=after.status, ended_at=after.ended_at, reason=after.reason)
    return Decision(user_offer_of(cancelled, catalogue), settled.effects((fold,)), catalogue)


def _over(found: UserOfferRow, status: str) -> Refused:
    return Refused("user_offer_over", f"user offer `{found.id}` is {status} already", {"status": status})


def user_offer_of(row: UserOfferRow, catalogue: Catalogue) -> UserOffer:
    """The public record of a row."""
    campaign = catalogue.campaign_versions[row.campaign, row.campaign_version]
    return UserOffer(
        id=row.id,
        user=row.user,
        campaign=row.campaign,
        offer=row.offer,
        offer_version=row.offer_version,
        entry=row.entry,
        status=row.status,
        made_at=moment(row.made_at),
        ends_at=None if row.ends_at is None else moment(row.ends_at),
        ended_at=None if row.ended_at is None else moment(row.ended_at),
        reason=row.reason,
        variant=row.variant,
        copy=campaign.copy_for(row.variant),
    )
