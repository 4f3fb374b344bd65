"""What decisions about promo codes ask of the world; see `rewardkit.core.storing.needs`."""

from __future__ import annotations

import attrs

from rewardkit.core.storing.needs import Need
from rewardkit.core.storing.promotion_rows import AttemptRow


@attrs.frozen
class TakeAttempts(Need[tuple[AttemptRow, ...]]):
    """The rows of these subjects, in their order; one that is not there is inserted, all zero. *Takes* and *locks*.

    The subjects are sorted, each once. Locked before users.
    """

    subjects: tuple[str, ...]
