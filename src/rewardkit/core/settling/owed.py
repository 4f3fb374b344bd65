"""A reward that has to be paid from a budget which queues."""

from __future__ import annotations

import attrs

from rewardkit.core.folding.making import Ending, Making
from rewardkit.core.folding.referral_fold import Side


@attrs.frozen
class Owed:
    """A reward that was earned, of a campaign whose budget is asked for it now."""

    at: int
    user: str
    """Who earned it by what she did."""
    campaign: str
    counter: str
    """Of the budget."""
    cost: int
    reward: Making | Ending | Side
    """Which is told whether there was money for it."""

    @property
    def place(self) -> tuple[int, str, str]:
        """In the order in which such rewards were earned."""
        return self.at, self.user, self.campaign

    @property
    def is_denied(self) -> bool:
        """Whether it was not earned after all, since the offer could not be made."""
        return isinstance(self.reward, Making) and self.reward.denied
