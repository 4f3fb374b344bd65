"""The schema, as numbered steps. A step that has been released is never changed; a new one is added after it.

Columns are text, integers of 64 bits and bytes: they come back the same through every driver, and through Django's.
Every table and every unique index leads with the tenant, so that tenants never meet, and tables shard by it.
"""

from __future__ import annotations

from rewardkit.storage.sql.migrations.step_0001_first_light import STEP as FIRST_LIGHT
from rewardkit.storage.sql.migrations.step_0002_endpoints import STEP as ENDPOINTS
from rewardkit.storage.sql.migrations.step_0003_referrals import STEP as REFERRALS
from rewardkit.storage.sql.migrations.step_0004_grants import STEP as GRANTS
from rewardkit.storage.sql.migrations.step_0005_variants import STEP as VARIANTS
from rewardkit.storage.sql.migrations.step_0006_registered_endpoints import STEP as REGISTERED_ENDPOINTS
from rewardkit.storage.sql.migrations.step_0007_pools import STEP as POOLS
from rewardkit.storage.sql.migrations.step_0008_granted_codes import STEP as GRANTED_CODES
from rewardkit.storage.sql.migrations.step_0009_own_notices import STEP as OWN_NOTICES
from rewardkit.storage.sql.migrations.step_0010_attempts import STEP as ATTEMPTS
from rewardkit.storage.sql.migrations.step_0011_held_out_senders import STEP as HELD_OUT_SENDERS
from rewardkit.storage.sql.migrations.step_0012_referral_places import STEP as REFERRAL_PLACES
from rewardkit.storage.sql.migrations.step_0013_referral_variants import STEP as REFERRAL_VARIANTS
from rewardkit.storage.sql.migrations.step_0014_attempts_by_age import STEP as ATTEMPTS_BY_AGE

MIGRATION_TABLE = """
CREATE TABLE IF NOT EXISTS "{prefix}migration" (
    "number" {integer} NOT NULL PRIMARY KEY,
    "name" {text} NOT NULL
) {table}
"""
"""Which steps have been applied; made before the first."""

MIGRATIONS = (
    FIRST_LIGHT,
    ENDPOINTS,
    REFERRALS,
    GRANTS,
    VARIANTS,
    REGISTERED_ENDPOINTS,
    POOLS,
    GRANTED_CODES,
    OWN_NOTICES,
    ATTEMPTS,
    HELD_OUT_SENDERS,
    REFERRAL_PLACES,
    REFERRAL_VARIANTS,
    ATTEMPTS_BY_AGE,
)
"""All steps, each in a file of its own that has its name; the place of each is its number, from 1."""
