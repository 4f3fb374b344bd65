"""The variant of its campaign that a referral was made by."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0013_referral_variants",
    (
        """
ALTER TABLE "{prefix}referral" ADD COLUMN "variant" {text} NOT NULL DEFAULT ''
""",
    ),
)
