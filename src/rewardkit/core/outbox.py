"""The outbox: notices are leased, told outside any transaction, and then marked, each at its own pace."""

from __future__ import annotations

from typing import Final

import attrs

from rewardkit.core import limits
from rewardkit.core.commands import Command
from rewardkit.core.context import Context, Deciding, Decision
from rewardkit.core.effects import Replace
from rewardkit.core.input import integer, show, text
from rewardkit.core.needs import LeaseNotices, NoticesOf, ask
from rewardkit.core.notices import notice_of
from rewardkit.core.records import Notice
from rewardkit.core.rows import NoticeRow
from rewardkit.errors import Refused

SECOND: Final = 1_000_000
SCHEDULE_SECONDS: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Waits between attempts, about three days in all, as Standard Webhooks suggests; then a notice is dead."""

ERROR_CHARACTERS: Final = 500
"""Of the last failure that are kept: enough to know it by."""


@attrs.frozen
class LeaseOutbox(Command[tuple[NoticeRow, ...]]):
    """Lease pending notices, earliest first, to one worker."""

    limit: int
    lease_seconds: int


@attrs.frozen
class Attempt:
    """How telling one leased notice went; `error` is empty where it was told."""

    id: str
    lease: int
    error: str = ""


@attrs.frozen
class MarkOutbox(Command[int]):
    """Record attempts; answers how many were delivered. An attempt under an older lease is passed over."""

    attempts: tuple[Attempt, ...]


@attrs.frozen
class RetryNotice(Command[Notice]):
    """Put a dead notice back into the outbox, under its id, due now."""

    notice: str


def lease_outbox(command: LeaseOutbox, context: Context) -> Deciding[Decision[tuple[NoticeRow, ...]]]:
    """Take what is due; a worker that dies leaves it due again when the lease ends."""
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    until = context.at + integer(command.lease_seconds, "lease_seconds", least=1, most=86_400) * SECOND
    return Decision((yield from ask(LeaseNotices(context.at, until, limit))))


def mark_outbox(command: MarkOutbox, context: Context) -> Deciding[Decision[int]]:
    """Delivered, or due again after the schedule's next wait, or dead after its last."""
    attempts = {attempt.id: attempt for attempt in command.attempts}
    rows = yield from ask(NoticesOf(tuple(sorted(attempts))))
    after = tuple(
        _marked(row, attempts[row.id].error, context.at)
        for row in rows
        if row.status == "pending" and row.lease == attempts[row.id].lease
    )
    delivered = sum(row.status == "delivered" for row in after)
    return Decision(delivered, (Replace(after),) if after else ())


def _marked(row: NoticeRow, error: str, now: int) -> NoticeRow:
    attempts = row.attempts + 1
    if not error:
        return row._replace(status="delivered", attempts=attempts, attempt_at=now, error="")
    shown = error[:ERROR_CHARACTERS].encode(errors="replace").decode().replace("\x00", "")
    if row.attempts >= len(SCHEDULE_SECONDS):
        return row._replace(status="dead", attempts=attempts, attempt_at=now, error=shown)
    wait = SCHEDULE_SECONDS[row.attempts] * SECOND
    return row._replace(attempts=attempts, attempt_at=now + wait, error=shown)


def retry_notice(command: RetryNotice, context: Context) -> Deciding[Decision[Notice]]:
    """From dead to pending; its schedule begins anew."""
    rows = yield from ask(NoticesOf((text(command.notice, "a notice's id"),)))
    if not rows:
        return Decision(Refused("notice_unknown", f"notice `{show(command.notice)}` does not exist", {}))
    if rows[0].status != "dead":
        sentence = f"notice `{rows[0].id}` is {rows[0].status}, not dead"
        return Decision(Refused("notice_not_dead", sentence, {"status": rows[0].status}))
    after = rows[0]._replace(status="pending", attempts=0, attempt_at=context.at)
    return Decision(notice_of(after), (Replace((after,)),))
