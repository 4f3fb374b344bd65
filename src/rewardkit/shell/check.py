"""Checking grants that are held for review: leased in one transaction, checked outside any, recorded in another."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import attrs

from rewardkit.core.grants.reviewing import ClaimChecks, RecordCheck
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.records import Grant
from rewardkit.errors import Refused, ValidationError
from rewardkit.ports import Check

LEASE_SECONDS = 600
"""How long a batch of checks may take without another worker beginning it again."""

_BATCH_GRANTS = 50

_LOG = logging.getLogger("rewardkit.checks")


@attrs.frozen
class Checked:
    """What one call of `check` came to."""

    passed: int = 0
    flagged: int = 0
    """Held until somebody approves or denies them; those that somebody always looks at, too."""
    failed: int = 0
    """The check itself failed, which the log tells: they are held, and checked again later."""
    overtaken: int = 0
    """Somebody else checked, approved, denied or reversed them meanwhile."""

    @property
    def taken(self) -> int:
        """How many were looked at."""
        return self.passed + self.flagged + self.failed + self.overtaken

    def __add__(self, other: Checked) -> Checked:
        return Checked(
            self.passed + other.passed,
            self.flagged + other.flagged,
            self.failed + other.failed,
            self.overtaken + other.overtaken,
        )


def check_grants(attempt: Callable[[Command[Any]], Any], check: Check, limit: int) -> Checked:
    """Check what nobody has checked, up to `limit` grants; what a crash leaves is checked again when its lease ends."""
    total = Checked()
    while total.taken < limit:
        size = min(_BATCH_GRANTS, limit - total.taken)
        claimed = attempt(ClaimChecks(size, LEASE_SECONDS)).grants
        for grant in claimed:
            total += _check(attempt, check, grant)
        if len(claimed) < size:
            break
    return total


def _check(attempt: Callable[[Command[Any]], Any], check: Check, grant: Grant) -> Checked:
    try:
        flags = tuple(check(grant))
    except Exception:  # noqa: BLE001 - whatever it is, it lets nothing pass
        _LOG.exception("the check of grant %s failed; it stays held and is checked again", grant.id)
        return Checked(failed=1)
    try:
        recorded = attempt(RecordCheck(grant.id, flags, lease=grant.lease))
    except ValidationError:
        _LOG.exception("the flags of grant %s cannot be kept; it stays held and is checked again", grant.id)
        return Checked(failed=1)
    if isinstance(recorded, Refused):
        return Checked(overtaken=1)
    return Checked(flagged=1) if recorded.held_for == "review" else Checked(passed=1)
