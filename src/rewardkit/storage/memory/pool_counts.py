"""What the counts of pools never are: the checks that a database has in its tables."""

from __future__ import annotations

from rewardkit.core.storing.pool_rows import CodeRow, RedeemerRow, SliceRow
from rewardkit.errors import InvariantError


def check_counts(row: SliceRow | CodeRow | RedeemerRow) -> None:
    """Raise `InvariantError` where a count is out of its bounds."""
    if not _sound(row):
        raise InvariantError(f"a row of a pool has a count that is out of bounds: `{type(row).__name__}`")


def _sound(row: SliceRow | CodeRow | RedeemerRow) -> bool:
    match row:
        case SliceRow():
            counts = row.issued, row.remaining, row.inactive, row.void
            return min(counts) >= 0 and sum(counts) == row.total and 0 <= row.quota <= row.remaining
        case CodeRow():
            taken = row.redemptions + row.reserved
            return (
                row.issuees <= row.issuances
                and 0 <= row.redeemers <= row.redemptions <= row.redeemed
                and row.reserved >= 0
                and (row.limit is None or taken <= row.limit)
            )
        case RedeemerRow():
            return min(row.redemptions, row.reserved) >= 0
