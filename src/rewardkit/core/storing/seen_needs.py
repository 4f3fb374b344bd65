"""What queries ask: rows as they were committed, nothing taken or held; see `rewardkit.core.storing.needs`."""

from __future__ import annotations

import attrs

from rewardkit.core.storing.needs import Need
from rewardkit.core.storing.rows import MemberRow


@attrs.frozen
class InForce(Need[tuple[int, int]]):
    """The tenant's epoch and fingerprint as they were committed, (0, 0) before the first."""


@attrs.frozen
class MembersSeen(Need[tuple[MemberRow, ...]]):
    """The member rows of these users that exist, in user order, as they were committed."""

    users: tuple[str, ...]
