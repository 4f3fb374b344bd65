"""From what user offers came to in a fold to what is written and answered: rows, grants, notices."""

from __future__ import annotations

from collections.abc import Mapping

from rewardkit.core.deciding.context import Context
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.offer import Offer
from rewardkit.core.folding.making import HELD_OUT, Ending, Making, Outcome, status_of
from rewardkit.core.grants.life import EARNED
from rewardkit.core.notices.notice import OFFER_ENDED, OFFER_MADE, notice
from rewardkit.core.requests.answers import Capped, Earned, Entered, Expired
from rewardkit.core.settling.settled import Settled
from rewardkit.core.storing.rows import GrantRow, UserOfferEnding, UserOfferRow
from rewardkit.core.values.identity import derive
from rewardkit.language.event import moment


def user_offer_id(tenant: str, campaign: Campaign, user: str, entry: int) -> str:
    """The id of a user offer, derived from what makes it unique."""
    return derive("uo", tenant, campaign.name, user, entry)


def grant_id(tenant: str, campaign: Campaign, user: str, entry: int) -> str:
    """The id of a grant, derived from what makes it unique, so that every retry comes to the same."""
    return derive("gr", tenant, campaign.name, user, entry)


class OfferWriter:
    """Adds what happened to user offers to what is settled."""

    def __init__(self, context: Context, settled: Settled) -> None:
        self._context = context
        self._settled = settled

    def made(self, making: Making) -> None:
        """An offer that was made, or denied; with how it ended, where what is known already decides it."""
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
        """The end of an offer that was made before."""
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
