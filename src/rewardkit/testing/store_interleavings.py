"""What a store promises to two transactions at once, each played by hand: no race that luck could win."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Insert, Publish, Replace
from rewardkit.core.storing.needs import Need
from rewardkit.core.storing.rows import AnswerRow, CounterRow, EndpointRow
from rewardkit.errors import StoreError
from rewardkit.ports import Store
from rewardkit.testing.player import DEADLINE_SECONDS, Player, waits_or_is_refused
from rewardkit.testing.rows import definition, event, grant, member, notice, registered_endpoint
from rewardkit.testing.steps import put

ONE_OF_ONE = needs.Claims((needs.Claim("cap", 1, 1, 0, 0),))


class StoreInterleavings:
    """Part of `StoreContract`."""

    def test_two_accepts_of_one_event_take_it_once(self, store: Store) -> None:
        accept = needs.Accept((event(),), ("ann",))
        with _second_waits(store, accept, accept) as (first, answer):
            first.commit()
            assert answer().fresh == frozenset()

    def test_an_event_whose_first_taker_rolled_back_is_taken_by_the_second(self, store: Store) -> None:
        accept = needs.Accept((event(),), ("ann",))
        with _second_waits(store, accept, accept) as (first, answer):
            first.roll_back()
            assert answer().fresh == {("ann", "1")}

    def test_a_member_is_read_as_the_transaction_before_left_her(self, store: Store) -> None:
        put(store, member())
        members = needs.Members(("ann",))
        with _second_waits(store, members, members) as (first, answer):
            first.write((Replace((member(state=b"first"),)),))
            first.commit()
            assert answer() == (member(state=b"first"),)

    @pytest.mark.parametrize("kept, expected", [(True, (0,)), (False, (1,))])
    @pytest.mark.parametrize("known", [True, False])
    def test_the_last_of_a_cap_is_claimed_once(
        self, store: Store, *, known: bool, kept: bool, expected: tuple[int, ...]
    ) -> None:
        if known:
            put(store, CounterRow("cap", 1, 0, 0, 0))
        with _second_waits(store, ONE_OF_ONE, ONE_OF_ONE) as (first, answer):
            if kept:
                first.commit()
            else:
                first.roll_back()
            assert answer() == expected

    def test_a_released_place_goes_to_the_one_that_waited(self, store: Store) -> None:
        put(store, CounterRow("cap", 1, 1, 0, 0))
        release = needs.Claims((needs.Claim("cap", 1, 0, 0, 1),))
        with _second_waits(store, release, ONE_OF_ONE) as (first, answer):
            first.commit()
            assert answer() == (1,)

    def test_an_idempotency_key_is_worked_on_by_one_at_a_time(self, store: Store) -> None:
        recall = needs.Recall("make", "key")
        with _second_waits(store, recall, recall) as (first, answer):
            first.write((Replace((AnswerRow("make", "key", b"digest", "{}", 5),)),))
            first.commit()
            assert answer() == AnswerRow("make", "key", b"digest", "{}", 5)

    def test_one_at_a_time_defines(self, store: Store) -> None:
        define = needs.Published()
        with _second_waits(store, define, define) as (first, answer):
            first.write((Insert((definition(),)), Publish(1, 77)))
            first.commit()
            assert answer() == (1, 77)

    def test_a_grant_is_read_as_the_transaction_before_left_it(self, store: Store) -> None:
        put(store, grant())
        with _second_waits(store, needs.GrantOf("grant-1"), needs.GrantOf("grant-1")) as (first, answer):
            first.write((Replace((grant(status="fulfilled"),)),))
            first.commit()
            assert answer() == grant(status="fulfilled")

    def test_a_notice_is_read_as_the_transaction_before_left_it(self, store: Store) -> None:
        put(store, notice())
        with _second_waits(store, needs.NoticesOf(("notice-1",)), needs.NoticesOf(("notice-1",))) as (first, answer):
            first.write((Replace((notice(status="delivered"),)),))
            first.commit()
            assert answer() == (notice(status="delivered"),)

    def test_an_endpoint_is_read_as_the_transaction_before_left_it(self, store: Store) -> None:
        take, gone = needs.TakeEndpoints(("shop",)), EndpointRow("shop", "gone", 5, "410")
        with _second_waits(store, take, take) as (first, answer):
            first.write((Replace((gone,)),))
            first.commit()
            assert answer() == (gone,)

    def test_a_registered_endpoint_is_read_as_the_transaction_before_left_it(self, store: Store) -> None:
        put(store, registered_endpoint())
        take, gone = needs.RegisteredEndpointsOf(("shop",)), registered_endpoint(status="gone")
        with _second_waits(store, take, take) as (first, answer):
            first.write((Replace((gone,)),))
            first.commit()
            assert answer() == (gone,)

    def test_two_lessees_get_different_grants(self, store: Store) -> None:
        put(store, grant("a"), grant("b"))
        with Player(store) as first, Player(store) as second:
            taken = first.ask(needs.LeaseGrants(now=10, until=20, limit=1))
            other = second.step(lambda transaction: transaction.ask(needs.LeaseGrants(now=10, until=20, limit=2)))
            waits_or_is_refused(other)
            first.commit()
            assert [row.id for row in (*taken, *other.result(DEADLINE_SECONDS))] == ["a", "b"]

    def test_two_deliverers_get_different_notices(self, store: Store) -> None:
        put(store, notice("a"), notice("b"))
        with Player(store) as first, Player(store) as second:
            taken = first.ask(needs.LeaseNotices(now=1_000, until=2_000, limit=1))
            other = second.step(
                lambda transaction: transaction.ask(needs.LeaseNotices(now=1_000, until=2_000, limit=2))
            )
            waits_or_is_refused(other)
            first.commit()
            assert [row.id for row in (*taken, *other.result(DEADLINE_SECONDS))] == ["a", "b"]

    def test_two_workers_advance_different_members(self, store: Store) -> None:
        put(store, member("ann", wake_at=5), member("bob", wake_at=6))
        with Player(store) as first, Player(store) as second:
            taken = first.ask(needs.DueMembers(now=10, limit=1))
            other = second.step(lambda transaction: transaction.ask(needs.DueMembers(now=10, limit=2)))
            waits_or_is_refused(other)
            first.write((Replace((member("ann"),)),))
            first.commit()
            assert [row.user for row in (*taken.rows, *other.result(DEADLINE_SECONDS).rows)] == ["ann", "bob"]

    def test_what_is_not_committed_is_seen_by_nobody_else(self, store: Store) -> None:
        with Player(store) as first, Player(store) as second:
            first.write((Insert((grant(),)),))
            everything = needs.ListGrants(user=None, status=None, after=None, limit=10)
            seen = second.step(lambda transaction: transaction.ask(everything))
            waits_or_is_refused(seen)
            first.roll_back()
            assert seen.result(DEADLINE_SECONDS) == ()

    def test_a_cap_holds_under_many_threads_that_take_and_give_back(self, store: Store) -> None:
        balance, lock = [0], threading.Lock()

        def work() -> None:
            for turn in range(10):
                confirm = turn % 3
                claim = needs.Claims((needs.Claim("cap", 5, 1, 0, 0),))
                got = _in_a_transaction(store, claim)[0]
                if got and confirm == 0:
                    _in_a_transaction(store, needs.Claims((needs.Claim("cap", 5, 0, 0, 1),)))
                    got = 0
                with lock:
                    balance[0] += got

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with store.transaction("acme") as transaction:
            (row,) = transaction.ask(needs.Counters(("cap",)))
        assert (balance[0], row.cap) == (row.reserved, 5)
        assert row.reserved == 5


@contextmanager
def _second_waits(
    store: Store, first_asks: Need[Any], second_asks: Need[Any]
) -> Iterator[tuple[Player, Callable[[], Any]]]:
    """Two transactions, of which the second cannot have its answer before the first has ended.

    Gives the first's player, and a function that gives the second's answer; a store may also refuse the second for now:
    then its answer is that of a second attempt.
    """
    with Player(store) as first, Player(store) as second:
        first.ask(first_asks)
        future = second.step(lambda transaction: transaction.ask(second_asks))
        assert waits_or_is_refused(future), "the second transaction went on beside the first"

        def answer() -> Any:
            try:
                return future.result(DEADLINE_SECONDS)
            except StoreError as error:
                if not error.transient:
                    raise
                return _in_a_transaction(store, second_asks)

        yield first, answer


def _in_a_transaction(store: Store, need: Need[Any]) -> Any:
    """The answer to one need, tried again while others are in the way."""
    while True:
        try:
            with store.transaction("acme") as transaction:
                return transaction.ask(need)
        except StoreError as error:
            if not error.transient:
                raise
