"""What a decision asks of the world while it is being made.

A decision is a generator: it yields needs and is sent their answers, of the type that each need names.
Those marked *takes* change the store as they answer; everything else that changes is an effect, written at the end.
Those marked *locks* hold the rows until the transaction ends.
Locks are taken in this order: tenant, answers, users in order, a grant that is taken back, counters in order, then
grants and notices of which others' are passed over.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import attrs

from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.rows import (
    AnswerRow,
    CounterRow,
    DefinitionRow,
    EndpointRow,
    EventRow,
    GrantRow,
    MemberRow,
    NoticeRow,
    RegisteredEndpointRow,
    UserOfferRow,
)

T = TypeVar("T")


class Need(Generic[T]):
    """A question whose answer is a `T`."""

    __slots__ = ()


def ask(need: Need[T]) -> Generator[Need[Any], Any, T]:
    """Yield a need and give its answer, with the type that the need names."""
    answer: T = yield need
    return answer


class Accepted(NamedTuple):
    """What `Accept` found."""

    epoch: int
    """Of the tenant's definitions; 0 before the first."""
    fingerprint: int
    """Of all definitions up to that epoch; 0 before the first. Equal fingerprints mean equal definitions."""
    fresh: frozenset[tuple[str, str]]
    """(user, id) of the events that were not there before."""


@attrs.frozen
class Accept(Need[Accepted]):
    """Insert the events, and the users' member rows, that are not there yet. *Takes*.

    A member row that is new has the tenant's current epoch, place (0, -2**63, ""), no wake_at and an empty state.
    Both are sorted by their keys. Waits for a concurrent transaction that inserts the same key.
    """

    events: tuple[EventRow, ...]
    users: tuple[str, ...]


@attrs.frozen
class Digests(Need[Mapping[tuple[str, str], bytes]]):
    """The digests of stored events, by (user, id)."""

    keys: tuple[tuple[str, str], ...]


@attrs.frozen
class Members(Need[tuple[MemberRow, ...]]):
    """The member rows of these users that exist, in user order. *Locks*, in user order."""

    users: tuple[str, ...]


class Due(NamedTuple):
    """Member rows for work that no event asked for, with the epoch in force."""

    epoch: int
    fingerprint: int
    rows: tuple[MemberRow, ...]


@attrs.frozen
class DueMembers(Need[Due]):
    """At most `limit` member rows whose wake_at <= `now`, earliest first. *Locks*; skips rows that others hold."""

    now: int
    limit: int


@attrs.frozen
class StaleMembers(Need[Due]):
    """At most `limit` member rows after user `after` whose epoch is not the tenant's, in user order. *Locks*."""

    after: str
    limit: int


@attrs.frozen
class Histories(Need[Mapping[str, tuple[EventRow, ...]]]):
    """All events of these users, each user's in total order (at, order, id); a user with none may be absent."""

    users: tuple[str, ...]


class DefinitionSet(NamedTuple):
    """All versions of all definitions, in the order of their numbers."""

    epoch: int
    fingerprint: int
    rows: tuple[DefinitionRow, ...]


@attrs.frozen
class Definitions(Need[DefinitionSet]):
    """All definitions of the tenant."""


@attrs.frozen
class Published(Need[tuple[int, int]]):
    """The tenant's epoch and fingerprint, (0, 0) before the first. *Locks* them: one at a time defines."""


class Claim(NamedTuple):
    """A change of one counter: `confirm` and `release` what was reserved, then reserve up to `want` under `cap`.

    Where `want` is 0, the cap stays as it is; a cap below what is taken already grants nothing.
    """

    name: str
    cap: int
    want: int
    confirm: int
    release: int


@attrs.frozen
class Claims(Need[tuple[int, ...]]):
    """Change counters; answers how many of `want` each claim got, in the claims' order. *Takes* and *locks*.

    The claims are sorted by name, each name once.
    A counter that does not exist yet begins at nothing taken.
    A cap below what has been taken grants nothing, and takes nothing back.
    One conditional statement a counter (or for all): never read-then-write.
    Moving more than is reserved is an `InvariantError`.
    """

    claims: tuple[Claim, ...]


@attrs.frozen
class GiveBack(Need[None]):
    """Take one place off what a counter has confirmed. *Takes* and *locks*.

    Giving back more than is confirmed, or to a counter that does not exist, is an `InvariantError`.
    """

    counter: str


@attrs.frozen
class Recall(Need[AnswerRow | None]):
    """What was answered under this key; else None, and an empty row is inserted. *Takes* and *locks*.

    The empty row has an empty digest, an empty answer and the instant 0, and waits to be replaced.
    One that never was, because its command was refused, still counts as nothing.
    """

    operation: str
    key: str


@attrs.frozen
class UserOfferOf(Need[UserOfferRow | None]):
    """One user offer."""

    id: str


