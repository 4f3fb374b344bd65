"""From what users' folds came to, to what is written: caps are asked, offers, grants and notices become rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.offer import Offer
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.making import HELD_OUT, Ending, Making, Outcome, status_of
from rewardkit.core.folding.members import event_of
from rewardkit.core.grants.gates import pass_on
from rewardkit.core.grants.life import EARNED
from rewardkit.core.grants.supplying import Supply
from rewardkit.core.notices.notice import OFFER_ENDED, OFFER_MADE, notice
from rewardkit.core.requests.answers import Capped, Earned, Entered, Expired
from rewardkit.core.requests.referral_records import ReferralEnded
from rewardkit.core.settling.claiming import claim
from rewardkit.core.settling.referral_places import SenderPlaces
from rewardkit.core.settling.referral_writing import ReferralWriter
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.needs import Histories, ask
from rewardkit.core.storing.referral_rows import ReferralEnding, ReferralRow
from rewardkit.core.storing.rows import GrantRow, NoticeRow, UserOfferEnding, UserOfferRow
from rewardkit.core.values.identity import derive
from rewardkit.language.event import moment


@attrs.define
class Settled:
    """What happened, and what is to be written for it."""

    entered: list[Entered] = attrs.field(factory=list)
    capped: list[Capped] = attrs.field(factory=list)
    earned: list[Earned] = attrs.field(factory=list)
    expired: list[Expired] = attrs.field(factory=list)
    offers: list[UserOfferRow] = attrs.field(factory=list)
    endings: list[UserOfferEnding] = attrs.field(factory=list)
    grants: list[GrantRow] = attrs.field(factory=list)
    """Whose status is `earned`, until they have passed the gates that are open to them."""
    unfunded: set[str] = attrs.field(factory=set)
    """The ids of those that their campaign's budget does not cover."""
    steps: list[GrantStepRow] = attrs.field(factory=list)
    notices: list[NoticeRow] = attrs.field(factory=list)
    referrals: list[ReferralEnded] = attrs.field(factory=list)
    referral_rows: list[ReferralRow] = attrs.field(factory=list)
    referral_endings: list[ReferralEnding] = attrs.field(factory=list)
    supplied: tuple[Effect, ...] = ()
    """What the pools have less by the grants, where nobody else writes that."""

    def effects(self, folds: Iterable[Fold]) -> tuple[Effect, ...]:
        """All of it as effects, members first."""
        members = tuple(fold.result() for fold in folds if fold.changed)
        found: list[Effect] = []
        if members:
            found.append(Replace(members))
        if self.offers:
            found.append(Insert(tuple(self.offers)))
        if self.endings:
            found.append(Replace(tuple(self.endings)))
        if self.referral_rows:
            found.append(Insert(tuple(self.referral_rows)))
        if self.referral_endings:
            found.append(Replace(tuple(self.referral_endings)))
        if self.grants:
            found.append(Insert(tuple(self.grants)))
        if self.steps:
            found.append(Insert(tuple(self.steps)))
        if self.notices:
            found.append(Insert(tuple(self.notices)))
        return (*found, *self.supplied)


def user_offer_id(tenant: str, campaign: Campaign, user: str, entry: int) -> str:
    """The id of a user offer, derived from what makes it unique."""
    return derive("uo", tenant, campaign.name, user, entry)


def grant_id(tenant: str, campaign: Campaign, user: str, entry: int) -> str:
    """The id of a grant, derived from what makes it unique, so that every retry comes to the same."""
    return derive("gr", tenant, campaign.name, user, entry)


def settle(
    context: Context, catalogue: Catalogue, folds: Sequence[Fold], supply: Supply | None = None
) -> Deciding[Settled]:
    """Ask the caps of all that the folds made and ended, and write down what stands; `supply` as in `pass_on`."""
    yield from _claim(folds, SenderPlaces(catalogue.referrals, folds))
    settled = Settled()
    writer = _Writer(context, settled)
    referrals = ReferralWriter(context, settled)
    for fold in folds:
        for making in fold.makings:
            writer.made(making)
        for ending in fold.endings:
            writer.ended(fold.row.user, ending)
        referrals.write(fold)
    passed = yield from pass_on(context, catalogue, settled.grants, "earn", unfunded=settled.unfunded, supply=supply)
    settled.grants, settled.steps = passed.rows, passed.steps
    settled.notices += passed.notices
    settled.supplied = passed.supplied
    return settled


