"""The rows of a transaction in memory: read from the shelves, with a journal to undo what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import nsmallest
from itertools import islice
from typing import TypeVar

from rewardkit.core.attempts import needs as attempts
from rewardkit.core.storing import needs
from rewardkit.core.storing import referral_needs as referrals
from rewardkit.core.storing.attempt_rows import AttemptRow
from rewardkit.core.storing.effects import Effect, Insert, Publish, Replace
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
    Row,
    UserOfferRow,
)
from rewardkit.core.storing.seen_needs import InForce, MembersSeen
from rewardkit.errors import InvariantError
from rewardkit.storage.memory.pools import MemoryPools
from rewardkit.storage.memory.shelf import KEY_OF, Key, Shelf, Shelves
from rewardkit.storage.memory.tracking import MemoryTracking
from rewardkit.storage.tables import FIRST_PLACE, READY, REMOVED, TABLE_OF

R = TypeVar("R", bound=Row)


class MemoryRows(MemoryPools, MemoryTracking):
    """See `rewardkit.storage.transaction.Rows`."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._undo: list[tuple[Shelf, Key, Row | None]] = []
        self._published = (shelves.epoch, shelves.fingerprint)

    def write(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Insert(rows):
                    self._insert(rows)
                case Replace(rows):
                    self._replace(rows)
                case Publish(epoch, fingerprint):
                    self._publish(epoch, fingerprint)

    def keep(self) -> None:
        """Make what was done so far final."""
        self._undo.clear()
        self._published = (self._shelves.epoch, self._shelves.fingerprint)

    def undo(self) -> None:
        """Take back what is not final."""
        while self._undo:
            shelf, key, row = self._undo.pop()
            shelf.put(key, row)
        self._shelves.epoch, self._shelves.fingerprint = self._published

    def _put(self, key: Key, row: Row) -> None:
        shelf = self._shelves[type(row)]
        self._undo.append((shelf, key, shelf.put(key, row)))

    def _insert(self, rows: Iterable[Row]) -> None:
        for row in rows:
            key = KEY_OF[type(row)](row)
            if key in self._shelves[type(row)].rows:
                raise InvariantError(f"a row of `{TABLE_OF[type(row)].name}` is there already: `{key}`")
            self._put(key, row)

    def _replace(self, rows: Iterable[Row]) -> None:
        for row in rows:
            key = KEY_OF[type(row)](row)
            old = self._shelves[type(row)].rows.get(key)
            if old is None:
                raise InvariantError(f"no row of `{TABLE_OF[type(row)].name}` to replace: `{key}`")
            self._put(key, row if type(old) is type(row) else old._replace(**row._asdict()))

    def _publish(self, epoch: int, fingerprint: int) -> None:
        if self._shelves.epoch != epoch - 1:
            raise InvariantError(f"epoch {epoch} cannot follow epoch {self._shelves.epoch}")
        self._shelves.epoch, self._shelves.fingerprint = epoch, fingerprint

    def accept(self, need: needs.Accept) -> needs.Accepted:
        fresh = []
        stored, members = self._shelves[EventRow].rows, self._shelves[MemberRow].rows
        for event in need.events:
            key = (event.user, event.id)
            if key not in stored:
                self._put(key, event)
                fresh.append(key)
        for user in need.users:
            if user not in members:
                self._put(user, MemberRow(user, self._shelves.epoch, *FIRST_PLACE, None, b""))
        return needs.Accepted(self._shelves.epoch, self._shelves.fingerprint, frozenset(fresh))

    def digests(self, need: needs.Digests) -> Mapping[tuple[str, str], bytes]:
        rows = self._shelves[EventRow].rows
        return {key: rows[key].digest for key in need.keys if key in rows}

    def members(self, need: needs.Members) -> tuple[MemberRow, ...]:
        return self._existing(MemberRow, need.users)

    def in_force(self, _need: InForce) -> tuple[int, int]:
        return self._shelves.epoch, self._shelves.fingerprint

    def members_seen(self, need: MembersSeen) -> tuple[MemberRow, ...]:
        return self._existing(MemberRow, need.users)

    def due_members(self, need: needs.DueMembers) -> needs.Due:
        shelf = self._shelves[MemberRow]
        rows = tuple(shelf.rows[user] for user in shelf.queue.first(need.limit, need.now))
        return needs.Due(self._shelves.epoch, self._shelves.fingerprint, rows)

    def stale_members(self, need: needs.StaleMembers) -> needs.Due:
        epoch = self._shelves.epoch
        stale = (row for row in self._shelves[MemberRow].rows.values() if row.epoch != epoch and row.user > need.after)
        rows = tuple(nsmallest(need.limit, stale, key=lambda row: row.user))
        return needs.Due(epoch, self._shelves.fingerprint, rows)

    def histories(self, need: needs.Histories) -> Mapping[str, tuple[EventRow, ...]]:
        shelf = self._shelves[EventRow]
        return {
            user: tuple(sorted(shelf.of_user(user).values(), key=lambda row: (row.at, row.order, row.id)))
            for user in need.users
        }

    def definitions(self, _need: needs.Definitions) -> needs.DefinitionSet:
        rows = sorted(self._shelves[DefinitionRow].rows.values(), key=lambda row: row.number)
        return needs.DefinitionSet(self._shelves.epoch, self._shelves.fingerprint, tuple(rows))

    def published(self, _need: needs.Published) -> tuple[int, int]:
        return self._shelves.epoch, self._shelves.fingerprint

    def claims(self, need: needs.Claims) -> tuple[int, ...]:
        return tuple(map(self._claim, need.claims))

    def _claim(self, claim: needs.Claim) -> int:
        old = self._shelves[CounterRow].rows.get(claim.name) or CounterRow(claim.name, claim.cap, 0, 0, 0)
        if claim.confirm + claim.release > old.reserved:
            raise InvariantError(f"counter `{claim.name}` has {old.reserved} reserved, less than is to be moved")
        reserved = old.reserved - claim.confirm - claim.release
        confirmed = old.confirmed + claim.confirm
        granted = max(0, min(claim.want, claim.cap - reserved - confirmed))
        cap = max(claim.cap, reserved + granted + confirmed)
        self._put(claim.name, CounterRow(claim.name, cap, reserved + granted, confirmed, granted))
        return granted

    def give_back(self, need: needs.GiveBack) -> None:
        row = self._shelves[CounterRow].rows.get(need.counter)
        if row is None or not row.confirmed:
            raise InvariantError(f"counter `{need.counter}` has nothing confirmed to give back")
        self._put(row.name, row._replace(confirmed=row.confirmed - 1))

    def recall(self, need: needs.Recall) -> AnswerRow | None:
        key = (need.operation, need.key)
        row: AnswerRow | None = self._shelves[AnswerRow].rows.get(key)
        if row is None:
            self._put(key, AnswerRow(need.operation, need.key, b"", "", 0))
        return row if row and row.digest else None

    def user_offer_of(self, need: needs.UserOfferOf) -> UserOfferRow | None:
        return self._shelves[UserOfferRow].rows.get(need.id)

    def grant_of(self, need: needs.GrantOf) -> GrantRow | None:
        return self._shelves[GrantRow].rows.get(need.id)

    def grant_seen(self, need: needs.GrantSeen) -> GrantRow | None:
        return self._shelves[GrantRow].rows.get(need.id)

    def lease_grants(self, need: needs.LeaseGrants) -> tuple[GrantRow, ...]:
        shelf = self._shelves[GrantRow]
        free = shelf.queue.first(need.limit, where=lambda grant: shelf.rows[grant].lease_until <= need.now)
        leased = [
            row._replace(lease=row.lease + 1, lease_until=need.until) for row in map(shelf.rows.__getitem__, free)
        ]
        self._replace(leased)
        return tuple(leased)

    def due_holds(self, need: needs.DueHolds) -> tuple[GrantRow, ...]:
        shelf = self._shelves[GrantRow]
        return tuple(shelf.rows[grant] for grant in shelf.holds.first(need.limit, need.now))

    def seen_names(self, need: needs.SeenNames) -> frozenset[str]:
        events = islice(self._shelves[EventRow].rows.values(), need.most)
        return frozenset(need.names) & {event.name for event in events}

    def held_grants(self, need: needs.HeldGrants) -> tuple[GrantRow, ...]:
        wanted = ("held", need.held_for, need.campaign)
        rows: Iterable[GrantRow] = self._shelves[GrantRow].rows.values()
        held = (row for row in rows if (row.status, row.held_for, row.campaign) == wanted)
        return tuple(nsmallest(need.limit, held, key=lambda row: (row.earned_at, row.id)))

    def grants_to_supply(self, need: needs.GrantsToSupply) -> tuple[GrantRow, ...]:
        rows: Iterable[GrantRow] = self._shelves[GrantRow].rows.values()
        held = [row for row in rows if row.held_for == "pool" and need.pool in (None, row.pool)]
        if need.pool is None:
            stocked = {pool for pool in {row.pool for row in held} if pool is not None and self.issues(pool, need.now)}
            held = [row for row in held if row.pool in stocked]
        return tuple(nsmallest(need.limit, held, key=lambda row: (row.earned_at, row.id)))

    def lease_checks(self, need: needs.LeaseChecks) -> tuple[GrantRow, ...]:
        rows: Iterable[GrantRow] = self._shelves[GrantRow].rows.values()
        free = (row for row in rows if row.held_for == "review" and not row.flags and row.lease_until <= need.now)
        due = nsmallest(need.limit, free, key=lambda row: (row.earned_at, row.id))
        leased = [row._replace(lease=row.lease + 1, lease_until=need.until) for row in due]
        self._replace(leased)
        return tuple(leased)

    def lease_notices(self, need: needs.LeaseNotices) -> tuple[NoticeRow, ...]:
        shelf = self._shelves[NoticeRow]
        queue = shelf.queue if need.addressed else shelf.own
        due = [shelf.rows[id] for id in queue.first(need.limit, need.now)]
        leased = [row._replace(lease=row.lease + 1, attempt_at=need.until) for row in due]
        self._replace(leased)
        return tuple(sorted(leased, key=lambda row: (row.created_at, row.id)))

    def notices_of(self, need: needs.NoticesOf) -> tuple[NoticeRow, ...]:
        return self._existing(NoticeRow, need.ids)

    def take_endpoints(self, need: needs.TakeEndpoints) -> tuple[EndpointRow, ...]:
        for name in need.names:
            if name not in self._shelves[EndpointRow].rows:
                self._put(name, EndpointRow(name, "enabled", 0, ""))
        return self._existing(EndpointRow, need.names)

    def take_attempts(self, need: attempts.TakeAttempts) -> tuple[AttemptRow, ...]:
        for subject in need.subjects:
            if subject not in self._shelves[AttemptRow].rows:
                self._put(subject, AttemptRow(subject, 0, 0, 0, 0))
        return self._existing(AttemptRow, need.subjects)

    def forget_attempts(self, need: attempts.ForgetAttempts) -> int:
        shelf = self._shelves[AttemptRow]
        over = shelf.queue.first(
            need.limit, need.before - 1, lambda subject: bool(shelf.rows[subject].locked_until <= need.now)
        )
        for subject in over:
            self._undo.append((shelf, subject, shelf.put(subject, None)))
        return len(over)

    def attempts_of(self, need: attempts.AttemptsOf) -> tuple[AttemptRow, ...]:
        return self._existing(AttemptRow, need.subjects)

    def list_endpoints(self, _need: needs.ListEndpoints) -> tuple[EndpointRow, ...]:
        rows = self._shelves[EndpointRow].rows
        return tuple(rows[name] for name in sorted(rows))

    def registered_endpoints_of(self, need: needs.RegisteredEndpointsOf) -> tuple[RegisteredEndpointRow, ...]:
        return self._existing(RegisteredEndpointRow, need.names)

    def list_registered_endpoints(self, _need: needs.ListRegisteredEndpoints) -> tuple[RegisteredEndpointRow, ...]:
        rows = self._shelves[RegisteredEndpointRow].rows
        return tuple(rows[name] for name in sorted(rows) if rows[name].status != REMOVED)

    def counters(self, need: needs.Counters) -> tuple[CounterRow, ...]:
        return self._existing(CounterRow, need.names)

    def list_grants(self, need: needs.ListGrants) -> tuple[GrantRow, ...]:
        shelf = self._shelves[GrantRow]
        rows: Iterable[GrantRow] = shelf.rows.values()
        if need.user is not None:
            rows = shelf.of_user(need.user).values()
        elif need.status == READY:
            rows = map(shelf.rows.__getitem__, shelf.queue.ids())
        kept = (row for row in rows if need.status in (None, row.status) and need.held_for in (None, row.held_for))
        return _page(kept, lambda row: (row.earned_at, row.id), need.after, need.limit)

    def steps_of(self, need: needs.StepsOf) -> tuple[GrantStepRow, ...]:
        rows, found = self._shelves[GrantStepRow].rows, list[GrantStepRow]()
        while row := rows.get((need.grant, len(found) + 1)):
            found.append(row)
        return tuple(found)

    def list_user_offers(self, need: needs.ListUserOffers) -> tuple[UserOfferRow, ...]:
        shelf = self._shelves[UserOfferRow]
        rows: Iterable[UserOfferRow] = shelf.rows.values() if need.user is None else shelf.of_user(need.user).values()
        kept = (row for row in rows if need.campaign in (None, row.campaign) and need.status in (None, row.status))
        return _page(kept, lambda row: (row.made_at, row.id), need.after, need.limit)

    def list_notices(self, need: needs.ListNotices) -> tuple[NoticeRow, ...]:
        kept = (
            row
            for row in self._shelves[NoticeRow].rows.values()
            if need.status in (None, row.status) and need.endpoint in (None, row.endpoint)
        )
        return _page(kept, lambda row: (row.created_at, row.id), need.after, need.limit)

    def referral_of(self, need: referrals.ReferralOf) -> ReferralRow | None:
        return self._shelves[ReferralRow].rows.get(need.id)

    def referrals_into(self, need: referrals.ReferralsInto) -> tuple[ReferralRow, ...]:
        shelf = self._shelves[ReferralRow]
        found = [row for user in set(need.recipients) for row in shelf.of_user(user).values()]
        return tuple(sorted(found, key=lambda row: (row.recipient, row.made_at, row.id)))

    def list_referrals(self, need: referrals.ListReferrals) -> tuple[ReferralRow, ...]:
        shelf = self._shelves[ReferralRow]
        rows = shelf.rows.values() if need.recipient is None else shelf.of_user(need.recipient).values()
        wanted = {"sender": need.sender, "program": need.program, "status": need.status}
        given = [(column, value) for column, value in wanted.items() if value is not None]
        kept = (row for row in rows if all(getattr(row, column) == value for column, value in given))
        return _page(kept, lambda row: (row.made_at, row.id), need.after, need.limit)

    def take_referral_code(self, need: referrals.TakeReferralCode) -> ReferralCodeRow | None:
        rows = self._shelves[ReferralCodeRow].rows
        if need.sender not in rows:
            if self.sender_of_code(referrals.SenderOfCode(need.code)) is not None:
                return None
            self._put(need.sender, ReferralCodeRow(need.sender, need.code, need.at))
        row: ReferralCodeRow = rows[need.sender]
        return row

    def referral_code_of(self, need: referrals.ReferralCodeOf) -> ReferralCodeRow | None:
        row: ReferralCodeRow | None = self._shelves[ReferralCodeRow].rows.get(need.sender)
        return row

    def sender_of_code(self, need: referrals.SenderOfCode) -> ReferralCodeRow | None:
        row: ReferralCodeRow | None = self._shelves[ReferralCodeRow].having(need.code)
        return row

    def _existing(self, row: type[R], keys: Sequence[str]) -> tuple[R, ...]:
        rows = self._shelves[row].rows
        return tuple(rows[key] for key in sorted(set(keys)) if key in rows)


def _page(
    rows: Iterable[R], place: Callable[[R], tuple[int, str]], after: tuple[int, str] | None, limit: int
) -> tuple[R, ...]:
    return tuple(nsmallest(limit, (row for row in rows if after is None or place(row) > after), key=place))
