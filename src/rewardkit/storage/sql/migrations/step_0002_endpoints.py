"""Endpoints that are told, and which of them has each notice."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0002_endpoints",
    (
        """
ALTER TABLE "{prefix}notice" ADD COLUMN "settled" {text} NOT NULL DEFAULT '{{}}'
""",
        """
CREATE INDEX "{prefix}notice_dead" ON "{prefix}notice" ("tenant", "created_at", "id") WHERE "status" = 'dead'
""",
        """
CREATE TABLE "{prefix}endpoint" (
    "tenant" {text} NOT NULL,
    "name" {text} NOT NULL,
    "status" {text} NOT NULL,
    "since" {integer} NOT NULL,
    "reason" {text} NOT NULL,
    PRIMARY KEY ("tenant", "name")
) {clustered}
""",
    ),
)
