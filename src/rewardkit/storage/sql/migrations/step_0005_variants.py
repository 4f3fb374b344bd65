"""The variant that a user offer was made of."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0005_variants",
    (
        """
ALTER TABLE "{prefix}user_offer" ADD COLUMN "variant" {text} NOT NULL DEFAULT ''
""",
    ),
)
