"""The schema, as numbered steps. A step that has been released is never changed; a new one is added after it.

Columns are text, integers of 64 bits and bytes: they come back the same through every driver, and through Django's.
Every table and every unique index leads with the tenant, so that tenants never meet, and tables shard by it.
"""

from __future__ import annotations

from rewardkit.storage.sql.attempts_migration import ATTEMPTS
from rewardkit.storage.sql.granted_codes_migration import GRANTED_CODES
from rewardkit.storage.sql.migration import Migration
from rewardkit.storage.sql.pool_migration import POOLS

MIGRATION_TABLE = """
CREATE TABLE IF NOT EXISTS "{prefix}migration" (
    "number" {integer} NOT NULL PRIMARY KEY,
    "name" {text} NOT NULL
) {table}
"""
"""Which steps have been applied; made before the first."""

_FIRST_LIGHT = Migration(
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

_ENDPOINTS = Migration(
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

_REFERRALS = Migration(
    "0003_referrals",
    (
        """
ALTER TABLE "{prefix}grant" ADD COLUMN "referral" {text} NOT NULL DEFAULT ''
""",
        """
ALTER TABLE "{prefix}grant" ADD COLUMN "side" {text} NOT NULL DEFAULT ''
""",
        """
CREATE TABLE "{prefix}referral" (
    "tenant" {text} NOT NULL,
    "id" {text} NOT NULL,
    "sender" {text} NOT NULL,
    "recipient" {text} NOT NULL,
    "program" {text} NOT NULL,
    "program_version" {integer} NOT NULL,
    "campaign" {text} NOT NULL,
    "status" {text} NOT NULL,
    "made_at" {integer} NOT NULL,
    "ends_at" {integer},
    "ended_at" {integer},
    "reason" {text} NOT NULL,
    "sender_reward" {text} NOT NULL,
    "period" {text} NOT NULL,
    PRIMARY KEY ("tenant", "id"),
    UNIQUE ("tenant", "recipient", "program"),
    CHECK ("sender" <> "recipient")
) {table}
""",
        """
CREATE INDEX "{prefix}referral_sender" ON "{prefix}referral" ("tenant", "sender", "made_at", "id")
""",
        """
CREATE TABLE "{prefix}referral_code" (
    "tenant" {text} NOT NULL,
    "user" {text} NOT NULL,
    "code" {text} NOT NULL,
    "made_at" {integer} NOT NULL,
    PRIMARY KEY ("tenant", "user"),
    UNIQUE ("tenant", "code")
) {table}
""",
    ),
)

_GRANTS = Migration(
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

_VARIANTS = Migration(
    "0005_variants",
    (
        """
ALTER TABLE "{prefix}user_offer" ADD COLUMN "variant" {text} NOT NULL DEFAULT ''
""",
    ),
)

_REGISTERED_ENDPOINTS = Migration(
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

_OWN_NOTICES = Migration(
    "0009_own_notices",
    (
        # A worker that reaches no registered endpoint reads this one, and passes over nothing that waits for others.
        """
CREATE INDEX "{prefix}notice_own" ON "{prefix}notice" ("tenant", "endpoint", "attempt_at", "id")
    WHERE "status" = 'pending' AND "endpoint" = ''
""",
    ),
)

MIGRATIONS = (
    _FIRST_LIGHT,
    _ENDPOINTS,
    _REFERRALS,
    _GRANTS,
    _VARIANTS,
    _REGISTERED_ENDPOINTS,
    POOLS,
    GRANTED_CODES,
    _OWN_NOTICES,
    ATTEMPTS,
)
