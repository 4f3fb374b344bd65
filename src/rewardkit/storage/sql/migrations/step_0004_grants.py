"""The life of a grant: what it is held for, how it failed, what was taken back, and each step."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0004_grants",
    (
        *(
            f"""
ALTER TABLE "{{prefix}}grant" ADD COLUMN {column}
"""
            for column in (
                "\"held_for\" {text} NOT NULL DEFAULT ''",
                '"hold_until" {integer}',
                "\"flags\" {text} NOT NULL DEFAULT ''",
                '"failures" {integer} NOT NULL DEFAULT 0',
                '"retry_at" {integer}',
                "\"reason\" {text} NOT NULL DEFAULT ''",
                "\"reversed\" {text} NOT NULL DEFAULT ''",
                '"freed" {integer} NOT NULL DEFAULT 0',
                '"steps" {integer} NOT NULL DEFAULT 0',
            )
        ),
        """
CREATE INDEX "{prefix}grant_held" ON "{prefix}grant" ("tenant", "held_for", "earned_at", "id") WHERE "status" = 'held'
""",
        """
CREATE INDEX "{prefix}grant_hold" ON "{prefix}grant" ("tenant", "hold_until", "id")
    WHERE "status" = 'held' AND "held_for" = 'hold'
""",
        """
CREATE INDEX "{prefix}grant_undeliverable" ON "{prefix}grant" ("tenant", "earned_at", "id")
    WHERE "status" = 'undeliverable'
""",
        """
CREATE TABLE "{prefix}grant_step" (
    "tenant" {text} NOT NULL,
    "grant" {text} NOT NULL,
    "number" {integer} NOT NULL,
    "at" {integer} NOT NULL,
    "move" {text} NOT NULL,
    "status" {text} NOT NULL,
    "held_for" {text} NOT NULL,
    "by" {text} NOT NULL,
    "reason" {text} NOT NULL,
    "amount" {text} NOT NULL,
    PRIMARY KEY ("tenant", "grant", "number")
) {clustered}
""",
        # Until then a grant was ready or fulfilled, and only the second is the work of a step.
        """
INSERT INTO "{prefix}grant_step"
    ("tenant", "grant", "number", "at", "move", "status", "held_for", "by", "reason", "amount")
SELECT "tenant", "id", 1, "fulfilled_at", 'fulfil', 'fulfilled', '', '', '', ''
FROM "{prefix}grant" WHERE "status" = 'fulfilled'
""",
        """
UPDATE "{prefix}grant" SET "steps" = 1 WHERE "status" = 'fulfilled'
""",
    ),
)
