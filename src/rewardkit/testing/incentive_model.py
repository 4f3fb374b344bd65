"""Offers, referrals, campaigns and grants together: what must hold after every step of a history, by letters.

Five accounts, none of which folds anything: what conditions mean for offers (`Model`) and for referrals
(`ReferralStory`), what was done to grants (`GrantBook`), and what all that takes of the limits (`CampaignBook`) and of
budgets (`BudgetBook`).
Beside them the audits: of one place in time, and of what lies between two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from rewardkit.core.requests.commands import Emit
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_steps import step_violations
from rewardkit.testing.budget_book import BudgetBook
from rewardkit.testing.campaign_book import CampaignBook
from rewardkit.testing.deed import Deed
from rewardkit.testing.grant_book import GrantBook
from rewardkit.testing.model import Model
from rewardkit.testing.model_step import folded_now, step_of
from rewardkit.testing.referral_story import ReferralStory

PROMISES: Mapping[str, str] = {
    "R1": "a recipient enters one referral of a program at most, and not her own",
    "R2": "both sides of a referral are decided together",
    "R3": "a sender earns no more than her caps allow",
    "R4": "a sender has one code, always the same",
    "O1": "an entry into an offer earns one reward at most",
    "O2": "a reward, or a recorded `capped`, is there if and only if the condition held while it was open",
    "O3": "the same events come to the same, in whatever order they are given",
    "O4": "what was earned stands",
    "E1": "an event counts once, however often it comes",
    "E2": "an accepted event is never lost, and counts once in all that is open",
    "E3": "it does not matter which worker does what",
}


class IncentiveModel:
    """The five accounts of one history."""

    def __init__(self) -> None:
        self._offers = Model()
        self._grants = GrantBook()
        self._budgets = BudgetBook(self._grants)
        self.referrals = ReferralStory(self._budgets)
        self._campaigns = CampaignBook()

    def learn(self, deed: Deed) -> None:
        """Take note of what was defined."""
        self._grants.learn(deed)
        self._budgets.learn(deed)
        self._campaigns.learn(deed)
        self.referrals.learn(deed)

    def violations(self, deed: Deed) -> Iterator[str]:
        """What is broken after a step, in sentences that begin with the invariant's letters."""
        self.learn(deed)
        yield from violations(deed.after)
        yield from step_violations(deed)
        step = step_of(deed.command, deed.answer, deed.at, deed.before, deed.after)
        yield from (
            line if line[2:3] == ":" else f"O2: {line}"
            for line in self._offers.violations(deed.before, deed.after, step)
        )
        folded = {row.user: row.at for row in deed.after.members}
        read = folded_now(deed.before, deed.after) | dict(step.read)
        until = {user: max(at, folded[user]) for user, at in read.items() if user in folded}
        yield from self.referrals.violations(deed, until)
        yield from self._grants.violations(deed)
        yield from self._budgets.violations(deed)
        yield from self._campaigns.violations(deed)


def examined(deed: Deed) -> Counter[str]:
    """How many facts each promise was held against after a step; O3 and E3 are held by those who do it again."""
    after = deed.after
    decided = [row for row in after.referrals if row.status == "completed"]
    return Counter(
        {
            "R1": len(after.referrals),
            "R2": len(decided),
            "R3": sum(row.sender_reward == "granted" for row in decided),
            "R4": len(after.referral_codes),
            "O1": len(after.user_offers),
            "O2": len(after.user_offers) + len(after.referrals),
            "O4": len(deed.before.grants),
            "E1": len(deed.command.events) if isinstance(deed.command, Emit) else 0,
            "E2": len(after.events),
        }
    )
