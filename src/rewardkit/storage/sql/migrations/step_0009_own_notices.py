"""An index of the notices that are for no registered endpoint."""

from __future__ import annotations

from typing import Final

from rewardkit.storage.sql.migration import Migration

STEP: Final = Migration(
    "0009_own_notices",
    (
        # A worker that reaches no registered endpoint reads this one, and passes over nothing that waits for others.
        """
CREATE INDEX "{prefix}notice_own" ON "{prefix}notice" ("tenant", "endpoint", "attempt_at", "id")
    WHERE "status" = 'pending' AND "endpoint" = ''
""",
    ),
)
