"""`rewardkit deliver --dead` and `--replay`: notices that somebody has not had, listed and sent again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rewardkit.cli.printing import FINDINGS, FINE, complain, moment, note, print_columns, print_json
from rewardkit.core.notices.dead_letters import ReplayDeadLetters, RetryNotice
from rewardkit.core.requests.queries import Notices
from rewardkit.core.requests.records import Notice
from rewardkit.core.values.limits import PAGE_ROWS
from rewardkit.errors import Refused
from rewardkit.kit import RewardKit

COLUMNS = ("id", "kind", "user", "created_at", "attempts", "told", "error")


def print_dead(kit: RewardKit, *, as_json: bool) -> int:
    """All dead notices, earliest created first; there being some is a finding."""
    rows = []
    count = 0
    for notice in _dead(kit):
        count += 1
        if as_json:
            print_json(
                {
                    "id": notice.id,
                    "kind": notice.kind,
                    "user": notice.user,
                    "created_at": notice.created_at,
                    "attempts": notice.attempt,
                    "told": notice.told,
                    "endpoint": notice.endpoint,
                    "error": notice.error,
                }
            )
        else:
            shown = (notice.id, notice.kind, notice.user, moment(notice.created_at), str(notice.attempt))
            rows.append((*shown, ", ".join(notice.told) or "-", notice.error))
    if rows:
        print_columns(COLUMNS, rows)
    note(f"{count} dead")
    return FINDINGS if count else FINE


def replay(kit: RewardKit, ids: Sequence[str]) -> int:
    """Put notices back into the outbox: of these ids, or all that are dead."""
    replayed = refused = 0
    for id in ids:
        answer = kit.attempt(RetryNotice(id))
        if isinstance(answer, Refused):
            complain(str(answer))
            refused += 1
        else:
            replayed += 1
    if not ids:
        while count := kit.run(ReplayDeadLetters(PAGE_ROWS)):
            replayed += count
    note(f"{replayed} put back into the outbox")
    return FINDINGS if refused else FINE


def _dead(kit: RewardKit) -> Iterator[Notice]:
    page = kit.ask(Notices(status="dead", limit=PAGE_ROWS))
    yield from page.items
    while page.after is not None:
        page = kit.ask(Notices(status="dead", limit=PAGE_ROWS, after=page.after))
        yield from page.items
