"""Notices: rows of the outbox, written with what they tell of, delivered after the commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from rewardkit.core import limits, payload
from rewardkit.core.context import Context
from rewardkit.core.identity import derive
from rewardkit.core.records import Notice
from rewardkit.core.rows import NoticeRow
from rewardkit.language.event import moment, rfc3339

OFFER_MADE: Final = "offer.made"
OFFER_ENDED: Final = "offer.ended"
GRANT_READY: Final = "grant.ready"

BODY_BYTES: Final = 2 * limits.PAYLOAD_BYTES
"""A reward's properties, which have the limit of a payload, and the names around them."""

_INSTANTS = ("made_at", "ends_at", "earned_at")


def notice(context: Context, kind: str, user: str, subject: str, body: Mapping[str, Any]) -> NoticeRow:
    """A notice about a user offer or a grant; its id is derived from kind and subject, its body is fixed."""
    shown = {name: rfc3339(value) if name in _INSTANTS and value is not None else value for name, value in body.items()}
    text = payload.write(
        {"kind": kind, "tenant": context.tenant, "user": user, "subject": subject, **shown}, most=BODY_BYTES
    )
    notice_id = derive("no", context.tenant, kind, subject)
    at = context.at
    return NoticeRow(notice_id, kind, user, text.encode(), "pending", at, at, 0, 0, "", "{}")


def notice_of(row: NoticeRow) -> Notice:
    """The public record of a notice."""
    return Notice(
        row.id,
        row.kind,
        row.user,
        row.body,
        moment(row.created_at),
        row.attempts + (row.status == "pending"),
        status=row.status,
        error=row.error,
        told=tuple(sorted(name for name, reason in settled_in(row).items() if not reason)),
    )


def settled_in(row: NoticeRow) -> dict[str, str]:
    """The endpoints that are through with a notice: the empty text where one has it, else why it will not."""
    settled: dict[str, str] = json.loads(row.settled)
    return settled
