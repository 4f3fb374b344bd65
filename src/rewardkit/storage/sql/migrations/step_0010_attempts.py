"""The table of attempts at promo codes."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0010_attempts",
    (
        """
CREATE TABLE "{prefix}attempt" (
    "tenant" {text} NOT NULL,
    "subject" {text} NOT NULL,
    "begun" {integer} NOT NULL,
    "attempts" {integer} NOT NULL,
    "failures" {integer} NOT NULL,
    "locked_until" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "subject")
) {clustered}
""",
    ),
)
