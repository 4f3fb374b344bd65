"""Endpoints that tenants register, and their own copies of notices."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0006_registered_endpoints",
    (
        """
ALTER TABLE "{prefix}notice" ADD COLUMN "endpoint" {text} NOT NULL DEFAULT ''
""",
        # Most notices are for no registered endpoint, and are in neither of its pages.
        """
CREATE INDEX "{prefix}notice_endpoint" ON "{prefix}notice" ("tenant", "endpoint", "created_at", "id")
    WHERE "endpoint" <> ''
""",
        """
CREATE TABLE "{prefix}registered_endpoint" (
    "tenant" {text} NOT NULL,
    "name" {text} NOT NULL,
    "url" {text} NOT NULL,
    "kinds" {text} NOT NULL,
    "status" {text} NOT NULL,
    "since" {integer} NOT NULL,
    "reason" {text} NOT NULL,
    "registered_at" {integer} NOT NULL,
    "generation" {integer} NOT NULL,
    "rotated_at" {integer} NOT NULL,
    "previous_until" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "name")
) {clustered}
""",
        """
CREATE INDEX "{prefix}registered_endpoint_live" ON "{prefix}registered_endpoint" ("tenant", "name")
    WHERE "status" <> 'removed'
""",
    ),
)
