"""What a store promises about referrals and the codes of their senders."""

from __future__ import annotations

import pytest

from rewardkit.core.storing.effects import Insert
from rewardkit.core.storing.referral_needs import (
    ListReferrals,
    ReferralCodeOf,
    ReferralOf,
    ReferralsInto,
    SenderOfCode,
    TakeReferralCode,
)
from rewardkit.core.storing.referral_rows import ReferralCodeRow, ReferralEnding
from rewardkit.errors import InvariantError, StoreError
from rewardkit.ports import Store
from rewardkit.testing.player import DEADLINE_SECONDS, Player, waits_or_is_refused
from rewardkit.testing.rows import referral, referral_code
from rewardkit.testing.steps import ask, put, replace


class StoreReferrals:
    """Part of `StoreContract`."""

    def test_a_referral_is_found_by_its_id_and_by_its_recipient(self, store: Store) -> None:
        rows = (
            referral("b", "ann", program="friends", made_at=2),
            referral("a", "ann", program="family", made_at=2),
            referral("c", "ann", program="firms", made_at=1),
            referral("d", "bob"),
            referral("e", "cid", sender="ann"),
        )
        put(store, *rows)
        put(store, referral("a", "ann"), tenant="other")
        assert ask(store, ReferralOf("b")) == rows[0]
        assert ask(store, ReferralOf("z")) is None
        found = ask(store, ReferralsInto(("bob", "ann", "eve", "ann")))
        assert [row.id for row in found] == ["c", "a", "b", "d"]

    def test_an_ending_of_a_referral_changes_its_columns_and_no_other(self, store: Store) -> None:
        put(store, referral("a"), referral("b", "bob"))
        replace(store, ReferralEnding("b", "completed", 9, "because", "granted", "2026-01-01"))
        assert ask(store, ReferralOf("a")) == referral("a")
        ended = referral("b", "bob")._replace(
            status="completed", ended_at=9, reason="because", sender_reward="granted", period="2026-01-01"
        )
        assert ask(store, ReferralOf("b")) == ended
        assert ask(store, ReferralsInto(("bob",))) == (ended,)

    @pytest.mark.parametrize(
        "sender, recipient, program, status, after, limit, expected",
        [
            (None, None, None, None, None, 9, "cabd"),
            (None, None, None, None, None, 2, "ca"),
            (None, None, None, None, (2, "a"), 9, "bd"),
            ("sue", None, None, None, None, 9, "cad"),
            (None, "ann", None, None, None, 9, "ab"),
            ("sue", "ann", "friends", "open", None, 9, "a"),
            (None, None, "firms", None, None, 9, "b"),
            (None, None, None, "voided", (1, "c"), 9, "d"),
            ("eve", None, None, None, None, 9, ""),
        ],
    )
    def test_referrals_are_listed_by_their_filters_after_a_place(
        self,
        store: Store,
        sender: str | None,
        recipient: str | None,
        program: str | None,
        status: str | None,
        after: tuple[int, str] | None,
        limit: int,
        expected: str,
    ) -> None:
        put(
            store,
            referral("b", "ann", sender="tom", program="firms", made_at=2),
            referral("a", "ann", made_at=2),
            referral("c", "bob", made_at=1),
            referral("d", "cid", made_at=3, status="voided"),
        )
        found = ask(store, ListReferrals(sender, recipient, program, status, after, limit))
        assert "".join(row.id for row in found) == expected

    def test_nobody_refers_herself(self, store: Store) -> None:
        with pytest.raises(InvariantError):
            put(store, referral(recipient="sue"))

    def test_a_sender_keeps_the_code_that_she_was_given_first(self, store: Store) -> None:
        assert ask(store, ReferralCodeOf("ann")) is None
        first = ask(store, TakeReferralCode("ann", "AAA", 5))
        assert first == ReferralCodeRow("ann", "AAA", 5)
        assert ask(store, TakeReferralCode("ann", "BBB", 9)) == first
        assert ask(store, ReferralCodeOf("ann")) == first
        assert ask(store, SenderOfCode("AAA")) == first
        assert ask(store, SenderOfCode("BBB")) is None

    def test_a_code_that_belongs_to_somebody_is_given_to_nobody_else(self, store: Store) -> None:
        put(store, referral_code("ann", "AAA"))
        assert ask(store, TakeReferralCode("bob", "AAA", 5)) is None
        assert ask(store, ReferralCodeOf("bob")) is None
        assert ask(store, TakeReferralCode("bob", "AAA", 5), "other") == ReferralCodeRow("bob", "AAA", 5)

    @pytest.mark.parametrize("kept", [True, False])
    @pytest.mark.parametrize("sender, code", [("ann", "BBB"), ("bob", "AAA")])
    def test_two_who_take_one_code_or_two_for_one_sender_wait_for_each_other(
        self, store: Store, sender: str, code: str, *, kept: bool
    ) -> None:
        with Player(store) as first, Player(store) as second:
            given = first.ask(TakeReferralCode("ann", "AAA", 5))
            other = second.step(lambda transaction: transaction.ask(TakeReferralCode(sender, code, 9)))
            assert waits_or_is_refused(other), "the second transaction went on beside the first"
            if kept:
                first.commit()
            else:
                first.roll_back()
            try:
                answer = other.result(DEADLINE_SECONDS)
            except StoreError as error:
                if not error.transient:
                    raise
                answer = ask(store, TakeReferralCode(sender, code, 9))
        expected = given if sender == "ann" else None
        assert answer == (expected if kept else ReferralCodeRow(sender, code, 9))

    def test_of_two_referrals_of_one_recipient_into_one_program_the_first_is_kept(self, store: Store) -> None:
        with Player(store) as first, Player(store) as second:
            first.write((Insert((referral("a"),)),))
            other = second.step(lambda transaction: transaction.write((Insert((referral("b", sender="tom"),)),)))
            assert waits_or_is_refused(other), "the second transaction went on beside the first"
            first.commit()
            try:
                other.result(DEADLINE_SECONDS)
            except StoreError as error:
                if not error.transient:
                    raise
                with pytest.raises(InvariantError):
                    put(store, referral("b", sender="tom"))
            except InvariantError:
                pass
            else:
                pytest.fail("one recipient was referred twice into one program")
        assert ask(store, ReferralsInto(("ann",))) == (referral("a"),)
