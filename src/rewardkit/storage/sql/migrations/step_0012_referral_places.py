"""The places that a referral takes under its campaign's caps."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0012_referral_places",
    (
        """
ALTER TABLE "{prefix}referral" ADD COLUMN "places" {text} NOT NULL DEFAULT ''
""",
    ),
)
