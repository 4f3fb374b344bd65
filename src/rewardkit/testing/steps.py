"""What the contracts do to a store, each in a transaction of its own."""

from __future__ import annotations

from typing import Any, TypeVar

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Insert, Replace
from rewardkit.core.storing.needs import Need
from rewardkit.core.storing.rows import Row
from rewardkit.ports import Store

T = TypeVar("T")


def ask(store: Store, need: Need[T], tenant: str = "acme") -> T:
    """The answer to a need."""
    with store.transaction(tenant) as transaction:
        return transaction.ask(need)


def put(store: Store, *rows: Row, tenant: str = "acme") -> None:
    """Insert rows of any types."""
    with store.transaction(tenant) as transaction:
        for kind in dict.fromkeys(map(type, rows)):
            transaction.write((Insert(tuple(row for row in rows if type(row) is kind)),))


def replace(store: Store, *rows: Row) -> None:
    """Replace rows of one type."""
    with store.transaction("acme") as transaction:
        transaction.write((Replace(rows),))


def grants(store: Store, tenant: str = "acme") -> list[str]:
    """The ids of all grants, earliest first."""
    return [row.id for row in ask(store, needs.ListGrants(None, None, None, 9_999), tenant)]


def everything(store: Store, tenant: str = "acme") -> list[Any]:
    """All that can be asked about a tenant without changing it."""
    with store.transaction(tenant) as transaction:
        return [
            transaction.ask(needs.Definitions()),
            transaction.ask(needs.Histories(("ann", "bob"))),
            transaction.ask(needs.Members(("ann", "bob"))),
            transaction.ask(needs.DueMembers(2**63 - 1, 9)),
            transaction.ask(needs.StaleMembers("", 9)),
            transaction.ask(needs.Counters(("cap", "new"))),
            transaction.ask(needs.ListGrants(None, None, None, 9)),
            transaction.ask(needs.ListUserOffers(None, None, None, None, 9)),
            transaction.ask(needs.ListNotices(None, None, 9)),
            transaction.ask(needs.ListEndpoints()),
            transaction.ask(needs.ListRegisteredEndpoints()),
        ]
