"""Grants: leased to workers who pay, and fulfilled once."""

from __future__ import annotations

from rewardkit.core import limits
from rewardkit.core.answers import Claimed
from rewardkit.core.catalogue import Catalogue
from rewardkit.core.commands import ClaimGrants, FulfilGrant
from rewardkit.core.context import Context, Deciding, Decision
from rewardkit.core.effects import Replace
from rewardkit.core.emit import current
from rewardkit.core.input import integer, show, text
from rewardkit.core.needs import Accept, GrantOf, LeaseGrants, ask
from rewardkit.core.records import Grant
from rewardkit.core.rows import GrantRow
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


def fulfil_grant(command: FulfilGrant, context: Context) -> Deciding[Decision[Grant]]:
    """From ready to fulfilled, once; the second to say so is refused with the instant of the first."""
    row = yield from ask(GrantOf(text(command.grant, "a grant's id")))
    if row is None:
        return Decision(Refused("grant_unknown", f"grant `{show(command.grant)}` does not exist", {}))
    if row.fulfilled_at is not None:
        facts = {"fulfilled_at": rfc3339(row.fulfilled_at)}
        return Decision(Refused("grant_fulfilled", f"grant `{row.id}` has been fulfilled before", facts))
    if command.lease is not None and integer(command.lease, "lease", least=0) != row.lease:
        leases = {"lease": command.lease, "newest_lease": row.lease}
        sentence = f"grant `{row.id}` has been leased to another worker since: its reward may be paid twice"
        return Decision(Refused("lease_lost", sentence, leases))
    catalogue = yield from covering(context, (row,))
    after = row._replace(status="fulfilled", fulfilled_at=context.at)
    return Decision(grant_of(after, catalogue), (Replace((after,)),), catalogue)


def covering(context: Context, rows: tuple[GrantRow, ...]) -> Deciding[Catalogue]:
    """A catalogue that knows the rewards of these grants.

    A version that is known by its number alone may come from a transaction that was rolled back.
    """
    if not rows:
        return context.catalogue
    accepted = yield from ask(Accept((), ()))
    return (yield from current(context, accepted, ()))


def grant_of(row: GrantRow, catalogue: Catalogue) -> Grant:
    """The public record of a row."""
    return Grant(
        id=row.id,
        user=row.user,
        campaign=row.campaign,
        offer=row.offer,
        offer_version=row.offer_version,
        reward=catalogue.reward_versions[row.reward, row.reward_version],
        status=row.status,
        earned_at=moment(row.earned_at),
        user_offer=row.user_offer,
        lease=row.lease,
        leased_until=moment(row.lease_until) if row.lease_until else None,
        fulfilled_at=None if row.fulfilled_at is None else moment(row.fulfilled_at),
    )
