"""What came of adding codes to a pool."""

from __future__ import annotations

import attrs

from rewardkit.core.values.input import masked


@attrs.frozen
class RefusedRow:
    """A row that was not added: `duplicate`, `too_long`, `malformed` or `empty`."""

    row: int
    """From 1."""
    code: str = attrs.field(repr=masked)
    """As it was given, at most 64 characters of it."""
    reason: str
    sentence: str


@attrs.frozen
class ImportReport:
    """What came of adding codes to a pool; every row was added or refused."""

    added: int = 0
    duplicates: int = 0
    """Of the refused: codes that are there already, in this pool or another, or earlier in the same rows."""
    refused: int = 0
    rows: tuple[RefusedRow, ...] = ()
    """The refused, the first thousand of them."""
