"""A pool's codes in slices, so that many can be handed out at one time: nobody waits for a count that another holds.

A slice has a quota of codes that may be handed out without a look at the others. As long as the pool is above its low
threshold, the quotas of all slices together are one less than what is left above it: who finds no quota anywhere locks
all slices, and so it is exactly one who takes the pool to its threshold, and exactly one who takes its last code.
Where issuing is not allowed, there are no quotas, and everybody looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rewardkit.core.storing.pool_rows import CodeRow, PoolRow, SliceRow

SLICES: Final = 16
"""Of every pool: more than work on one pool at one time; each costs a reader of its counts a row."""


def empty_slices(pool: int) -> tuple[SliceRow, ...]:
    """Those of a new pool."""
    return tuple(SliceRow(pool, number, 0, 0, 0, 0, 0, 0, 0, 0) for number in range(SLICES))


def remaining(slices: Sequence[SliceRow]) -> int:
    """How many codes are left."""
    return sum(row.remaining for row in slices)


def is_low(pool: PoolRow, slices: Sequence[SliceRow]) -> bool:
    """Whether a pool has a low threshold and is not above it."""
    return pool.low_threshold is not None and remaining(slices) <= pool.low_threshold


def with_quotas(pool: PoolRow, slices: Sequence[SliceRow]) -> tuple[SliceRow, ...]:
    """Slices with the quotas that follow from what they hold."""
    if not pool.issuance_allowed:
        return tuple(row._replace(quota=0) for row in slices)
    if pool.low_threshold is None or is_low(pool, slices):
        return tuple(row._replace(quota=row.remaining) for row in slices)
    # Held back as evenly as can be: from the smallest on, each its share of what is still to be held back.
    held_back, found = pool.low_threshold + 1, {}
    for left, row in zip(range(len(slices), 0, -1), sorted(slices, key=lambda row: row.remaining), strict=True):
        share = min(row.remaining, held_back // left)
        held_back -= share
        found[row.slice] = row._replace(quota=row.remaining - share)
    return tuple(found[row.slice] for row in slices)


def counted(row: SliceRow, before: CodeRow | None, after: CodeRow) -> SliceRow:
    """A slice after one of its codes has changed, or was added where there was none before."""
    counts = row._asdict()
    if before is None:
        counts["total"] += 1
    else:
        counts[_class_of(before)] -= 1
    counts[_class_of(after)] += 1
    if _class_of(after) == "remaining":
        counts["cursor"] = min(row.cursor, after.position)
    return SliceRow(**counts)


def _class_of(code: CodeRow) -> str:
    """The one count that a code is in."""
    if code.status == "unissued":
        return "remaining" if code.active else "inactive"
    return code.status
