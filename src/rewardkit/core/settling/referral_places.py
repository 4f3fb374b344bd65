"""What ended referrals take of their senders' caps, and leave of their campaigns' limits: settled with all others."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping

from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.referral_fold import Closing
from rewardkit.core.settling.owed import Owed
from rewardkit.core.settling.wanted import Wanted

EARNED = "earned"


class ReferralPlaces:
    """What the referrals that folds ended take of their senders' counters, and leave to their campaigns'.

    A sender's counter keeps what was taken as reserved: a reward that was earned is never confirmed in a second step.
    """

    def __init__(self, catalogue: Catalogue, folds: Iterable[Fold]) -> None:
        self._catalogue = catalogue
        self._ended = [closing for fold in folds for closing in closings_of(fold)]
        found = [closing for closing in self._ended if closing.outcome.status == EARNED]
        # The order in which they were earned, whatever order they are noticed in.
        self._earned = sorted(found, key=lambda one: (one.outcome.at, one.referral.recipient, one.referral.program.id))
        self._caps: dict[str, int] = {}
        self._counters: list[tuple[str, ...]] = []
        for closing in self._earned:
            program = catalogue.referrals.programs[closing.referral.program.name]
            sender = closing.referral.sender
            closing.period = program.period_of(closing.outcome.at)
            names = [program.counter(sender)]
            self._caps[names[0]] = program.lifetime_cap
            if program.period_cap is not None:
                names.append(program.counter(sender, closing.period))
                self._caps[names[1]] = program.period_cap
            self._counters.append(tuple(names))

    def want(self, wanted: MutableMapping[str, Wanted]) -> None:
        """Ask for a place of each of its counters for every reward, and for what budgets that queue have to pay.

        What was taken at the entry is confirmed or goes back, but for what depends on the sender's caps.
        """
        for names in self._counters:
            for name in names:
                wanted.setdefault(name, Wanted()).ask(self._caps[name], 1)
        for closing in self._ended:
            status = closing.outcome.status
            for held in closing.referral.held:
                known = held.always if status == EARNED else held.always + held.of_sender
                wanted.setdefault(held.counter, Wanted()).settle(known, status)
        for closing in self._earned:
            campaign = self._queueing(closing)
            if campaign is not None:
                costs = self._catalogue.referral_costs(closing.referral.program)
                wanted.setdefault(campaign.budget_counter, Wanted()).ask(campaign.money, sum(costs))

    def share(self, left: MutableMapping[str, int], follow: MutableMapping[str, Wanted]) -> list[Owed]:
        """Give the places to those who earned first.

        Args:
            left: what each counter gave; what stays there goes back.
            follow: what is to be confirmed and released then.

        Returns:
            what budgets that queue have to pay, in the order in which it was earned.
        """
        owed: list[Owed] = []
        for closing, names in zip(self._earned, self._counters, strict=True):
            closing.capped = not all(left[name] for name in names)
            if closing.capped:
                closing.period = ""
            else:
                for name in names:
                    left[name] -= 1
            for held in closing.referral.held:
                follow[held.counter].settle(held.of_sender, "capped" if closing.capped else EARNED)
            owed += self._owed(closing)
        return owed

    def _owed(self, closing: Closing) -> list[Owed]:
        campaign, referral, at = self._queueing(closing), closing.referral, closing.outcome.at
        if campaign is None:
            return []
        sender, recipient = self._catalogue.referral_costs(referral.program)
        sides = [(recipient, closing.recipient)]
        if not closing.capped:
            sides.append((sender, closing.sender))
        counter = campaign.budget_counter
        return [Owed(at, referral.recipient, campaign.name, counter, cost, side) for cost, side in sides]

    def _queueing(self, closing: Closing) -> ReferralCampaign | None:
        """Its campaign, if that has a budget which is asked now."""
        campaign = self._catalogue.referrals.campaigns.get(closing.referral.campaign)
        return campaign if campaign is not None and campaign.queues else None


def closings_of(fold: Fold) -> list[Closing]:
    """How referrals ended in a fold, those that it opened too."""
    opened = [opening.closing for opening in fold.referrals.openings if opening.closing is not None]
    return [*fold.referrals.closings, *opened]
