"""Every promise of `rewardkit.ports.Store`, as tests: a store that passes them can take the place of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Insert, Publish, Replace
from rewardkit.core.storing.referral_rows import ReferralEnding
from rewardkit.core.storing.rows import AnswerRow, CounterRow, EndpointRow, EventRow, MemberRow, Row, UserOfferEnding
from rewardkit.errors import InvariantError, StoreError
from rewardkit.ports import Store
from rewardkit.testing.rows import (
    definition,
    event,
    grant,
    member,
    notice,
    referral,
    referral_code,
    registered_endpoint,
    step,
    user_offer,
)
from rewardkit.testing.steps import ask, everything, grants, put, replace
from rewardkit.testing.store_interleavings import StoreInterleavings
from rewardkit.testing.store_outbox import StoreOutbox
from rewardkit.testing.store_pools import StorePools
from rewardkit.testing.store_reading import StoreReading
from rewardkit.testing.store_referrals import StoreReferrals
from rewardkit.testing.store_registered import StoreRegistered
from rewardkit.testing.store_supplies import StoreSupplies
from rewardkit.testing.store_takings import StoreTakings
from rewardkit.testing.store_tracking import StoreTracking

LEAST, GREATEST = -(2**63), 2**63 - 1

# By code point "Z" < "a" < "é" < "\uff5e" < "\U0001f381"; a collation, or UTF-16's order, would differ.
WORDS = ("Z", "a", "é", "\uff5e", "\U0001f381")

ODD_TEXT = 'quote\' "double" back\\slash {brace} %s ? :name NULL \t\r\n \u0001 é \U0001f381'


class StoreContract(
    StoreTakings,
    StoreOutbox,
    StorePools,
    StoreReading,
    StoreReferrals,
    StoreRegistered,
    StoreSupplies,
    StoreTracking,
    StoreInterleavings,
):
    """Inherit, and give a fixture `store` that makes an empty store for each test, with a tenant's tables ready."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """An empty store."""
        raise NotImplementedError("override the fixture `store`")

    # Whole or not at all

    def test_what_a_block_wrote_is_there_after_it(self, store: Store) -> None:
        put(store, grant())
        assert ask(store, needs.GrantOf("grant-1")) == grant()

    def test_a_block_that_raises_leaves_nothing(self, store: Store) -> None:
        put(store, member(wake_at=5), grant(), notice(), CounterRow("cap", 9, 1, 0, 0))
        before = everything(store)
        with pytest.raises(ZeroDivisionError), store.transaction("acme") as transaction:  # noqa: PT012, the block is the case
            transaction.ask(needs.Accept((event(id="2"),), ("ann", "bob")))
            transaction.ask(needs.Claims((needs.Claim("cap", 9, 3, 1, 0), needs.Claim("new", 1, 1, 0, 0))))
            transaction.ask(needs.LeaseGrants(now=5, until=9, limit=9))
            transaction.ask(needs.LeaseNotices(now=5_000, until=9_000, limit=9))
            transaction.ask(needs.Recall("make", "key"))
            transaction.ask(needs.TakeEndpoints(("shop",)))
            transaction.ask(needs.Published())
            transaction.write((Insert((definition(),)), Publish(1, 7), Insert((user_offer(),))))
            transaction.write((Replace((member(wake_at=7),)),))
            raise ZeroDivisionError
        assert everything(store) == before

    def test_a_transaction_sees_what_it_did(self, store: Store) -> None:
        with store.transaction("acme") as transaction:
            transaction.write((Insert((grant(),)),))
            assert transaction.ask(needs.GrantOf("grant-1")) == grant()
            transaction.write((Replace((grant(status="fulfilled"),)),))
            assert transaction.ask(needs.LeaseGrants(now=5, until=9, limit=9)) == ()

    def test_a_failure_that_the_block_swallows_loses_the_transaction(self, store: Store) -> None:
        with pytest.raises(StoreError), store.transaction("acme") as transaction:  # noqa: PT012, the block is the case
            transaction.write((Insert((grant("a"),)),))
            with pytest.raises(InvariantError):
                transaction.write((Insert((grant("a"),)),))
            with pytest.raises(StoreError):
                transaction.write((Insert((grant("b"),)),))
        assert grants(store) == []

    def test_a_transaction_inside_another_is_refused_at_once(self, store: Store) -> None:
        with store.transaction("acme") as outer:
            with pytest.raises(StoreError, match="open in this thread"), store.transaction("acme"):
                pass
            outer.write((Insert((grant(),)),))
        assert grants(store) == ["grant-1"]

    def test_an_ended_transaction_refuses_to_go_on(self, store: Store) -> None:
        with store.transaction("acme") as transaction:
            pass
        with pytest.raises(StoreError, match="ended"):
            transaction.ask(needs.GrantOf("grant-1"))

    def test_migrating_again_applies_nothing(self, store: Store) -> None:
        put(store, grant())
        assert store.migrate() == ()
        assert grants(store) == ["grant-1"]

    def test_a_closed_store_opens_again_and_closes_twice(self, store: Store) -> None:
        put(store, grant())
        store.close()
        store.close()
        assert grants(store) == ["grant-1"]

    def test_it_is_not_joined(self, store: Store) -> None:
        assert store.joined is False

    # Tenants

    def test_tenants_never_meet(self, store: Store) -> None:
        rows: tuple[Row, ...] = (member(wake_at=5), grant(), notice(), user_offer(), CounterRow("cap", 9, 1, 0, 0))
        rows += (registered_endpoint(),)
        nothing = everything(store, "other")
        put(store, *rows, definition(), AnswerRow("make", "key", b"digest", "", 5))
        with store.transaction("acme") as transaction:
            transaction.ask(needs.Accept((event(),), ("ann",)))
            transaction.write((Publish(1, 7),))
        assert everything(store, "other") == nothing
        with pytest.raises(InvariantError), store.transaction("other") as transaction:
            transaction.write((Replace((grant(),)),))
        put(store, *rows, tenant="other")
        assert grants(store, "other") == ["grant-1"]

    # Accept, members, histories

    def test_accept_takes_what_is_new_and_tells_it(self, store: Store) -> None:
        ask(store, needs.Accept((event(id="1"),), ("ann",)))
        accepted = ask(store, needs.Accept((event(id="1", digest=b"other"), event(id="2")), ("ann",)))
        assert accepted == needs.Accepted(0, 0, frozenset({("ann", "2")}))
        digests = ask(store, needs.Digests((("ann", "1"), ("ann", "2"), ("ann", "3"))))
        assert digests == {("ann", "1"): b"digest", ("ann", "2"): b"digest"}

    def test_a_new_member_has_read_nothing_at_the_epoch_in_force(self, store: Store) -> None:
        put(store, member("ann"))
        with store.transaction("acme") as transaction:
            transaction.ask(needs.Published())
            transaction.write((Publish(1, 77),))
        assert ask(store, needs.Accept((), ("ann", "bob"))) == needs.Accepted(1, 77, frozenset())
        members = ask(store, needs.Members(("ann", "bob", "eve")))
        assert members == (member("ann"), MemberRow("bob", 1, 0, LEAST, "", None, b""))

    def test_a_user_and_an_id_that_read_the_same_together_are_two_events(self, store: Store) -> None:
        events = (event("ann", "x1"), event("annx", "1"))
        assert len(ask(store, needs.Accept(events, ("ann", "annx"))).fresh) == 2

    def test_a_history_is_in_total_order_and_the_users_own(self, store: Store) -> None:
        places = [(5, 1, "a"), (5, 0, "b"), (4, 9, "c"), (5, 0, "a"), (LEAST, 0, "d"), (5, 0, "Z")]
        events = tuple(sorted(event(id=f"{id}{at}{order}", at=at, order=order) for at, order, id in places))
        ask(store, needs.Accept((*events, event("bob")), ("ann", "bob")))
        histories = ask(store, needs.Histories(("ann", "bob", "eve")))
        assert histories["ann"] == tuple(sorted(events, key=lambda row: (row.at, row.order, row.id)))
        assert histories["bob"] == (event("bob"),)
        assert histories.get("eve", ()) == ()

    def test_due_members_come_earliest_first_and_not_before_their_time(self, store: Store) -> None:
        rows = [
            member(user, wake_at=at) for user, at in (("ann", 9), ("bob", 5), ("cat", None), ("dan", 10), ("eve", 5))
        ]
        put(store, *rows)
        due = ask(store, needs.DueMembers(now=9, limit=10))
        assert [row.user for row in due.rows] == ["bob", "eve", "ann"]
        assert [row.user for row in ask(store, needs.DueMembers(now=9, limit=2)).rows] == ["bob", "eve"]
        replace(store, member("bob", wake_at=20), member("eve"))
        assert [row.user for row in ask(store, needs.DueMembers(now=20, limit=9)).rows] == ["ann", "dan", "bob"]

    def test_stale_members_come_page_by_page_in_user_order(self, store: Store) -> None:
        put(store, *[member(user, epoch=epoch) for user, epoch in (("ann", 0), ("bob", 1), ("cat", 0), ("dan", 0))])
        with store.transaction("acme") as transaction:
            transaction.write((Publish(1, 77),))
        first = ask(store, needs.StaleMembers(after="", limit=2))
        assert (first.epoch, first.fingerprint, [row.user for row in first.rows]) == (1, 77, ["ann", "cat"])
        assert [row.user for row in ask(store, needs.StaleMembers(after="cat", limit=2)).rows] == ["dan"]

    # Definitions

    def test_definitions_come_in_the_order_of_their_numbers(self, store: Store) -> None:
        assert ask(store, needs.Definitions()) == needs.DefinitionSet(0, 0, ())
        with store.transaction("acme") as transaction:
            transaction.ask(needs.Published())
            rows = (definition("b", number=1), definition("a", number=2), definition("b", version=2, number=3))
            transaction.write((Insert(rows), Publish(1, LEAST)))
        assert ask(store, needs.Definitions()) == needs.DefinitionSet(1, LEAST, rows)

    @pytest.mark.parametrize("epoch", [0, 1, 3])
    def test_an_epoch_follows_the_one_before(self, store: Store, epoch: int) -> None:
        with store.transaction("acme") as transaction:
            transaction.write((Publish(1, 7),))
        with pytest.raises(InvariantError), store.transaction("acme") as transaction:
            transaction.write((Publish(epoch, 8),))
        with store.transaction("acme") as transaction:
            transaction.write((Publish(2, 8),))
        assert ask(store, needs.Definitions())[:2] == (2, 8)

    # Lists

    def test_lists_go_on_after_a_place_and_keep_their_filters(self, store: Store) -> None:
        places = [("b", 2), ("a", 2), ("c", 1), ("d", 3)]
        for id, at in places:
            owner = "bob" if id == "d" else "ann"
            state = "fulfilled" if id == "b" else "ready"
            put(store, grant(id, owner, earned_at=at, status=state))
            put(store, user_offer(id, owner, entry=ord(id), made_at=at, status=state, campaign=id))
            put(store, notice(id, created_at=at, status=state))
        cases: tuple[tuple[str | None, str | None, tuple[int, str] | None, int, str], ...] = (
            (None, None, None, 9, "cabd"),
            (None, None, None, 2, "ca"),
            (None, None, (2, "a"), 9, "bd"),
            (None, None, (2, "aa"), 1, "b"),
            ("ann", None, (1, "c"), 9, "ab"),
            (None, "ready", None, 9, "cad"),
            ("ann", "ready", (1, "c"), 9, "a"),
            ("ann", "fulfilled", (2, "b"), 9, ""),
            ("eve", None, None, 9, ""),
        )
        for user, status, after, limit, expected in cases:
            rewards = ask(store, needs.ListGrants(user, status, after, limit))
            offers = ask(store, needs.ListUserOffers(user, None, status, after, limit))
            assert ["".join(row.id for row in rows) for rows in (rewards, offers)] == [expected, expected]
            if user is None:
                assert "".join(row.id for row in ask(store, needs.ListNotices(status, after, limit))) == expected
        assert [row.id for row in ask(store, needs.ListUserOffers(None, "c", None, None, 9))] == ["c"]

    def test_held_and_undeliverable_grants_are_listed_by_what_they_wait_for(self, store: Store) -> None:
        for number, gate in enumerate(("review", "pool", "review", "hold")):
            put(store, grant(gate[0] + str(number), status="held", earned_at=9 - number)._replace(held_for=gate))
        put(store, grant("u", status="undeliverable"), grant("r"), grant("f", status="fulfilled"))
        cases: tuple[tuple[str | None, str | None, str | None, str], ...] = (
            (None, "held", None, "h3 r2 p1 r0"),
            (None, "held", "review", "r2 r0"),
            ("ann", "held", "review", "r2 r0"),
            ("bob", "held", "review", ""),
            (None, "held", "budget", ""),
            (None, "undeliverable", None, "u"),
        )
        for user, status, held_for, expected in cases:
            rows = ask(store, needs.ListGrants(user, status, None, 9, held_for))
            assert " ".join(row.id for row in rows) == expected
        rows = ask(store, needs.ListGrants(None, "held", (7, "r2"), 9, "review"))
        assert [row.id for row in rows] == ["r0"]

    def test_the_steps_of_a_grant_come_in_their_order(self, store: Store) -> None:
        put(store, step(2), step(1), step(1, "grant-2"), *[step(number) for number in range(3, 12)])
        assert ask(store, needs.StepsOf("grant-1")) == tuple(step(number) for number in range(1, 12))
        assert ask(store, needs.StepsOf("grant-2")) == (step(1, "grant-2"),)
        assert ask(store, needs.StepsOf("none")) == ()

    def test_a_grant_is_seen_without_being_locked(self, store: Store) -> None:
        put(store, grant())
        assert ask(store, needs.GrantSeen("grant-1")) == grant()
        assert ask(store, needs.GrantSeen("none")) is None

    # Insert and Replace

    @pytest.mark.parametrize(
        "row, same",
        [
            (event(), event(digest=b"other")),
            (member(), member(state=b"other")),
            (definition(), definition(number=2)),
            (definition(), definition("other")),
            (user_offer(), user_offer(entry=2)),
            (user_offer(), user_offer("other")),
            (grant(), grant(user="bob")),
            (referral(), referral(recipient="bob")),
            (referral(), referral("other", sender="eve")),
            (referral_code(), referral_code(code="8")),
            (referral_code(), referral_code("bob")),
            (step(), step()._replace(move="fulfil")),
            (notice(), notice(status="dead")),
            (EndpointRow("shop", "gone", 5, "410"), EndpointRow("shop", "enabled", 0, "")),
            (registered_endpoint(), registered_endpoint(status="removed")),
            (CounterRow("cap", 1, 0, 0, 0), CounterRow("cap", 2, 0, 0, 0)),
            (AnswerRow("make", "key", b"1", "", 5), AnswerRow("make", "key", b"2", "", 5)),
        ],
    )
    def test_what_must_be_unique_is(self, store: Store, row: Row, same: Row) -> None:
        with pytest.raises(InvariantError):
            put(store, row, same)
        put(store, row)
        with pytest.raises(InvariantError):
            put(store, same)

    @pytest.mark.parametrize(
        "row",
        [
            member(),
            user_offer(),
            UserOfferEnding("offer-1", "earned", 5, ""),
            grant(),
            referral(),
            ReferralEnding("referral-1", "voided", 5, "", "", ""),
            notice(),
            EndpointRow("shop", "gone", 5, "410"),
            registered_endpoint(),
        ],
    )
    def test_what_is_not_there_cannot_be_replaced(self, store: Store, row: Row) -> None:
        with pytest.raises(InvariantError):
            replace(store, row)

    def test_an_ending_changes_its_columns_and_no_other(self, store: Store) -> None:
        put(store, user_offer("a"), user_offer("b", entry=2))
        replace(store, UserOfferEnding("b", "expired", 9, "late"))
        assert ask(store, needs.UserOfferOf("a")) == user_offer("a")
        ended = user_offer("b", entry=2)._replace(status="expired", ended_at=9, reason="late")
        assert ask(store, needs.UserOfferOf("b")) == ended

    def test_effects_of_many_kinds_are_written_together(self, store: Store) -> None:
        put(store, member("ann"), member("bob"), user_offer(), AnswerRow("make", "key", b"", "", 0))
        with store.transaction("acme") as transaction:
            transaction.write(
                (
                    Replace((member("ann", state=b"1"), member("bob", wake_at=7))),
                    Replace((UserOfferEnding("offer-1", "earned", 5, ""),)),
                    Insert((grant("a"), grant("b", "bob"))),
                    Insert((notice("a"),)),
                    Insert(()),
                    Replace(()),
                    Replace((AnswerRow("make", "key", b"digest", "{}", 5),)),
                )
            )
            transaction.write(())
        assert ask(store, needs.Members(("ann", "bob"))) == (member(state=b"1"), member("bob", wake_at=7))
        assert grants(store) == ["a", "b"]
        assert ask(store, needs.Recall("make", "key")) == AnswerRow("make", "key", b"digest", "{}", 5)

    # Values

    def test_text_is_ordered_by_code_point(self, store: Store) -> None:
        put(store, *[member(word, wake_at=5) for word in reversed(WORDS)], *[grant(word) for word in WORDS])
        ask(store, needs.Accept(tuple(event("eve", word) for word in WORDS), ("eve",)))
        assert [row.user for row in ask(store, needs.Members(tuple(reversed(WORDS))))] == list(WORDS)
        assert [row.user for row in ask(store, needs.DueMembers(5, 9)).rows] == list(WORDS)
        assert grants(store) == list(WORDS)
        assert [row.id for row in ask(store, needs.Histories(("eve",)))["eve"]] == list(WORDS)

    def test_values_come_back_as_they_went_in(self, store: Store) -> None:
        odd = EventRow(ODD_TEXT, ODD_TEXT, LEAST, GREATEST, "", ODD_TEXT, bytes(range(256)))
        state = MemberRow(ODD_TEXT, GREATEST, GREATEST, LEAST, ODD_TEXT, GREATEST, bytes(range(256)))
        ask(store, needs.Accept((odd,), (ODD_TEXT,)))
        replace(store, state)
        assert ask(store, needs.Histories((ODD_TEXT,))) == {ODD_TEXT: (odd,)}
        assert ask(store, needs.Members((ODD_TEXT,))) == (state,)
        with store.transaction(ODD_TEXT) as transaction:
            assert transaction.ask(needs.Members((ODD_TEXT,))) == ()

    def test_a_batch_of_a_thousand_is_like_one(self, store: Store) -> None:
        events = tuple(event(f"user {number:04}", str(number)) for number in range(1_000))
        users = tuple(row.user for row in events)
        ask(store, needs.Accept(events[:500], users[:500]))
        with store.transaction("acme") as transaction:
            assert len(transaction.ask(needs.Accept(events, users)).fresh) == 500
            rows = [row._replace(state=b"s" * 100) for row in transaction.ask(needs.Members(users))]
            transaction.write((Replace(tuple(rows)), Insert(tuple(grant(str(number)) for number in range(1_000)))))
        assert ask(store, needs.Members(users)) == tuple(rows)
