"""Events, members, definitions, user offers, grants, notices, counters and answers."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0001_first_light",
    (
        """
CREATE TABLE "{prefix}tenant" (
    "tenant" {text} NOT NULL PRIMARY KEY,
    "epoch" {integer} NOT NULL,
    "fingerprint" {integer} NOT NULL
) {clustered}
""",
        # No index by instant: a history is read whole, and sorting it is cheaper than a second tree on every event.
        """
CREATE TABLE "{prefix}event" (
    "tenant" {text} NOT NULL,
    "user" {text} NOT NULL,
    "id" {text} NOT NULL,
    "at" {integer} NOT NULL,
    "order" {integer} NOT NULL,
    "name" {text} NOT NULL,
    "properties" {text} NOT NULL,
    "digest" {bytes} NOT NULL,
    PRIMARY KEY ("tenant", "user", "id")
) {clustered}
""",
        """
CREATE TABLE "{prefix}member" (
    "tenant" {text} NOT NULL,
    "user" {text} NOT NULL,
    "epoch" {integer} NOT NULL,
    "at" {integer} NOT NULL,
    "order" {integer} NOT NULL,
    "id" {text} NOT NULL,
    "wake_at" {integer},
    "state" {bytes} NOT NULL,
    PRIMARY KEY ("tenant", "user")
) {clustered}
""",
        """
CREATE INDEX "{prefix}member_wake" ON "{prefix}member" ("tenant", "wake_at", "user") WHERE "wake_at" IS NOT NULL
""",
        """
CREATE TABLE "{prefix}definition" (
    "tenant" {text} NOT NULL,
    "kind" {text} NOT NULL,
    "name" {text} NOT NULL,
    "version" {integer} NOT NULL,
    "number" {integer} NOT NULL,
    "body" {text} NOT NULL,
    "epoch" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "kind", "name", "version"),
    UNIQUE ("tenant", "number")
) {table}
""",
        """
CREATE TABLE "{prefix}user_offer" (
    "tenant" {text} NOT NULL,
    "id" {text} NOT NULL,
    "user" {text} NOT NULL,
    "campaign" {text} NOT NULL,
    "campaign_version" {integer} NOT NULL,
    "offer" {text} NOT NULL,
    "offer_version" {integer} NOT NULL,
    "entry" {integer} NOT NULL,
    "status" {text} NOT NULL,
    "made_at" {integer} NOT NULL,
    "start_order" {integer} NOT NULL,
    "start_id" {text} NOT NULL,
    "ends_at" {integer},
    "ended_at" {integer},
    "reason" {text} NOT NULL,
    PRIMARY KEY ("tenant", "id"),
    UNIQUE ("tenant", "user", "campaign", "entry")
) {table}
""",
        """
CREATE TABLE "{prefix}grant" (
    "tenant" {text} NOT NULL,
    "id" {text} NOT NULL,
    "user" {text} NOT NULL,
    "user_offer" {text} NOT NULL,
    "campaign" {text} NOT NULL,
    "offer" {text} NOT NULL,
    "offer_version" {integer} NOT NULL,
    "reward" {text} NOT NULL,
    "reward_version" {integer} NOT NULL,
    "status" {text} NOT NULL,
    "earned_at" {integer} NOT NULL,
    "event_id" {text} NOT NULL,
    "lease" {integer} NOT NULL,
    "lease_until" {integer} NOT NULL,
    "fulfilled_at" {integer},
    PRIMARY KEY ("tenant", "id")
) {table}
""",
        """
CREATE INDEX "{prefix}grant_ready" ON "{prefix}grant" ("tenant", "earned_at", "id") WHERE "status" = 'ready'
""",
        """
CREATE INDEX "{prefix}grant_user" ON "{prefix}grant" ("tenant", "user", "earned_at", "id")
""",
        """
CREATE TABLE "{prefix}notice" (
    "tenant" {text} NOT NULL,
    "id" {text} NOT NULL,
    "kind" {text} NOT NULL,
    "user" {text} NOT NULL,
    "body" {bytes} NOT NULL,
    "status" {text} NOT NULL,
    "created_at" {integer} NOT NULL,
    "attempt_at" {integer} NOT NULL,
    "attempts" {integer} NOT NULL,
    "lease" {integer} NOT NULL,
    "error" {text} NOT NULL,
    PRIMARY KEY ("tenant", "id")
) {table}
""",
        """
CREATE INDEX "{prefix}notice_pending" ON "{prefix}notice" ("tenant", "attempt_at", "id") WHERE "status" = 'pending'
""",
        # `confirming` and `releasing` carry a claim into its upsert, and are 0 in every row that was claimed rightly.
        """
CREATE TABLE "{prefix}counter" (
    "tenant" {text} NOT NULL,
    "name" {text} NOT NULL,
    "cap" {integer} NOT NULL,
    "reserved" {integer} NOT NULL CHECK ("reserved" >= 0),
    "confirmed" {integer} NOT NULL CHECK ("confirmed" >= 0),
    "granted" {integer} NOT NULL,
    "confirming" {integer} NOT NULL DEFAULT 0,
    "releasing" {integer} NOT NULL DEFAULT 0,
    PRIMARY KEY ("tenant", "name"),
    CHECK ("reserved" + "confirmed" <= "cap")
) {clustered}
""",
        """
CREATE TABLE "{prefix}answer" (
    "tenant" {text} NOT NULL,
    "operation" {text} NOT NULL,
    "key" {text} NOT NULL,
    "digest" {bytes} NOT NULL,
    "answer" {text} NOT NULL,
    "at" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "operation", "key")
) {table}
""",
    ),
)
