"""Grants held for review: checked by a program of the host's, approved or denied by a person of the host's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.definitions.grant_terms import ALWAYS
from rewardkit.core.grants.failing import optional, sentence
from rewardkit.core.grants.freeing import places_of
from rewardkit.core.grants.gates import pass_on
from rewardkit.core.grants.granting import LEASE_SECONDS, covering, found, grant_of, require_lease, written
from rewardkit.core.grants.life import AT, DENIED, REVIEW, Place, moved
from rewardkit.core.grants.terms import terms_of
from rewardkit.core.notices.notice import GRANT_DENIED, notice, of_grant
from rewardkit.core.requests.answers import Claimed
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.records import Grant
from rewardkit.core.storing.needs import LeaseChecks, ask
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, text
from rewardkit.errors import Refused, ValidationError

FLAGS: Final = 20
"""Of one grant: a person has to read them."""

FLAG_CHARACTERS: Final = 100


def _flags(given: Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


@attrs.frozen
class ClaimChecks(Command[Claimed]):
    """Lease grants that are held for review, and have not been checked, to one worker, earliest earned first."""

    limit: int = 100
    lease_seconds: int = 60


@attrs.frozen
class RecordCheck(Command[Grant]):
    """Keep what a check found: nothing lets the grant pass, unless somebody always looks; flags keep it for a person.

    Args:
        grant: its id.
        flags: what speaks against it, in words for a person; up to 20 of 100 characters.
        lease: the grant's `lease` as claimed; given, a newer lease refuses this one.
    """

    grant: str
    flags: tuple[str, ...] = attrs.field(converter=_flags)
    lease: int | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class ApproveGrant(Command[Grant]):
    """Let a grant pass its review, whatever its flags, checked or not.

    Args:
        grant: its id.
        by: who did it; kept and shown.
        reason: why; kept and shown.
    """

    grant: str
    by: str = attrs.field(kw_only=True)
    reason: str = attrs.field(default="", kw_only=True)


@attrs.frozen
class DenyGrant(Command[Grant]):
    """Refuse a grant that is held for review, for ever.

    Args:
        grant: its id.
        reason: why; kept and shown.
        by: who did it; kept and shown.
        frees: whether its places under the caps are given back; default is what the offer says.
    """

    grant: str
    reason: str
    by: str = attrs.field(kw_only=True)
    frees: bool | None = attrs.field(default=None, kw_only=True)


def claim_checks(command: ClaimChecks, context: Context) -> Deciding[Decision[Claimed]]:
    """Lease what nobody has checked; a lease that runs out makes it claimable again."""
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    seconds = integer(command.lease_seconds, "lease_seconds", least=1, most=LEASE_SECONDS)
    rows = yield from ask(LeaseChecks(context.at, context.at + seconds * 1_000_000, limit))
    catalogue = yield from covering(context, rows)
    return Decision(Claimed(tuple(grant_of(row, catalogue) for row in rows)), (), catalogue)


def record_check(command: RecordCheck, context: Context) -> Deciding[Decision[Grant]]:
    """Once a grant: what was found first stands, so that a repeat cannot let pass what was flagged."""
    flags = _read(command.flags)
    row, catalogue = yield from found(command.grant, "check", context)
    require_lease(row, command.lease)
    if row.flags:
        facts = {"flags": json.loads(row.flags)}
        return Decision(Refused("grant_checked", f"grant `{row.id}` has been checked before", facts))
    row = row._replace(flags=json.dumps(flags, ensure_ascii=False))
    if flags or terms_of(row, catalogue).review == ALWAYS:
        return written(catalogue, moved(row, "check", AT[REVIEW], context.at, reason="; ".join(flags)), lease_until=0)
    passed = yield from pass_on(context, catalogue, (row._replace(lease_until=0),), "check", behind=REVIEW)
    return Decision(grant_of(passed.rows[0], catalogue), passed.effects(), catalogue)


def approve_grant(command: ApproveGrant, context: Context) -> Deciding[Decision[Grant]]:
    """From its review to the next gate that is closed."""
    by, reason = sentence(command.by, "by"), optional(command.reason, "reason")
    row, catalogue = yield from found(command.grant, "approve", context)
    rows = (row._replace(lease_until=0),)
    passed = yield from pass_on(context, catalogue, rows, "approve", behind=REVIEW, by=by, reason=reason)
    return Decision(grant_of(passed.rows[0], catalogue), passed.effects(), catalogue)


def deny_grant(command: DenyGrant, context: Context) -> Deciding[Decision[Grant]]:
    """From its review to its end."""
    by, reason = sentence(command.by, "by"), sentence(command.reason, "reason")
    places = yield from places_of(command.grant, context, frees=command.frees)
    row, catalogue = yield from found(command.grant, "deny", context)
    effects = yield from places.give_back()
    denied = moved(row, "deny", Place(DENIED), context.at, by=by, reason=reason)
    body = of_grant(row, catalogue) | {"reason": reason}
    told = notice(context, GRANT_DENIED, row.user, row.id, body, step=denied.row.steps)
    return written(catalogue, denied, (told,), effects, reason=reason, freed=int(places.wanted), lease_until=0)


def _read(flags: tuple[str, ...]) -> list[str]:
    if len(flags) > FLAGS:
        raise ValidationError(f"a check has {len(flags)} flags, at most {FLAGS} are kept")
    return [text(flag, "a flag", most=FLAG_CHARACTERS) for flag in flags]
