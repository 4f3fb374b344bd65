"""What one user offer takes of its campaign's limits, while it is active and once it is earned."""

from __future__ import annotations

from typing import NamedTuple


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
