"""The rows of a transaction in SQL: what both dialects do the same way."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from rewardkit.core.attempts import needs as attempts
from rewardkit.core.storing import needs
from rewardkit.core.storing import referral_needs as referrals
from rewardkit.core.storing.attempt_rows import AttemptRow
from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.referral_rows import ReferralCodeRow, ReferralRow
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
from rewardkit.core.storing.seen_needs import InForce, MembersSeen
from rewardkit.errors import InvariantError
from rewardkit.storage.sql.pool_rows import SqlPools
from rewardkit.storage.sql.pool_statements import PoolStatements
from rewardkit.storage.sql.statements import Statements
from rewardkit.storage.sql.tracking_rows import SqlTracking
from rewardkit.storage.tables import (
    DEAD,
    GRANT,
    HELD,
    NOTICE,
    PENDING,
    READY,
    REFERRAL,
    UNDELIVERABLE,
    USER_OFFER,
    Table,
)

Values: TypeAlias = Sequence[Any]

_LOG = logging.getLogger("rewardkit.sql")


def log_statement(statement: str) -> None:
    """Show a statement to whoever has set this log to DEBUG: its text, never its values."""
    if _LOG.isEnabledFor(logging.DEBUG):
        _LOG.debug("%s", statement)


class SqlRows(SqlPools, SqlTracking, ABC):
    """See `rewardkit.storage.transaction.Rows`."""

    def __init__(self, statements: Statements, pools: PoolStatements, tenant: str) -> None:
        self._statements = statements
        self._pools = pools
        self._tenant = tenant

    @abstractmethod
    def fetch(self, statement: str, values: Values) -> list[Any]:
        """Execute a statement and give all its rows.

        Raises:
            StoreError: the store could not.
            InvariantError: a constraint refused.
        """

    @abstractmethod
    def listed(self, values: Iterable[str]) -> Any:
        """Texts as one parameter, for `Dialect.among`."""

    @abstractmethod
    def accept(self, need: needs.Accept) -> needs.Accepted: ...

    @abstractmethod
    def claims(self, need: needs.Claims) -> tuple[int, ...]: ...

    @abstractmethod
    def write(self, effects: Sequence[Effect]) -> None: ...

    def epoch(self) -> tuple[int, int]:
        """The tenant's epoch and fingerprint."""
        rows = self.fetch(self._statements.epoch, (self._tenant,))
        return rows[0] if rows else (0, 0)

    def in_force(self, _need: InForce) -> tuple[int, int]:
        return self.epoch()

    def digests(self, need: needs.Digests) -> Mapping[tuple[str, str], bytes]:
        found = (self.fetch(self._statements.digest, (self._tenant, *key)) for key in need.keys)
        events = [EventRow._make(rows[0]) for rows in found if rows]
        return {(event.user, event.id): event.digest for event in events}

    def members(self, need: needs.Members) -> tuple[MemberRow, ...]:
        return tuple(map(MemberRow._make, self._existing(self._statements.members, need.users)))

    def members_seen(self, need: MembersSeen) -> tuple[MemberRow, ...]:
        return tuple(map(MemberRow._make, self._existing(self._statements.members_seen, need.users)))

    def due_members(self, need: needs.DueMembers) -> needs.Due:
        rows = self.fetch(self._statements.due_members, (self._tenant, need.now, need.limit))
        return needs.Due(*self.epoch(), tuple(map(MemberRow._make, rows)))

    def stale_members(self, need: needs.StaleMembers) -> needs.Due:
        rows = self.fetch(self._statements.stale_members, (self._tenant, need.after, self._tenant, need.limit))
        return needs.Due(*self.epoch(), tuple(map(MemberRow._make, rows)))

    def histories(self, need: needs.Histories) -> Mapping[str, tuple[EventRow, ...]]:
        rows = map(EventRow._make, self._existing(self._statements.histories, need.users))
        return {user: tuple(events) for user, events in groupby(rows, key=lambda event: event.user)}

    def definitions(self, _need: needs.Definitions) -> needs.DefinitionSet:
        # Epoch and definitions in one statement, or another process could define between the two.
        rows = self.fetch(self._statements.definitions, (self._tenant, self._tenant))
        epoch, fingerprint, *_ = rows[0]
        definitions = tuple(DefinitionRow._make(row[2:]) for row in rows if row[2] is not None)
        return needs.DefinitionSet(epoch or 0, fingerprint or 0, definitions)

    def published(self, _need: needs.Published) -> tuple[int, int]:
        epoch, fingerprint = self.fetch(self._statements.lock_epoch, (self._tenant,))[0]
        return epoch, fingerprint

    def give_back(self, need: needs.GiveBack) -> None:
        if not self.fetch(self._statements.give_back, (self._tenant, need.counter)):
            raise InvariantError(f"counter `{need.counter}` has nothing confirmed to give back")

    def recall(self, need: needs.Recall) -> AnswerRow | None:
        values = (self._tenant, need.operation, need.key, b"", "")
        row = AnswerRow._make(self.fetch(self._statements.recall, values)[0])
        return row if row.digest else None

    def user_offer_of(self, need: needs.UserOfferOf) -> UserOfferRow | None:
        rows = self.fetch(self._statements.user_offer_of, (self._tenant, need.id))
        return UserOfferRow._make(rows[0]) if rows else None

    def grant_of(self, need: needs.GrantOf) -> GrantRow | None:
        rows = self.fetch(self._statements.grant_of, (self._tenant, need.id))
        return GrantRow._make(rows[0]) if rows else None

    def grant_seen(self, need: needs.GrantSeen) -> GrantRow | None:
        rows = self.fetch(self._statements.grant_seen, (self._tenant, need.id))
        return GrantRow._make(rows[0]) if rows else None

    def lease_grants(self, need: needs.LeaseGrants) -> tuple[GrantRow, ...]:
        values = (self._tenant, need.now, need.limit, need.until, self._tenant)
        rows = map(GrantRow._make, self.fetch(self._statements.lease_grants, values))
        return tuple(sorted(rows, key=lambda row: (row.earned_at, row.id)))

    def due_holds(self, need: needs.DueHolds) -> tuple[GrantRow, ...]:
        return tuple(map(GrantRow._make, self.fetch(self._statements.due_holds, (self._tenant, need.now, need.limit))))

    def seen_names(self, need: needs.SeenNames) -> frozenset[str]:
        values = (self._tenant, need.most, self.listed(need.names))
        return frozenset(name for (name,) in self.fetch(self._statements.seen_names, values))

    def held_grants(self, need: needs.HeldGrants) -> tuple[GrantRow, ...]:
        values = (self._tenant, need.held_for, need.campaign, need.limit)
        return tuple(map(GrantRow._make, self.fetch(self._statements.held_grants, values)))

    def grants_to_supply(self, need: needs.GrantsToSupply) -> tuple[GrantRow, ...]:
        if need.pool is not None:
            rows = self.fetch(self._statements.grants_of_pool, (self._tenant, need.pool, need.limit))
        else:
            values = (self._tenant, self._tenant, need.now, need.limit)
            rows = self.fetch(self._statements.grants_to_supply, values)
        return tuple(map(GrantRow._make, rows))

    def lease_checks(self, need: needs.LeaseChecks) -> tuple[GrantRow, ...]:
        values = (self._tenant, need.now, need.limit, need.until, self._tenant)
        rows = map(GrantRow._make, self.fetch(self._statements.lease_checks, values))
        return tuple(sorted(rows, key=lambda row: (row.earned_at, row.id)))

    def lease_notices(self, need: needs.LeaseNotices) -> tuple[NoticeRow, ...]:
        values = (self._tenant, need.now, need.limit, need.until, self._tenant)
        statement = self._statements.lease_notices if need.addressed else self._statements.lease_own_notices
        rows = map(NoticeRow._make, self.fetch(statement, values))
        return tuple(sorted(rows, key=lambda row: (row.created_at, row.id)))

    def notices_of(self, need: needs.NoticesOf) -> tuple[NoticeRow, ...]:
        return tuple(map(NoticeRow._make, self._existing(self._statements.notices_of, need.ids)))

    def take_endpoints(self, need: needs.TakeEndpoints) -> tuple[EndpointRow, ...]:
        found = (self.fetch(self._statements.take_endpoint, (self._tenant, name)) for name in need.names)
        return tuple(EndpointRow._make(rows[0]) for rows in found)

    def take_attempts(self, need: attempts.TakeAttempts) -> tuple[AttemptRow, ...]:
        found = (self.fetch(self._statements.take_attempt, (self._tenant, subject)) for subject in need.subjects)
        return tuple(AttemptRow._make(rows[0]) for rows in found)

    def forget_attempts(self, need: attempts.ForgetAttempts) -> int:
        values = (self._tenant, need.before, need.now, need.limit, self._tenant)
        return len(self.fetch(self._statements.forget_attempts, values))

    def attempts_of(self, need: attempts.AttemptsOf) -> tuple[AttemptRow, ...]:
        return tuple(map(AttemptRow._make, self._existing(self._statements.attempts_of, need.subjects)))

    def list_endpoints(self, _need: needs.ListEndpoints) -> tuple[EndpointRow, ...]:
        return tuple(map(EndpointRow._make, self.fetch(self._statements.endpoints, (self._tenant,))))

    def registered_endpoints_of(self, need: needs.RegisteredEndpointsOf) -> tuple[RegisteredEndpointRow, ...]:
        rows = self._existing(self._statements.registered_endpoints_of, need.names)
        return tuple(map(RegisteredEndpointRow._make, rows))

    def list_registered_endpoints(self, _need: needs.ListRegisteredEndpoints) -> tuple[RegisteredEndpointRow, ...]:
        rows = self.fetch(self._statements.registered_endpoints, (self._tenant,))
        return tuple(map(RegisteredEndpointRow._make, rows))

    def counters(self, need: needs.Counters) -> tuple[CounterRow, ...]:
        return tuple(map(CounterRow._make, self._existing(self._statements.counters, need.names)))

    def list_grants(self, need: needs.ListGrants) -> tuple[GrantRow, ...]:
        # A partial index leads to few rows; a user's index leads to fewer.
        partial = need.user is None and need.status in (READY, HELD, UNDELIVERABLE)
        written = need.status if partial else None
        filters = {"user": need.user, "held_for": need.held_for, "status": None if written else need.status}
        rows = self._page(GRANT, "earned_at", filters, need.after, need.limit, written=written)
        return tuple(map(GrantRow._make, rows))

    def steps_of(self, need: needs.StepsOf) -> tuple[GrantStepRow, ...]:
        return tuple(map(GrantStepRow._make, self.fetch(self._statements.steps_of, (self._tenant, need.grant))))

    def list_user_offers(self, need: needs.ListUserOffers) -> tuple[UserOfferRow, ...]:
        filters = {"user": need.user, "campaign": need.campaign, "status": need.status}
        return tuple(map(UserOfferRow._make, self._page(USER_OFFER, "made_at", filters, need.after, need.limit)))

    def list_notices(self, need: needs.ListNotices) -> tuple[NoticeRow, ...]:
        written = need.status if need.status in (PENDING, DEAD) else None
        filters = {"status": None if written else need.status, "endpoint": need.endpoint}
        rows = self._page(NOTICE, "created_at", filters, need.after, need.limit, written=written)
        return tuple(map(NoticeRow._make, rows))

    def referral_of(self, need: referrals.ReferralOf) -> ReferralRow | None:
        rows = self.fetch(self._statements.referral_of, (self._tenant, need.id))
        return ReferralRow._make(rows[0]) if rows else None

    def referrals_into(self, need: referrals.ReferralsInto) -> tuple[ReferralRow, ...]:
        return tuple(map(ReferralRow._make, self._existing(self._statements.referrals_into, need.recipients)))

    def list_referrals(self, need: referrals.ListReferrals) -> tuple[ReferralRow, ...]:
        filters = {
            "sender": need.sender,
            "recipient": need.recipient,
            "program": need.program,
            "status": need.status,
        }
        return tuple(map(ReferralRow._make, self._page(REFERRAL, "made_at", filters, need.after, need.limit)))

    def take_referral_code(self, need: referrals.TakeReferralCode) -> ReferralCodeRow | None:
        self.fetch(self._statements.take_referral_code, (self._tenant, need.sender, need.code, need.at))
        # The statement above may have waited for a row that it does not see; this one sees it.
        return self.referral_code_of(referrals.ReferralCodeOf(need.sender))

    def referral_code_of(self, need: referrals.ReferralCodeOf) -> ReferralCodeRow | None:
        rows = self.fetch(self._statements.referral_code_of, (self._tenant, need.sender))
        return ReferralCodeRow._make(rows[0]) if rows else None

    def sender_of_code(self, need: referrals.SenderOfCode) -> ReferralCodeRow | None:
        rows = self.fetch(self._statements.sender_of_code, (self._tenant, need.code))
        return ReferralCodeRow._make(rows[0]) if rows else None

    def _existing(self, statement: str, keys: Iterable[str]) -> list[Any]:
        return self.fetch(statement, (self._tenant, self.listed(keys)))

    def _page(
        self,
        table: Table,
        instant: str,
        filters: Mapping[str, str | None],
        after: tuple[int, str] | None,
        limit: int,
        *,
        written: str | None = None,
    ) -> list[Any]:
        given = {column: value for column, value in filters.items() if value is not None}
        statement = self._statements.page(table, instant, tuple(given), after=after is not None, written=written)
        return self.fetch(statement, (self._tenant, *given.values(), *(after or ()), limit))


def granted_in_order(claims: Sequence[needs.Claim], rows: Iterable[tuple[str, int, int]]) -> tuple[int, ...]:
    """What each claim got, from (name, granted, unmoved) of its counter, where a new one leaves `unmoved`."""
    granted = {}
    for name, got, unmoved in rows:
        if unmoved:
            raise InvariantError(f"counter `{name}` has nothing reserved, less than is to be moved")
        granted[name] = got
    return tuple(granted[claim.name] for claim in claims)


def claim_values(claim: needs.Claim) -> tuple[str, int, int, int, int, int, int]:
    """A claim as `CLAIM_COLUMNS`."""
    wanted = max(0, min(claim.want, claim.cap))
    return (claim.name, claim.cap, wanted, 0, wanted, claim.confirm, claim.release)
