"""Grants that could not be given: tried again later, and put aside for somebody to look at where that is no use."""

from __future__ import annotations

from typing import Any, Final

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.drafts.defining import elapsed
from rewardkit.core.grants.granting import found, require_idle, require_lease, written
from rewardkit.core.grants.life import READY, UNDELIVERABLE, Place, moved
from rewardkit.core.notices.notice import GRANT_READY, GRANT_UNDELIVERABLE, notice, of_grant
from rewardkit.core.notices.outbox import SCHEDULE_SECONDS
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.records import Grant
from rewardkit.core.storing.rows import GrantRow
from rewardkit.core.values.identity import digest
from rewardkit.core.values.input import text
from rewardkit.errors import ValidationError

SECOND: Final = 1_000_000

REASON_CHARACTERS: Final = 500
"""Of why something happened to a grant: a sentence or two."""


@attrs.frozen
class FailGrant(Command[Grant]):
    """Say that a grant's reward could not be given, and why: it can be claimed again later, or is undeliverable.

    Waits follow the schedule of notices, five seconds to a day, about three days in all; then it is undeliverable.
    What fails together comes back apart: each wait lies between half and one and a half of the schedule's.

    Args:
        grant: its id.
        reason: why, for people; kept and shown.
        lease: the grant's `lease` as claimed; needed while it is leased, and over with this failure.
        retry_after: instead of the schedule's wait, elapsed time such as `30m`; so it never becomes undeliverable.
        final: trying again would not help: it is undeliverable now.
    """

    grant: str
    reason: str
    lease: int | None = attrs.field(default=None, kw_only=True)
    retry_after: str | None = attrs.field(default=None, kw_only=True)
    final: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class RetryGrant(Command[Grant]):
    """Put an undeliverable grant back: it is ready at once, is told of again, and its schedule begins anew.

    Args:
        grant: its id.
        by: who did it, for the record.
        reason: why, for the record.
    """

    grant: str
    by: str = attrs.field(default="", kw_only=True)
    reason: str = attrs.field(default="", kw_only=True)


def fail_grant(command: FailGrant, context: Context) -> Deciding[Decision[Grant]]:
    """Ready again after a wait, or undeliverable; either way its lease is over."""
    reason = sentence(command.reason, "reason")
    if not isinstance(command.final, bool):
        raise ValidationError("final must be True or False")
    wait = None if command.retry_after is None else elapsed(command.retry_after, "retry_after")
    if wait is not None and command.final:
        raise ValidationError("retry_after says when to try again, and final that nobody should: give one of them")
    row, catalogue = yield from found(command.grant, "fail", context)
    if command.lease is None:
        require_idle(row, context.at)
    require_lease(row, command.lease)
    ended = row._replace(lease=row.lease + 1, failures=row.failures + 1, reason=reason)
    if command.final or (wait is None and row.failures >= len(SCHEDULE_SECONDS)):
        aside = moved(ended, "fail", Place(UNDELIVERABLE), context.at, reason=reason)
        body: dict[str, Any] = of_grant(ended, catalogue) | {"reason": reason, "failures": ended.failures}
        told = notice(context, GRANT_UNDELIVERABLE, row.user, row.id, body, step=aside.row.steps)
        return written(catalogue, aside, (told,), retry_at=None, lease_until=0)
    at = context.at + (_wait(row) if wait is None else wait)
    again = moved(ended, "fail", Place(READY), context.at, reason=reason)
    return written(catalogue, again, retry_at=at, lease_until=at)


def retry_grant(command: RetryGrant, context: Context) -> Deciding[Decision[Grant]]:
    """From undeliverable to ready."""
    by, reason = optional(command.by, "by"), optional(command.reason, "reason")
    row, catalogue = yield from found(command.grant, "retry", context)
    back = moved(row._replace(failures=0), "retry", Place(READY), context.at, by=by, reason=reason)
    told = notice(context, GRANT_READY, row.user, row.id, of_grant(row, catalogue), step=back.row.steps)
    return written(catalogue, back, (told,))


def sentence(value: str, what: str) -> str:
    """Why something happens to a grant."""
    return text(value, what, most=REASON_CHARACTERS)


def optional(value: str, what: str) -> str:
    """The same, where it may be left out."""
    return sentence(value, what) if value != "" else ""


def _wait(row: GrantRow) -> int:
    """Microseconds until a grant is tried again: the schedule's, shifted by its id and turn."""
    mean = SCHEDULE_SECONDS[row.failures] * SECOND
    share = int.from_bytes(digest(row.id, str(row.failures))[:4], "big")
    return mean // 2 + mean * share // 2**32
