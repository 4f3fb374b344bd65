"""From lengths at places of a sorted list to quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rewardkit.core.tracking.figures import Lengths
from rewardkit.core.tracking.needs import places
from rewardkit.core.tracking.tallies import LengthTally


def lengths_of(rows: Sequence[LengthTally]) -> Lengths | None:
    """The quantiles of one list; None where it is empty."""
    if not rows:
        return None
    count = rows[0].number
    known = {row.place: timedelta(microseconds=row.length) for row in rows}
    return Lengths(count, *(known[place] for place in places(count)))
