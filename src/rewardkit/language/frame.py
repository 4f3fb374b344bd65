"""What surrounds a node within its segment."""

from __future__ import annotations

import attrs

from rewardkit.language.bounds import Cut
from rewardkit.language.event import Instant


@attrs.frozen
class Frame:
    """What surrounds a node within its segment."""

    followed: bool
    """Whether a step begins where the node ends."""
    cut: Cut = ()
    floor: Instant | None = None
