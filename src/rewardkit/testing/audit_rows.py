"""Reading a snapshot: through a store's own needs, or by plain SQL in one read transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from rewardkit.core.storing.needs import (
    Counters,
    Definitions,
    Histories,
    ListEndpoints,
    ListGrants,
    ListNotices,
    ListRegisteredEndpoints,
    ListUserOffers,
    Members,
    RegisteredEndpointsOf,
    StaleMembers,
    StepsOf,
)
from rewardkit.core.storing.referral_needs import ListReferrals, ReferralCodeOf
from rewardkit.core.storing.referral_rows import ReferralCodeRow
from rewardkit.core.storing.rows import RegisteredEndpointRow
from rewardkit.core.values.limits import PAGE_ROWS
from rewardkit.ports import Store, Transaction
from rewardkit.storage.tables import (
    ANSWER,
    COUNTER,
    DEFINITION,
    ENDPOINT,
    EVENT,
    GRANT,
    GRANT_STEP,
    MEMBER,
    NOTICE,
    POOL_TABLES,
    REFERRAL,
    REFERRAL_CODE,
    REGISTERED_ENDPOINT,
    USER_OFFER,
    Table,
)
from rewardkit.testing.audit import Snapshot, taking_of
from rewardkit.testing.audit_catalogue import catalogue_of, register_of
from rewardkit.testing.audit_pools import PoolSnapshot, pool_snapshot_of
from rewardkit.testing.audit_referrals import referral_counters

R = TypeVar("R")


class Connection(Protocol):
    """A `sqlite3` or `psycopg` connection in autocommit, on which nothing is open."""

    def execute(self, query: Any, values: Any = ...) -> Any:
        """Execute a statement and give a cursor over its rows."""
        ...


def snapshot_of(store: Store, tenant: str, users: Iterable[str] = ()) -> Snapshot:
    """What a store says when it is asked, while nobody else writes to it.

    Args:
        store: any.
        tenant: whose.
        users: those who may have events but no offer; others are found by their offers.
    """
    with store.transaction(tenant) as transaction:
        definitions = transaction.ask(Definitions())
        offers = _pages(lambda after: transaction.ask(ListUserOffers(None, None, None, after, PAGE_ROWS)), "made_at")
        grants = _pages(lambda after: transaction.ask(ListGrants(None, None, after, PAGE_ROWS)), "earned_at")
        notices = _pages(lambda after: transaction.ask(ListNotices(None, after, PAGE_ROWS)), "created_at")
        catalogue = catalogue_of(definitions.rows, definitions.epoch)
        counters = {name for one in catalogue.campaigns.values() for name in (one.counter, one.budget_counter)}
        counters |= {name for offer in offers for name in taking_of(offer, catalogue)}
        referrals = _pages(
            lambda after: transaction.ask(ListReferrals(None, None, None, None, after, PAGE_ROWS)), "made_at"
        )
        counters |= {*referral_counters(referrals, register_of(definitions.rows, definitions.epoch))}
        parties = {user for row in referrals for user in (row.sender, row.recipient)}
        everybody = {*users, *(row.user for row in offers), *parties, *_stale(transaction)}
        known = tuple(sorted(everybody))
        histories = transaction.ask(Histories(known))
        return Snapshot(
            tenant,
            definitions.epoch,
            definitions.fingerprint,
            tuple(sorted(row for events in histories.values() for row in events)),
            transaction.ask(Members(known)),
            tuple(sorted(definitions.rows)),
            tuple(sorted(offers)),
            tuple(sorted(grants)),
            tuple(sorted(notices)),
            transaction.ask(Counters(tuple(sorted(counters)))),
            endpoints=transaction.ask(ListEndpoints()),
            stock=pool_snapshot_of(transaction),
            grant_steps=tuple(step for row in sorted(grants) for step in transaction.ask(StepsOf(row.id))),
            registered=_registered(transaction, {row.endpoint for row in notices}),
            referrals=tuple(sorted(referrals)),
            referral_codes=_codes(transaction, known),
        )


def _stale(transaction: Transaction) -> list[str]:
    return [row.user for row in transaction.ask(StaleMembers("", PAGE_ROWS)).rows]


def _codes(transaction: Transaction, users: Iterable[str]) -> tuple[ReferralCodeRow, ...]:
    found = (transaction.ask(ReferralCodeOf(user)) for user in users)
    return tuple(row for row in found if row is not None)


def _registered(transaction: Transaction, told: set[str]) -> tuple[RegisteredEndpointRow, ...]:
    """Removed ones are found by what they were told."""
    names = {row.name for row in transaction.ask(ListRegisteredEndpoints())} | told
    return transaction.ask(RegisteredEndpointsOf(tuple(sorted(names))))


def _pages(read: Callable[[tuple[int, str] | None], tuple[Any, ...]], instant: str) -> list[Any]:
    found: list[Any] = []
    after = None
    while page := read(after):
        found += page
        after = (getattr(page[-1], instant), page[-1].id)
    return found


def snapshot_in(connection: Connection, tenant: str, prefix: str = "rewardkit_") -> Snapshot:
    """What the tables hold, at one place in time, beside any number of writers.

    Args:
        connection: to the database; its own read transaction begins and ends here.
        tenant: whose.
        prefix: of the tables.
    """
    postgres = hasattr(connection, "info")
    mark = "%s" if postgres else "?"
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if postgres else "BEGIN")
    try:

        def rows(table: Table) -> tuple[Any, ...]:
            columns = ", ".join(f'"{column}"' for column in table.columns)
            statement = f'SELECT {columns} FROM "{prefix}{table.name}" WHERE "tenant" = {mark}'  # noqa: S608 - bound
            return tuple(sorted(map(table.row._make, connection.execute(statement, (tenant,)).fetchall()), key=repr))

        text = f'SELECT "epoch", "fingerprint" FROM "{prefix}tenant" WHERE "tenant" = {mark}'  # noqa: S608 - bound
        epoch, fingerprint = connection.execute(text, (tenant,)).fetchone() or (0, 0)
        return Snapshot(
            tenant,
            epoch,
            fingerprint,
            rows(EVENT),
            rows(MEMBER),
            rows(DEFINITION),
            rows(USER_OFFER),
            rows(GRANT),
            rows(NOTICE),
            rows(COUNTER),
            rows(ANSWER),
            rows(ENDPOINT),
            rows(GRANT_STEP),
            rows(REGISTERED_ENDPOINT),
            rows(REFERRAL),
            rows(REFERRAL_CODE),
            PoolSnapshot(*map(rows, POOL_TABLES)),
        )
    finally:
        connection.execute("ROLLBACK")
