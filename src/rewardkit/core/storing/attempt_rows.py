"""What a store keeps of those who try codes; see `rewardkit.core.storing.rows`."""

from __future__ import annotations

from typing import NamedTuple


class AttemptRow(NamedTuple):
    """How somebody has fared with codes. Key: (subject)."""

    subject: str
    """A digest of who tries, or of where she comes from: neither is kept for this alone; `*` is everybody."""
    begun: int
    """Of the minute that is counted."""
    attempts: int
    """In that minute; of everybody the failed ones."""
    failures: int
    """Since the last success."""
    locked_until: int
