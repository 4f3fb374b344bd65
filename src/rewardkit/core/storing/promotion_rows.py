"""What a store keeps of those who enter promo codes; see `rewardkit.core.storing.rows`."""

from __future__ import annotations

from typing import NamedTuple


class AttemptRow(NamedTuple):
    """How somebody has fared with promo codes. Key: (subject)."""

    subject: str
    """A digest of the user, or of where she comes from: neither is kept for this alone."""
    begun: int
    """Of the minute that is counted."""
    attempts: int
    """In that minute."""
    failures: int
    """Since the last success."""
    locked_until: int
