"""The columns of codes that grants carry."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0008_granted_codes",
    (
        """
ALTER TABLE "{prefix}grant" ADD COLUMN "pool" {integer}
""",
        """
ALTER TABLE "{prefix}grant" ADD COLUMN "code" {text} NOT NULL DEFAULT ''
""",
        """
ALTER TABLE "{prefix}grant" ADD COLUMN "issuance" {integer}
""",
        """
CREATE INDEX "{prefix}grant_pool" ON "{prefix}grant" ("tenant", "pool", "earned_at", "id")
    WHERE "status" = 'held' AND "held_for" = 'pool'
""",
    ),
)
