"""Delivering notices: leased in one transaction, told outside any, marked in another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from rewardkit.core.commands import Command
from rewardkit.core.notices import notice_of
from rewardkit.core.outbox import Attempt, LeaseOutbox, MarkOutbox
from rewardkit.core.outcomes import Delivered, EndpointGone, FailedForGood, RetryLater
from rewardkit.core.rows import NoticeRow
from rewardkit.ports import Notifier

LEASE_SECONDS = 60
"""How long a worker has for a batch before others take it up again."""

_BATCH_NOTICES = 20


@attrs.frozen
class Delivery:
    """What one call of `deliver` came to."""

    delivered: int = 0
    failed: int = 0
    """Not told: they are due again later, or dead after the last attempt of the schedule."""


def deliver(run: Callable[[Command[Any]], Any], notifiers: Sequence[Notifier], limit: int) -> Delivery:
    """Tell every notifier each notice that is due, up to `limit`.

    A notice is marked as delivered when all notifiers have returned; a crash in between tells it again, under its id.
    """
    delivered = failed = 0
    while notifiers and delivered + failed < limit:
        batch = min(_BATCH_NOTICES, limit - delivered - failed)
        rows: tuple[NoticeRow, ...] = run(LeaseOutbox(batch, LEASE_SECONDS))
        attempts = tuple(Attempt(row.id, row.lease, _tell(notifiers, row)) for row in rows)
        if attempts:
            run(MarkOutbox(attempts))
        failed += sum(bool(attempt.error) for attempt in attempts)
        delivered += sum(not attempt.error for attempt in attempts)
        if len(rows) < batch:
            break
    return Delivery(delivered, failed)


def _tell(notifiers: Sequence[Notifier], row: NoticeRow) -> str:
    notice = notice_of(row)
    try:
        for notifier in notifiers:
            outcome = notifier(notice)
            if outcome is not None and not isinstance(outcome, Delivered):
                return _reason(outcome)
    except Exception as error:  # noqa: BLE001 - a notifier is foreign code: its failure is kept with the notice
        return f"{type(error).__name__}: {error}"
    return ""


def _reason(outcome: object) -> str:
    if isinstance(outcome, RetryLater | FailedForGood | EndpointGone):
        return outcome.reason
    return f"the notifier answered a `{type(outcome).__name__}`, which is no outcome"
