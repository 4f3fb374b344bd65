"""Attempts at codes by their age, so that old ones are forgotten without a look at all of them."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0014_attempts_by_age",
    ('CREATE INDEX "{prefix}attempt_begun" ON "{prefix}attempt" ("tenant", "begun", "subject")',),
)
