"""Referrals, and the codes of their senders."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
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