@attrs.frozen
class GrantOf(Need[GrantRow | None]):
    """One grant. *Locks*."""

    id: str


@attrs.frozen
class GrantSeen(Need[GrantRow | None]):
    """One grant as it was committed: it may change before it is locked."""

    id: str


@attrs.frozen
class LeaseGrants(Need[tuple[GrantRow, ...]]):
    """Up to `limit` ready grants whose lease_until <= `now`, earliest earned first, then by id. *Takes* and *locks*.

    Each gets lease + 1 and lease_until = `until`; the answer has the new values. Skips rows that others hold.
    """

    now: int
    until: int
    limit: int


@attrs.frozen
class DueHolds(Need[tuple[GrantRow, ...]]):
    """Up to `limit` grants held for their hold period whose end is <= `now`, earliest end first, then by id.

    *Locks*; skips rows that others hold.
    """

    now: int
    limit: int


@attrs.frozen
class SeenNames(Need[frozenset[str]]):
    """Which of these names an event has, among `most` events in no order."""

    names: tuple[str, ...]
    most: int


@attrs.frozen
class HeldGrants(Need[tuple[GrantRow, ...]]):
    """Up to `limit` grants of a campaign that are held at a gate, earliest earned first, then by id. *Locks*."""

    held_for: str
    campaign: str
    limit: int


@attrs.frozen
class GrantsToSupply(Need[tuple[GrantRow, ...]]):
    """Up to `limit` grants held for a pool, earliest earned first, then by id. *Locks*; skips rows that others hold.

    With `pool` those that wait for that one; without, those whose pool is open to issuing at `now` and has codes to
    issue: codes that remain, or, in a multi pool, any that were issued.
    """

    now: int
    limit: int
    pool: int | None = None


@attrs.frozen
class LeaseChecks(Need[tuple[GrantRow, ...]]):
    """Up to `limit` grants held for review that have no flags yet, and whose lease_until <= `now`.

    Earliest earned first, then by id. *Takes* and *locks*; each is leased as by `LeaseGrants`.
    """

    now: int
    until: int
    limit: int


@attrs.frozen
class LeaseNotices(Need[tuple[NoticeRow, ...]]):
    """Up to `limit` pending notices whose attempt_at <= `now`, earliest first, then by id. *Takes* and *locks*.

    Each gets lease + 1 and attempt_at = `until`; the answer has the new values, in the order of (created_at, id).
    Skips rows that others hold.
    Without `addressed`, notices to registered endpoints stay where they are.
    """

    now: int
    until: int
    limit: int
    addressed: bool = True


@attrs.frozen
class NoticesOf(Need[tuple[NoticeRow, ...]]):
    """The notices of these ids that exist, in id order. *Locks*."""

    ids: tuple[str, ...]


@attrs.frozen
class TakeEndpoints(Need[tuple[EndpointRow, ...]]):
    """The rows of these endpoints, in name order; one that is not there is inserted. *Takes* and *locks*.

    The names are sorted, each once. What is inserted is `enabled` since 0, for no reason.
    """

    names: tuple[str, ...]


@attrs.frozen
class ListEndpoints(Need[tuple[EndpointRow, ...]]):
    """All rows of endpoints, in name order."""


@attrs.frozen
class RegisteredEndpointsOf(Need[tuple[RegisteredEndpointRow, ...]]):
    """The registered endpoints of these names that exist, removed ones too, in name order. *Locks*."""

    names: tuple[str, ...]


@attrs.frozen
class ListRegisteredEndpoints(Need[tuple[RegisteredEndpointRow, ...]]):
    """All registered endpoints that are not removed, in name order."""


@attrs.frozen
class ListGrants(Need[tuple[GrantRow, ...]]):
    """Grants in the order of (earned_at, id), after that place, at most `limit`; each filter that is given holds."""

    user: str | None
    status: str | None
    after: tuple[int, str] | None
    limit: int
    held_for: str | None = None


@attrs.frozen
class StepsOf(Need[tuple[GrantStepRow, ...]]):
    """All steps of a grant, in the order of their numbers."""

    grant: str


@attrs.frozen
class ListUserOffers(Need[tuple[UserOfferRow, ...]]):
    """User offers in the order of (made_at, id), after that place, at most `limit`; each filter that is given holds."""

    user: str | None
    campaign: str | None
    status: str | None
    after: tuple[int, str] | None
    limit: int


@attrs.frozen
class ListNotices(Need[tuple[NoticeRow, ...]]):
    """Notices in the order of (created_at, id), after that place, at most `limit`; each filter that is given holds."""

    status: str | None
    after: tuple[int, str] | None
    limit: int
    endpoint: str | None = None
    """Addressed to this registered endpoint."""


@attrs.frozen
class Counters(Need[tuple[CounterRow, ...]]):
    """The counters of these names that exist, in name order, as they were committed."""

    names: tuple[str, ...]
