"""What a store promises of transactions that only read."""

from __future__ import annotations

import pytest

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Insert, Publish
from rewardkit.core.storing.seen_needs import InForce, MembersSeen
from rewardkit.errors import InvariantError
from rewardkit.ports import Store
from rewardkit.testing.rows import definition, grant, member
from rewardkit.testing.steps import ask, grants, put


class StoreReading:
    """Part of `StoreContract`."""

    def test_a_transaction_that_reads_sees_what_was_committed(self, store: Store) -> None:
        put(store, grant(), member("ann"), member("bob"))
        with store.transaction("acme", reading=True) as transaction:
            assert transaction.ask(InForce()) == (0, 0)
            assert (grant(),) == transaction.ask(needs.ListGrants(None, None, None, 9))
            seen = transaction.ask(MembersSeen(("bob", "nobody", "ann")))
        assert (member("ann"), member("bob")) == seen
        assert seen == ask(store, needs.Members(("ann", "bob")))

    def test_what_is_in_force_is_seen(self, store: Store) -> None:
        with store.transaction("acme") as transaction:
            transaction.ask(needs.Published())
            transaction.write((Insert((definition(),)), Publish(1, 7)))
        with store.transaction("acme", reading=True) as transaction:
            assert transaction.ask(InForce()) == (1, 7)
        assert ask(store, InForce(), "other") == (0, 0)

    def test_a_transaction_that_reads_writes_nothing(self, store: Store) -> None:
        with pytest.raises(InvariantError), store.transaction("acme", reading=True) as transaction:
            transaction.write((Insert((grant(),)),))
        assert grants(store) == []

    def test_a_transaction_that_reads_is_followed_by_one_that_writes(self, store: Store) -> None:
        for number in range(2):
            with store.transaction("acme", reading=True) as transaction:
                transaction.ask(MembersSeen(("ann",)))
            put(store, grant(f"grant-{number}"))
        assert grants(store) == ["grant-0", "grant-1"]
