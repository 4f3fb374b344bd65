"""Grants: leased to workers who pay, and fulfilled once."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.definitions.amount import amount_of, minus, total
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.grants.life import FULFILLED, Moved, Place, allows, missing, moved, refused
from rewardkit.core.requests.answers import Claimed
from rewardkit.core.requests.commands import ClaimGrant, ClaimGrants, FulfilGrant
from rewardkit.core.requests.records import Grant, GrantStep
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.needs import GrantOf, LeaseGrants, ask
from rewardkit.core.storing.rows import GrantRow, NoticeRow
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, text
from rewardkit.errors import Refused
from rewardkit.language.event import moment, rfc3339

LEASE_SECONDS = 7 * 24 * 3600
"""The longest lease: a worker that is gone for longer has crashed."""


def claim_grants(command: ClaimGrants, context: Context) -> Deciding[Decision[Claimed]]:
    """Lease what is ready and not leased; a lease that runs out makes it claimable again."""
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    seconds = integer(command.lease_seconds, "lease_seconds", least=1, most=LEASE_SECONDS)
    rows = yield from ask(LeaseGrants(context.at, context.at + seconds * 1_000_000, limit))
    catalogue = yield from covering(context, rows)
    return Decision(Claimed(tuple(grant_of(row, catalogue) for row in rows)), (), catalogue)


def claim_grant(command: ClaimGrant, context: Context) -> Deciding[Decision[Grant]]:
    """Lease a grant that is ready and that nobody has leased, and that need not wait after a failure."""
    seconds = integer(command.lease_seconds, "lease_seconds", least=1, most=LEASE_SECONDS)
    row, catalogue = yield from found(command.grant, "fulfil", context)
    require_idle(row, context.at)
    if row.lease_until > context.at:
        facts = {"retry_at": rfc3339(row.lease_until), "reason": row.reason, "failures": row.failures}
        sentence = f"grant `{row.id}` has failed and is tried again from `{facts['retry_at']}` on: {row.reason}"
        return Decision(Refused("grant_failed", sentence, facts))
    leased = row._replace(lease=row.lease + 1, lease_until=context.at + seconds * 1_000_000)
    return Decision(grant_of(leased, catalogue), (Replace((leased,)),), catalogue)


def fulfil_grant(command: FulfilGrant, context: Context) -> Deciding[Decision[Grant]]:
    """From ready to fulfilled, once; the second to say so is refused with the instant of the first."""
    row, catalogue = yield from found(command.grant, "fulfil", context)
    require_lease(row, command.lease)
    change = moved(row, "fulfil", Place(FULFILLED), context.at)
    return written(catalogue, change, fulfilled_at=context.at)


def found(grant: str, move: str, context: Context) -> Deciding[tuple[GrantRow, Catalogue]]:
    """A grant that something can happen to, locked, and a catalogue that knows its reward.

    Raises:
        Refused: there is none, or it is not where this can happen.
    """
    row = yield from ask(GrantOf(text(grant, "a grant's id")))
    if row is None:
        raise missing(grant)
    if not allows(row, move):
        raise refused(row)
    return row, (yield from covering(context, (row,)))


def require_lease(row: GrantRow, lease: int | None) -> None:
    """Refuse whoever names another lease than the newest; nobody has to name one.

    Raises:
        Refused: it has been leased to somebody else since, or its failure has been reported.
    """
    if lease is not None and integer(lease, "lease", least=0) != row.lease:
        leases = {"lease": lease, "newest_lease": row.lease}
        sentence = f"the lease of grant `{row.id}` is over, and somebody else may have it: do not pay it twice"
        raise Refused("lease_lost", sentence, leases)


def require_idle(row: GrantRow, now: int) -> None:
    """Refuse to touch a grant that somebody may be paying at this moment.

    Raises:
        Refused: it is leased.
    """
    until = leased_until(row)
    if until is not None and until > now:
        facts = {"leased_until": rfc3339(until), "lease": row.lease}
        sentence = f"grant `{row.id}` is leased until `{rfc3339(until)}`: somebody may be paying it"
        raise Refused("grant_leased", sentence, facts)


def written(
    catalogue: Catalogue,
    change: Moved,
    notices: tuple[NoticeRow, ...] = (),
    effects: tuple[Effect, ...] = (),
    **columns: Any,
) -> Decision[Grant]:
    """The decision that a grant has changed: its row with further columns, its step, what is told of it, and more."""
    after = change.row._replace(**columns)
    told = (Insert(notices),) if notices else ()
    return Decision(grant_of(after, catalogue), (*effects, Replace((after,)), Insert((change.step,)), *told), catalogue)


def covering(context: Context, rows: tuple[GrantRow, ...]) -> Deciding[Catalogue]:
    """A catalogue that knows the rewards of these grants.

    A version that is known by its number alone may come from a transaction that was rolled back.
    """
    if not rows:
        return context.catalogue
    return (yield from newest(context))


def leased_until(row: GrantRow) -> int | None:
    """The end of its newest lease; None where it has none, or where that has failed."""
    return row.lease_until if row.lease_until and row.lease_until != row.retry_at else None


def grant_of(row: GrantRow, catalogue: Catalogue) -> Grant:
    """The public record of a row."""
    reward = catalogue.reward_versions[row.reward, row.reward_version]
    until, amount = leased_until(row), amount_of(reward)
    return Grant(
        id=row.id,
        user=row.user,
        campaign=row.campaign,
        offer="" if row.referral else row.offer,
        offer_version=row.offer_version,
        reward=reward,
        status=row.status,
        earned_at=moment(row.earned_at),
        user_offer=row.user_offer,
        lease=row.lease,
        leased_until=None if until is None else moment(until),
        fulfilled_at=None if row.fulfilled_at is None else moment(row.fulfilled_at),
        referral=row.referral,
        program=row.offer if row.referral else "",
        side=row.side,
        held_for=row.held_for,
        hold_until=None if row.hold_until is None else moment(row.hold_until),
        flags=tuple(json.loads(row.flags)) if row.flags else (),
        failures=row.failures,
        retry_at=moment(row.retry_at) if row.retry_at is not None and until is None else None,
        reason=row.reason,
        amount=amount,
        reversed=total(row.reversed),
        due=None if amount is None else minus(amount, total(row.reversed)),
        code=row.code,
        issuance=row.issuance,
    )


def step_of(row: GrantStepRow) -> GrantStep:
    """The public record of a step."""
    amount = Decimal(row.amount) if row.amount else None
    return GrantStep(row.number, moment(row.at), row.move, row.status, row.held_for, row.by, row.reason, amount)
