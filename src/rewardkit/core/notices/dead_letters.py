"""Dead letters: notices that some endpoint has not had and will not have, until somebody replays them."""

from __future__ import annotations

import json

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.notices.notice import notice_of, settled_in
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.records import Notice
from rewardkit.core.storing.effects import Replace
from rewardkit.core.storing.needs import ListNotices, NoticesOf, ask
from rewardkit.core.storing.rows import NoticeRow
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import Refused


@attrs.frozen
class RetryNotice(Command[Notice]):
    """Put a dead notice back into the outbox, under its id, due now; endpoints that have it are not told again."""

    notice: str


@attrs.frozen
class ReplayDeadLetters(Command[int]):
    """Put dead notices back into the outbox, earliest created first; answers how many. Repeat it until it answers 0.

    Args:
        limit: notices, at most 1,000.
    """

    limit: int = 100


def retry_notice(command: RetryNotice, context: Context) -> Deciding[Decision[Notice]]:
    """From dead to pending; its schedule begins anew."""
    rows = yield from ask(NoticesOf((text(command.notice, "a notice's id"),)))
    if not rows:
        return Decision(Refused("notice_unknown", f"notice `{show(command.notice)}` does not exist", {}))
    if rows[0].status != "dead":
        sentence = f"notice `{rows[0].id}` is {rows[0].status}, not dead"
        return Decision(Refused("notice_not_dead", sentence, {"status": rows[0].status}))
    after = _revived(rows[0], context.at)
    return Decision(notice_of(after), (Replace((after,)),))


def replay_dead_letters(command: ReplayDeadLetters, context: Context) -> Deciding[Decision[int]]:
    """Those that are found dead, and still are when they are locked."""
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    found = yield from ask(ListNotices("dead", None, limit))
    rows = yield from ask(NoticesOf(tuple(sorted(row.id for row in found))))
    after = tuple(_revived(row, context.at) for row in rows if row.status == "dead")
    return Decision(len(after), (Replace(after),) if after else ())


def _revived(row: NoticeRow, now: int) -> NoticeRow:
    had = {name: "" for name, reason in settled_in(row).items() if not reason}
    return row._replace(status="pending", attempts=0, attempt_at=now, settled=json.dumps(had, sort_keys=True))
