"""What a store promises about what is taken from it: limits, idempotency keys and leases."""

from __future__ import annotations

import pytest

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Replace
from rewardkit.core.storing.rows import AnswerRow, CounterRow
from rewardkit.errors import InvariantError
from rewardkit.ports import Store
from rewardkit.testing.rows import event, grant, notice
from rewardkit.testing.steps import ask, put, replace

GREATEST = 2**63 - 1

NAMES = ("Z", "a", "é", "\uff5e", "\U0001f381")


class StoreTakings:
    """Part of `StoreContract`."""

    # Counters

    @pytest.mark.parametrize(
        "before, claim, granted, after",
        [
            (None, (5, 3, 0, 0), 3, (5, 3, 0)),
            (None, (5, 9, 0, 0), 5, (5, 5, 0)),
            (None, (0, 1, 0, 0), 0, (0, 0, 0)),
            (None, (5, 0, 0, 0), 0, (5, 0, 0)),
            ((5, 3, 1), (5, 1, 0, 0), 1, (5, 4, 1)),
            ((5, 3, 1), (5, 2, 0, 0), 1, (5, 4, 1)),
            ((5, 3, 2), (5, 1, 0, 0), 0, (5, 3, 2)),
            ((5, 3, 2), (5, 0, 2, 0), 0, (5, 1, 4)),
            ((5, 3, 2), (5, 2, 0, 1), 1, (5, 3, 2)),
            ((5, 3, 2), (5, 9, 1, 2), 2, (5, 2, 3)),
            ((5, 3, 2), (9, 9, 0, 0), 4, (9, 7, 2)),
            ((5, 3, 2), (4, 1, 0, 0), 0, (5, 3, 2)),
            ((5, 3, 2), (4, 1, 0, 3), 1, (4, 1, 2)),
            ((GREATEST, 3, 2), (GREATEST, GREATEST, 0, 0), GREATEST - 5, (GREATEST, GREATEST - 2, 2)),
        ],
    )
    def test_a_claim_moves_first_and_then_takes_what_the_cap_leaves(
        self,
        store: Store,
        before: tuple[int, int, int] | None,
        claim: tuple[int, int, int, int],
        granted: int,
        after: tuple[int, int, int],
    ) -> None:
        if before:
            put(store, CounterRow("cap", *before, 0))
        assert ask(store, needs.Claims((needs.Claim("cap", *claim),))) == (granted,)
        (row,) = ask(store, needs.Counters(("cap",)))
        assert (row.cap, row.reserved, row.confirmed) == after

    @pytest.mark.parametrize("reserved", [None, 0, 1])
    @pytest.mark.parametrize("moved", [(1, 1), (2, 0), (0, 2)])
    def test_moving_more_than_is_reserved_breaks_a_promise(
        self, store: Store, reserved: int | None, moved: tuple[int, int]
    ) -> None:
        if reserved is not None:
            put(store, CounterRow("cap", 9, reserved, 3, 0))
        before = ask(store, needs.Counters(("cap",)))
        with pytest.raises(InvariantError):
            ask(store, needs.Claims((needs.Claim("cap", 9, 5, *moved),)))
        assert ask(store, needs.Counters(("cap",))) == before

    def test_a_place_that_was_confirmed_is_given_back_and_can_be_taken_again(self, store: Store) -> None:
        put(store, CounterRow("cap", 3, 1, 2, 0))
        ask(store, needs.GiveBack("cap"))
        assert ask(store, needs.Counters(("cap",)))[0][1:4] == (3, 1, 1)
        assert ask(store, needs.Claims((needs.Claim("cap", 3, 9, 0, 0),))) == (1,)

    @pytest.mark.parametrize("confirmed", [None, 0])
    def test_giving_back_what_was_never_confirmed_breaks_a_promise(self, store: Store, confirmed: int | None) -> None:
        if confirmed is not None:
            put(store, CounterRow("cap", 3, 1, confirmed, 0))
        before = ask(store, needs.Counters(("cap",)))
        with pytest.raises(InvariantError):
            ask(store, needs.GiveBack("cap"))
        assert ask(store, needs.Counters(("cap",))) == before

    def test_claims_are_answered_in_their_order(self, store: Store) -> None:
        names = sorted(NAMES)
        claims = tuple(needs.Claim(name, number, 9, 0, 0) for number, name in enumerate(names))
        assert ask(store, needs.Claims(claims)) == (0, 1, 2, 3, 4)
        assert ask(store, needs.Claims(())) == ()
        assert [row.name for row in ask(store, needs.Counters((*reversed(names), "none")))] == names

    @pytest.mark.parametrize("bounds", [(-1, 0), (0, -1), (2, 2)])
    def test_a_counter_out_of_its_bounds_breaks_a_promise(self, store: Store, bounds: tuple[int, int]) -> None:
        with pytest.raises(InvariantError):
            put(store, CounterRow("cap", 3, *bounds, 0))
        assert ask(store, needs.Counters(("cap",))) == ()

    # Answers

    def test_an_answer_is_recalled_once_it_has_been_given(self, store: Store) -> None:
        answer = AnswerRow("make", "key", b"digest", "{}", 5)
        with store.transaction("acme") as transaction:
            assert transaction.ask(needs.Recall("make", "key")) is None
            transaction.write((Replace((answer,)),))
        assert ask(store, needs.Recall("make", "key")) == answer
        assert ask(store, needs.Recall("make", "other")) is None
        assert ask(store, needs.Recall("other", "key")) is None

    def test_a_key_that_was_taken_but_never_answered_is_still_free(self, store: Store) -> None:
        assert ask(store, needs.Recall("make", "key")) is None
        assert ask(store, needs.Recall("make", "key")) is None

    # Leases

    def test_a_grant_is_leased_until_its_lease_ends(self, store: Store) -> None:
        put(store, grant("b", earned_at=2), grant("c", earned_at=1), grant("a", earned_at=2))
        put(store, grant("z", status="fulfilled", earned_at=0))
        leased = ask(store, needs.LeaseGrants(now=10, until=20, limit=2))
        assert [(row.id, row.lease, row.lease_until) for row in leased] == [("c", 1, 20), ("a", 1, 20)]
        assert [row.id for row in ask(store, needs.LeaseGrants(now=19, until=30, limit=9))] == ["b"]
        again = ask(store, needs.LeaseGrants(now=20, until=40, limit=9))
        assert [(row.id, row.lease) for row in again] == [("c", 2), ("a", 2)]
        assert ask(store, needs.GrantOf("a")) == again[1]

    def test_a_grant_that_waits_to_be_tried_again_is_not_leased(self, store: Store) -> None:
        put(store, grant("a", lease_until=15)._replace(retry_at=15, failures=1), grant("b", status="undeliverable"))
        put(store, grant("c", status="held")._replace(held_for="review"))
        assert ask(store, needs.LeaseGrants(now=14, until=20, limit=9)) == ()
        (row,) = ask(store, needs.LeaseGrants(now=15, until=20, limit=9))
        assert (row.id, row.lease, row.lease_until, row.retry_at, row.failures) == ("a", 1, 20, 15, 1)

    def test_holds_are_due_in_the_order_of_their_ends(self, store: Store) -> None:
        for id, until in (("b", 5), ("a", 5), ("c", 4), ("d", 6)):
            put(store, grant(id, status="held")._replace(held_for="hold", hold_until=until))
        put(store, grant("r")._replace(hold_until=1))
        put(store, grant("p", status="held")._replace(held_for="pool", hold_until=1))
        assert [row.id for row in ask(store, needs.DueHolds(now=5, limit=9))] == ["c", "a", "b"]
        assert [row.id for row in ask(store, needs.DueHolds(now=5, limit=2))] == ["c", "a"]
        replace(store, grant("c")._replace(hold_until=4))
        assert [row.id for row in ask(store, needs.DueHolds(now=9, limit=9))] == ["a", "b", "d"]

    def test_the_names_of_events_that_were_seen_are_told(self, store: Store) -> None:
        put(store, event("ann", "1"), event("bob", "1")._replace(name="Sign Up"))
        assert ask(store, needs.SeenNames(("Purchase", "Refund", "Sign Up"), 9)) == {"Purchase", "Sign Up"}
        assert len(ask(store, needs.SeenNames(("Purchase", "Sign Up"), 1))) == 1
        assert ask(store, needs.SeenNames(("Purchase",), 9), "other") == frozenset()

    def test_grants_that_wait_for_money_are_told_campaign_by_campaign_oldest_first(self, store: Store) -> None:
        for id, at, campaign in (("a", 2, "spring"), ("b", 1, "spring"), ("c", 1, "autumn"), ("d", 2, "spring")):
            put(store, grant(id, status="held", earned_at=at)._replace(held_for="budget", campaign=campaign))
        put(store, grant("e", status="held")._replace(held_for="hold"), grant("f"))
        assert [row.id for row in ask(store, needs.HeldGrants("budget", "spring", 9))] == ["b", "a", "d"]
        assert [row.id for row in ask(store, needs.HeldGrants("budget", "spring", 2))] == ["b", "a"]
        replace(store, grant("b", status="ready", earned_at=1))
        assert [row.id for row in ask(store, needs.HeldGrants("budget", "spring", 1))] == ["a"]

    def test_checks_are_leased_where_no_flags_are_known(self, store: Store) -> None:
        first, second = (
            grant(id, status="held", earned_at=at)._replace(held_for="review") for id, at in (("a", 2), ("b", 1))
        )
        put(store, first, second, first._replace(id="c", flags="[]"), grant("d"))
        put(store, grant("e", status="held")._replace(held_for="pool"))
        leased = ask(store, needs.LeaseChecks(now=10, until=20, limit=1))
        assert [(row.id, row.lease, row.lease_until) for row in leased] == [("b", 1, 20)]
        assert [row.id for row in ask(store, needs.LeaseChecks(now=19, until=30, limit=9))] == ["a"]
        assert [(row.id, row.lease) for row in ask(store, needs.LeaseChecks(now=20, until=30, limit=9))] == [("b", 2)]

    def test_a_notice_is_leased_until_its_next_attempt(self, store: Store) -> None:
        put(store, notice("b", attempt_at=5), notice("a", attempt_at=5), notice("c", attempt_at=4, created_at=9))
        put(store, notice("d", status="delivered"), notice("e", status="dead"), notice("f", attempt_at=11))
        leased = ask(store, needs.LeaseNotices(now=10, until=20, limit=2))
        assert [(row.id, row.lease, row.attempt_at) for row in leased] == [("c", 1, 20), ("a", 1, 20)]
        assert [row.id for row in ask(store, needs.LeaseNotices(now=11, until=30, limit=9))] == ["b", "f"]
        assert [row.lease for row in ask(store, needs.LeaseNotices(now=20, until=40, limit=9))] == [2, 2]
        replace(store, notice("a", status="delivered"))
        assert [row.id for row in ask(store, needs.LeaseNotices(now=99, until=999, limit=1))] == ["b"]
