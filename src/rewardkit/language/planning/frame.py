"""What surrounds a node within its segment."""

from __future__ import annotations

import attrs

from rewardkit.language.event import Instant
from rewardkit.language.planning.bounds import Cut


@attrs.frozen
class Frame:
    """What surrounds a node within its segment."""

    followed: bool
    """Whether a step begins where the node ends."""
    cut: Cut = ()
    floor: Instant | None = None
    """What `since` leaves out."""
    ceiling: Instant | None = None
    """What `before` ends, for steps and bodies that begin later too."""