def _claim(folds: Sequence[Fold], places: SenderPlaces) -> Deciding[None]:
    """Ask for the places of all that was made; what earning them has begin anew may make more."""
    yield from claim(folds, places)
    while waiting := [fold for fold in folds if fold.waits_for_places]:
        unread = tuple(fold.row.user for fold in waiting if fold.history is None)
        histories = (yield from ask(Histories(unread))) if unread else {}
        for fold in waiting:
            if fold.history is None:
                known = map(event_of, histories.get(fold.row.user, ()))
                fold.history = [event for event in known if event.position <= fold.position]
            fold.go_on()
        yield from claim(waiting)


class _Writer:
    """Turns what happened into answers and rows."""

    def __init__(self, context: Context, settled: Settled) -> None:
        self._context = context
        self._settled = settled

    def made(self, making: Making) -> None:
        campaign, offer, start = making.campaign, making.offer, making.start
        offer_id = user_offer_id(self._context.tenant, campaign, making.user, making.entry)
        outcome = making.outcome
        if making.denied:
            status, ended_at, reason = "capped", start.at, campaign.full(making.full)
        elif outcome is None:
            status, ended_at, reason = HELD_OUT if making.held_out else "active", None, ""
        else:
            status = status_of(outcome, held_out=making.held_out)
            ended_at, reason = outcome.at, outcome.reason
        self._settled.offers.append(
            UserOfferRow(
                offer_id,
                making.user,
                campaign.name,
                campaign.version,
                offer.name,
                offer.version,
                making.entry,
                status,
                start.at,
                start.order,
                start.id,
                making.ends_at,
                ended_at,
                reason,
                making.variant,
            )
        )
        if making.held_out:
            return
        if making.denied:
            self._settled.capped.append(Capped(making.user, campaign.name, offer_id, moment(start.at)))
            return
        self._settled.entered.append(Entered(making.user, campaign.name, offer_id, moment(start.at)))
        body = {"campaign": campaign.name, "offer": offer.name, "made_at": start.at, "ends_at": making.ends_at}
        shown = {"variant": making.variant, "copy": campaign.copy_for(making.variant)}
        self._notify(OFFER_MADE, making.user, offer_id, body | {name: value for name, value in shown.items() if value})
        if outcome is not None:
            self._outcome(making.user, campaign, making.entry, offer, outcome, funded=making.funded)

    def ended(self, user: str, ending: Ending) -> None:
        one, outcome = ending.active, ending.outcome
        offer_id = user_offer_id(self._context.tenant, ending.campaign, user, one.entry)
        status = status_of(outcome, held_out=one.held_out)
        self._settled.endings.append(UserOfferEnding(offer_id, status, outcome.at, outcome.reason))
        if not one.held_out:
            self._outcome(user, ending.campaign, one.entry, ending.offer, outcome, funded=ending.funded)

    def _outcome(
        self, user: str, campaign: Campaign, entry: int, offer: Offer, outcome: Outcome, *, funded: bool
    ) -> None:
        offer_id = user_offer_id(self._context.tenant, campaign, user, entry)
        if outcome.status != "earned":
            self._settled.expired.append(Expired(user, campaign.name, offer_id, moment(outcome.at), outcome.reason))
            ended = {"campaign": campaign.name, "offer": offer.name, "status": outcome.status, "reason": outcome.reason}
            self._notify(OFFER_ENDED, user, offer_id, ended)
            return
        grant = grant_id(self._context.tenant, campaign, user, entry)
        self._settled.earned.append(
            Earned(user, campaign.name, offer.name, offer.reward, grant, moment(outcome.at), outcome.event_id)
        )
        row = GrantRow(
            grant,
            user,
            offer_id,
            campaign.name,
            offer.name,
            offer.version,
            offer.reward,
            offer.reward_version,
            EARNED,
            outcome.at,
            outcome.event_id,
            0,
            0,
            None,
            "",
            "",
        )
        self._settled.grants.append(row)
        if not funded:
            self._settled.unfunded.add(grant)

    def _notify(self, kind: str, user: str, subject: str, body: Mapping[str, object]) -> None:
        self._settled.notices.append(notice(self._context, kind, user, subject, body))
