"""What one user offer takes of its campaign's limits, while it is active and once it is earned."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rewardkit.core.definitions.campaign_terms import units_in

if TYPE_CHECKING:
    from rewardkit.core.definitions.campaign import Campaign


class Taking(NamedTuple):
    """As a user's row keeps it, so that what is given back is what was taken, whatever the campaign says by then."""

    counted: bool = False
    """Whether it takes a place under the cap."""
    units: int = 0
    """Whose caps it takes a place under, a bit each."""
    made_at: int = 0
    """In which of their periods."""
    cost: int = 0
    """What it takes of the budget, in ten-thousandths."""

    def __bool__(self) -> bool:
        return self.counted or self.units > 0 or self.cost > 0

    def amounts(self, campaign: Campaign) -> dict[str, int]:
        """How much of which counter."""
        found = {campaign.counter: 1} if self.counted else {}
        for unit in units_in(self.units):
            found[campaign.period_counter(unit, self.made_at)] = 1
        if self.cost:
            found[campaign.budget_counter] = self.cost
        return found
