"""The outbox: notices are leased, told outside any transaction, and then marked, each at its own pace.

A notice is pending until every endpoint has settled it: by having it, by failing for good, or by being gone.
It is delivered where all have it, and dead where one will not have it, or where the schedule has run out.
What an endpoint has settled is kept with the notice, so that its next attempt goes to the others alone.

Notices are found by their status and leased, never by a cursor over ids: a row that commits late would be passed over.
A lease is a number that grows with each lease, so that a worker that wakes up after its time marks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.notices.addressed import copies
from rewardkit.core.notices.endpoints import gone
from rewardkit.core.notices.notice import settled_in
from rewardkit.core.notices.outcomes import Delivered, EndpointGone, Outcome, RetryLater
from rewardkit.core.notices.registered_endpoints import registered_gone
from rewardkit.core.requests.commands import Command
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.needs import LeaseNotices, ListEndpoints, ListRegisteredEndpoints, NoticesOf, ask
from rewardkit.core.storing.rows import EndpointRow, NoticeRow, RegisteredEndpointRow
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer

SECOND: Final = 1_000_000
SCHEDULE_SECONDS: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Mean waits between attempts, about three days in all, as Standard Webhooks suggests; then a notice is dead.

Each wait is drawn evenly between a second and twice its mean: attempts that failed together come back apart.
"""

REASON_CHARACTERS: Final = 500
"""Of a failure that are kept: enough to know it by."""


class Leased(NamedTuple):
    """What a worker has to tell, whom it must not tell anything, and who is registered."""

    rows: tuple[NoticeRow, ...]
    gone: tuple[EndpointRow, ...]
    registered: tuple[RegisteredEndpointRow, ...] = ()
    copied: int = 0
    """Notices that were written for registered endpoints, and are due."""


@attrs.frozen
class LeaseOutbox(Command[Leased]):
    """Lease pending notices, earliest first, to one worker.

    Args:
        limit: notices.
        lease_seconds: longer than telling them all takes.
        addressed: also those to registered endpoints; a worker that cannot reach these leaves them.
    """

    limit: int
    lease_seconds: int
    addressed: bool = True


@attrs.frozen
class Attempt:
    """What came of telling one leased notice to the endpoints that had not settled it, each by its name."""

    id: str
    lease: int
    outcomes: Mapping[str, Outcome]
    jitter: float = 0.5
    """Drawn evenly from 0 up to 1; places the next attempt between now and twice the schedule's wait."""
    since: int = 0
    """Of the registered endpoint that was told, as it was leased."""


class Marked(NamedTuple):
    """What became of a worker's attempts."""

    delivered: int = 0
    failed: int = 0
    overtaken: int = 0
    """Not recorded: the lease had ended, and another worker has a newer one, or is done."""


@attrs.frozen
class MarkOutbox(Command[Marked]):
    """Record attempts, and give back what was leased and not attempted. Nothing is done under an older lease.

    Args:
        attempts: each of another notice.
        released: ids and leases of notices that are to be due again at once, no attempt counted.
    """

    attempts: tuple[Attempt, ...]
    released: tuple[tuple[str, int], ...] = ()


def lease_outbox(command: LeaseOutbox, context: Context) -> Deciding[Decision[Leased]]:
    """Take what is due; a worker that dies leaves it due again when the lease ends.

    What nobody has taken before is copied to registered endpoints, in the same transaction.
    """
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    until = context.at + integer(command.lease_seconds, "lease_seconds", least=1, most=86_400) * SECOND
    rows = yield from ask(LeaseNotices(context.at, until, limit, command.addressed))
    if not rows:
        return Decision(Leased((), ()))
    endpoints = yield from ask(ListEndpoints())
    registered = yield from ask(ListRegisteredEndpoints())
    copied = copies(rows, registered, context)
    leased = Leased(rows, tuple(row for row in endpoints if row.status == "gone"), registered, len(copied))
    return Decision(leased, (Insert(copied),) if copied else ())


def mark_outbox(command: MarkOutbox, context: Context) -> Deciding[Decision[Marked]]:
    """Delivered, or due again after the schedule's next wait, or dead."""
    attempts = {attempt.id: attempt for attempt in command.attempts}
    released = dict(command.released)
    leases = {attempt.id: attempt.lease for attempt in command.attempts} | released
    rows = yield from ask(NoticesOf(tuple(sorted(leases))))
    held = [row for row in rows if row.status == "pending" and row.lease == leases[row.id]]
    after = [_marked(row, attempts[row.id], context.at) for row in held if row.id in attempts]
    delivered = sum(row.status == "delivered" for row in after)
    answer = Marked(delivered, len(after) - delivered, len(attempts) - len(after))
    after += [row._replace(attempt_at=context.at) for row in held if row.id in released]
    effects: list[Effect] = [Replace(tuple(after))] if after else []
    effects += yield from _gone(command.attempts, {row.id for row in rows if row.endpoint}, context)
    return Decision(answer, tuple(effects))


def _gone(attempts: Iterable[Attempt], addressed: Collection[str], context: Context) -> Deciding[tuple[Effect, ...]]:
    """Those who said that they want nothing more, also to an attempt that was overtaken: they said it all the same."""
    own: dict[str, str] = {}
    registered: dict[str, tuple[int, str]] = {}
    for attempt in attempts:
        for name, outcome in attempt.outcomes.items():
            if isinstance(outcome, EndpointGone) and attempt.id in addressed:
                registered[name] = attempt.since, _shown(outcome.reason)
            elif isinstance(outcome, EndpointGone):
                own[name] = _shown(outcome.reason)
    effects: tuple[Effect, ...] = ()
    if own:
        effects += yield from gone(own, context)
    if registered:
        effects += yield from registered_gone(registered, context)
    return effects


def _marked(row: NoticeRow, attempt: Attempt, now: int) -> NoticeRow:
    settled, waits, failures = settled_in(row), [0], []
    for name, outcome in attempt.outcomes.items():
        match outcome:
            case Delivered():
                settled[name] = ""
            case RetryLater(reason, after_seconds):
                failures.append(f"{name}: {_shown(reason)}")
                waits.append(after_seconds)
            case _:
                settled[name] = _shown(outcome.reason)
    after = row._replace(attempts=row.attempts + 1, attempt_at=now, settled=json.dumps(settled, sort_keys=True))
    refused = [f"{name}: {reason}" for name, reason in settled.items() if reason]
    error = "; ".join((*failures, *refused))[:REASON_CHARACTERS]
    if failures and row.attempts < len(SCHEDULE_SECONDS):
        return after._replace(attempt_at=now + _wait(row.attempts, attempt.jitter, max(waits)), error=error)
    return after._replace(status="dead" if error else "delivered", error=error)


def _wait(attempts: int, jitter: float, after_seconds: int) -> int:
    """Microseconds until the next attempt: full jitter around the schedule, and not before the endpoint wants it."""
    drawn = int(2 * SCHEDULE_SECONDS[attempts] * SECOND * min(max(jitter, 0.0), 1.0))
    return max(drawn, min(after_seconds, SCHEDULE_SECONDS[-1]) * SECOND, SECOND)


def _shown(reason: str) -> str:
    """A reason as every store can keep it; one that is empty would look like none."""
    return reason[:REASON_CHARACTERS].encode(errors="replace").decode().replace("\x00", "") or "no reason given"
