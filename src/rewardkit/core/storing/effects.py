"""What a decision changes: written together, after it has been made, in the transaction that it was made in.

The effects of one `write` touch no row twice: neither an `Insert` and a `Replace` of one key, nor one key in two of
them, so that a store may apply them in any order, or all in one statement.
A row that is replaced has been locked before: itself, or through its user.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from rewardkit.core.storing.rows import Row


@attrs.frozen
class Insert:
    """Rows of one type whose keys must be new; an existing key is an `InvariantError`."""

    rows: tuple[Row, ...]


@attrs.frozen
class Replace:
    """Rows of one type whose keys must exist, each exactly once; all columns of the row's type are overwritten.

    A key that does not exist is an `InvariantError`.
    """

    rows: tuple[Row, ...]


@attrs.frozen
class Publish:
    """Set the tenant's epoch and fingerprint, from exactly `epoch - 1`; otherwise an `InvariantError`."""

    epoch: int
    fingerprint: int


Effect: TypeAlias = Insert | Replace | Publish
