"""The referral campaign that a sender was held out of, as a recipient entered by her."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0011_held_out_senders",
    (
        """
ALTER TABLE "{prefix}referral" ADD COLUMN "held_out" {text} NOT NULL DEFAULT ''
""",
    ),
)
