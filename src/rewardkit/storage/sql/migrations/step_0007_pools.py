"""The tables of pools."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0007_pools",
    (
        """
CREATE TABLE "{prefix}pool" (
    "tenant" {text} NOT NULL,
    "id" {numbered} NOT NULL,
    "name" {text} NOT NULL,
    "issuance_allowed" {integer} NOT NULL,
    "redemption_allowed" {integer} NOT NULL,
    "distribution" {text} NOT NULL,
    "bearer" {integer} NOT NULL,
    "low_threshold" {integer},
    "max_characters" {integer} NOT NULL,
    "email" {text} NOT NULL,
    "redemption_limit" {integer},
    "issuee_limit" {integer},
    "valid_from" {integer},
    "valid_until" {integer},
    "positions" {integer} NOT NULL,
    "created_at" {integer} NOT NULL,
    "updated_at" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "id"),
    UNIQUE ("tenant", "name")
) {table}
""",
        """
CREATE TABLE "{prefix}slice" (
    "tenant" {text} NOT NULL,
    "pool" {integer} NOT NULL,
    "slice" {integer} NOT NULL,
    "total" {integer} NOT NULL,
    "issued" {integer} NOT NULL CHECK ("issued" >= 0),
    "remaining" {integer} NOT NULL CHECK ("remaining" >= 0),
    "inactive" {integer} NOT NULL CHECK ("inactive" >= 0),
    "void" {integer} NOT NULL CHECK ("void" >= 0),
    "quota" {integer} NOT NULL CHECK ("quota" >= 0),
    "cursor" {integer} NOT NULL,
    "crossings" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "pool", "slice"),
    CHECK ("issued" + "remaining" + "inactive" + "void" = "total"),
    CHECK ("quota" <= "remaining")
) {clustered}
""",
        # What changes when a code is issued or redeemed is in no index, so that PostgreSQL leaves the indexes alone.
        """
CREATE TABLE "{prefix}code" (
    "tenant" {text} NOT NULL,
    "key" {text} NOT NULL,
    "code" {text} NOT NULL,
    "pool" {integer} NOT NULL,
    "slice" {integer} NOT NULL,
    "position" {integer} NOT NULL,
    "status" {text} NOT NULL DEFAULT 'unissued',
    "active" {integer} NOT NULL DEFAULT 1,
    "issuee" {text} NOT NULL DEFAULT '',
    "external_issuee" {text} NOT NULL DEFAULT '',
    "issuances" {integer} NOT NULL DEFAULT 0,
    "issuees" {integer} NOT NULL DEFAULT 0 CHECK ("issuees" <= "issuances"),
    "redemptions" {integer} NOT NULL DEFAULT 0 CHECK ("redemptions" >= 0),
    "redeemers" {integer} NOT NULL DEFAULT 0 CHECK ("redeemers" BETWEEN 0 AND "redemptions"),
    "reserved" {integer} NOT NULL DEFAULT 0 CHECK ("reserved" >= 0),
    "redeemed" {integer} NOT NULL DEFAULT 0 CHECK ("redeemed" >= "redemptions"),
    "limit" {integer},
    "created_at" {integer} NOT NULL,
    "updated_at" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "key"),
    UNIQUE ("tenant", "pool", "slice", "position"),
    CHECK ("redemptions" + "reserved" <= "limit")
) {table}
""",
        """
CREATE TABLE "{prefix}issuance" (
    "tenant" {text} NOT NULL,
    "id" {numbered} NOT NULL,
    "key" {text} NOT NULL,
    "number" {integer} NOT NULL,
    "code" {text} NOT NULL,
    "pool" {integer} NOT NULL,
    "issuee" {text} NOT NULL,
    "external_issuee" {text} NOT NULL,
    "application" {text} NOT NULL,
    "reference" {text} NOT NULL,
    "created_at" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "id"),
    UNIQUE ("tenant", "key", "number")
) {table}
""",
        """
CREATE TABLE "{prefix}holding" (
    "tenant" {text} NOT NULL,
    "pool" {integer} NOT NULL,
    "issuee" {text} NOT NULL,
    "key" {text} NOT NULL,
    PRIMARY KEY ("tenant", "pool", "issuee")
) {clustered}
""",
        """
CREATE TABLE "{prefix}redemption" (
    "tenant" {text} NOT NULL,
    "id" {numbered} NOT NULL,
    "key" {text} NOT NULL,
    "number" {integer} NOT NULL,
    "code" {text} NOT NULL,
    "pool" {integer} NOT NULL,
    "issuee" {text} NOT NULL,
    "external_issuee" {text} NOT NULL,
    "application" {text} NOT NULL,
    "reference" {text} NOT NULL,
    "reservation" {text} NOT NULL,
    "created_at" {integer} NOT NULL,
    "rolled_back_at" {integer},
    PRIMARY KEY ("tenant", "id"),
    UNIQUE ("tenant", "key", "number")
) {table}
""",
        """
CREATE TABLE "{prefix}redeemer" (
    "tenant" {text} NOT NULL,
    "key" {text} NOT NULL,
    "issuee" {text} NOT NULL,
    "redemptions" {integer} NOT NULL CHECK ("redemptions" >= 0),
    "reserved" {integer} NOT NULL CHECK ("reserved" >= 0),
    PRIMARY KEY ("tenant", "key", "issuee")
) {clustered}
""",
        """
CREATE TABLE "{prefix}reservation" (
    "tenant" {text} NOT NULL,
    "id" {text} NOT NULL,
    "key" {text} NOT NULL,
    "code" {text} NOT NULL,
    "pool" {integer} NOT NULL,
    "issuee" {text} NOT NULL,
    "external_issuee" {text} NOT NULL,
    "application" {text} NOT NULL,
    "reference" {text} NOT NULL,
    "status" {text} NOT NULL,
    "expires_at" {integer} NOT NULL,
    "redemption" {integer},
    "created_at" {integer} NOT NULL,
    "updated_at" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "id")
) {table}
""",
        """
CREATE INDEX "{prefix}reservation_open" ON "{prefix}reservation" ("tenant", "key", "id") WHERE "status" = 'open'
""",
    ),
)
