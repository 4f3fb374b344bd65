"""Notices: rows of the outbox, written with what they tell of, delivered after the commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from rewardkit.core.deciding.context import Context
from rewardkit.core.definitions.amount import amount_of, minus, shown, total
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.requests.records import Notice, Reward
from rewardkit.core.storing.rows import GrantRow, NoticeRow
from rewardkit.core.values import limits, payload
from rewardkit.core.values.identity import derive
from rewardkit.core.values.input import masked, show, text
from rewardkit.errors import InvariantError, ValidationError
from rewardkit.language.event import moment, rfc3339
from rewardkit.language.syntax.suggestion import suggest

OFFER_MADE: Final = "offer.made"
OFFER_ENDED: Final = "offer.ended"
GRANT_READY: Final = "grant.ready"
GRANT_UNDELIVERABLE: Final = "grant.undeliverable"
GRANT_DENIED: Final = "grant.denied"
GRANT_REVERSED: Final = "grant.reversed"
POOL_LOW: Final = "pool.low"
REFERRAL_MADE: Final = "referral.made"
REFERRAL_ENDED: Final = "referral.ended"
KINDS: Final = (
    GRANT_DENIED,
    GRANT_READY,
    GRANT_REVERSED,
    GRANT_UNDELIVERABLE,
    OFFER_ENDED,
    OFFER_MADE,
    POOL_LOW,
    REFERRAL_ENDED,
    REFERRAL_MADE,
)
"""All that happens and is told; a registered endpoint chooses among them."""

TEST: Final = "test"
"""What a registered endpoint is told so that somebody can see whether it hears."""

BODY_BYTES: Final = 2 * limits.PAYLOAD_BYTES
"""A reward's properties, which have the limit of a payload, and the names around them."""

_INSTANTS = ("made_at", "ends_at", "ended_at", "earned_at")


def kind_of_notices(given: object) -> str:
    """A kind that somebody wants to be told.

    Raises:
        ValidationError: no notice has it, and whoever waited for it would wait for ever.
    """
    kind = text(given, "a kind of notices")
    if kind not in KINDS:
        close = suggest(show(kind), KINDS)
        instead = f"did you mean `{close}`?" if close else f"there are `{'`, `'.join(KINDS)}`"
        raise ValidationError(f"`{show(kind)}` is no kind of notices: {instead}")
    return kind


def notice(
    context: Context, kind: str, user: str, subject: str, body: Mapping[str, Any], *, step: int = 0
) -> NoticeRow:
    """A notice about a user offer, referral, grant or pool; its id is derived from kind and subject, its body is fixed.

    Args:
        context: of the decision that it tells of.
        kind: such as `grant.ready`.
        user: whom it is about.
        subject: the id of what it is about.
        body: further keys.
        step: of a grant or a pool, where this may happen to it more than once; part of the id then, and of the body.
    """
    if kind not in KINDS:
        raise InvariantError(f"no endpoint could choose to be told `{kind}`: it belongs into `KINDS`")
    shown = {name: rfc3339(value) if name in _INSTANTS and value is not None else value for name, value in body.items()}
    numbered = {"step": step} if step else {}
    text = payload.write(
        {"kind": kind, "tenant": context.tenant, "user": user, "subject": subject, **numbered, **shown}, most=BODY_BYTES
    )
    at = context.at
    notice_id = notice_id_of(context.tenant, kind, subject, step)
    return NoticeRow(notice_id, kind, user, text.encode(), "pending", at, at, 0, 0, "", "{}")


def notice_id_of(tenant: str, kind: str, subject: str, step: int = 0) -> str:
    """The id of a notice, derived from what makes it unique."""
    return derive("no", tenant, kind, subject, *((step,) if step else ()))


def of_grant(row: GrantRow, catalogue: Catalogue) -> dict[str, Any]:
    """What every notice of a grant says of it."""
    reward = catalogue.reward_versions.get((row.reward, row.reward_version))
    if reward is None:
        raise InvariantError(f"grant `{row.id}` names a version of reward `{row.reward}` that is not there")
    on = {"program": row.offer, "referral": row.referral, "side": row.side} if row.referral else {"offer": row.offer}
    return {
        "campaign": row.campaign,
        **on,
        "reward": row.reward,
        "properties": reward.properties,
        "earned_at": row.earned_at,
        **_issued(row, reward),
    } | ({"due": due} if (due := _due(row, reward)) else {})


def _issued(row: GrantRow, reward: Reward) -> dict[str, Any]:
    """The code that it carries, by reference: a body is kept, and sent, where a code should not be."""
    if row.issuance is None or reward.issues is None:
        return {}
    return {"code": {"pool": reward.issues.pool, "issuance": row.issuance, "ends": masked(row.code)}}


def _due(row: GrantRow, reward: Reward) -> str:
    """What is left of a reward's amount, where some of it has been taken back."""
    whole = amount_of(reward)
    return shown(minus(whole, total(row.reversed))) if row.reversed and whole is not None else ""


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
        endpoint=row.endpoint,
    )


def settled_in(row: NoticeRow) -> dict[str, str]:
    """The endpoints that are through with a notice: the empty text where one has it, else why it will not."""
    settled: dict[str, str] = json.loads(row.settled)
    return settled
