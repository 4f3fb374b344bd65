"""Referrals: who may refer whom, what both sides earn, and how a referral ends; one test a rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.friends import Friends


@pytest.fixture
def friends() -> Iterator[Friends]:
    friends = Friends()
    yield friends
    assert friends.broken() == ()


# --- both sides --------------------------------------------------------------------------------------


def test_both_sides_earn_when_the_recipient_does_what_is_asked(friends: Friends) -> None:
    friends.program()
    made = friends.refer()
    assert (made.sender, made.recipient, made.status) == ("sue", "rob", "open")
    assert friends.emit("A", user="sue").earned == ()
    recorded = friends.emit("A", user="rob")
    assert [(one.user, one.reward) for one in recorded.earned] == [("rob", "five"), ("sue", "ten")]
    assert [(one.referral, one.status, one.sender_reward) for one in recorded.referrals] == [
        (made.id, "completed", "granted")
    ]
    assert friends.earned() == [("rob", "five", "recipient"), ("sue", "ten", "sender")]
    assert friends.statuses() == [("rob", "completed", "granted")]


def test_a_grant_of_a_referral_says_which_and_on_which_side(friends: Friends) -> None:
    friends.program()
    made = friends.refer()
    friends.emit("A", user="rob")
    for grant in friends.kit.claim():
        assert (grant.referral, grant.program, grant.offer, grant.user_offer) == (made.id, "friends", "", "")
        assert friends.kit.run(rk.FulfilGrant(grant.id)).side == ("sender" if grant.user == "sue" else "recipient")


def test_what_happened_before_the_referral_does_not_count(friends: Friends) -> None:
    friends.program("A*2")
    friends.emit("A", user="rob")
    friends.at(1)
    friends.refer()
    assert len(friends.emit("A", 2, user="rob").earned) == 0
    friends.at(3)
    assert len(friends.emit("A", user="rob").earned) == 2


def test_events_of_the_instant_of_the_referral_count(friends: Friends) -> None:
    friends.program()
    friends.emit("A", user="rob")
    assert friends.refer().status == "completed"
    assert friends.earned() == [("rob", "five", "recipient"), ("sue", "ten", "sender")]


def test_an_event_that_nothing_listened_to_yet_counts_where_it_lies_ahead(friends: Friends) -> None:
    friends.emit("A", 60, user="rob")  # as clocks differ, an event may lie a little ahead
    friends.program()
    assert friends.refer().status == "completed"
    assert friends.earned() == [("rob", "five", "recipient"), ("sue", "ten", "sender")]


def test_a_sender_of_whom_nothing_was_heard_earns(friends: Friends) -> None:
    friends.program()
    friends.refer(sender="nobody")
    friends.emit("A", user="rob")
    assert friends.kit.ask(rk.Grants("nobody")).items[0].side == "sender"


def test_both_sides_of_a_referral_are_explained_by_what_its_recipient_did(friends: Friends) -> None:
    friends.program("A*2")
    friends.refer()
    first = friends.emit("A", user="rob").event_ids
    friends.at(1)
    second = friends.emit("A", user="rob").event_ids
    for grant in friends.kit.ready():
        explained = friends.kit.explain(grant.id)
        assert (explained.condition, explained.event_ids) == ("A*2", first + second)


def test_everything_that_happens_to_a_referral_is_told_once(friends: Friends) -> None:
    friends.program()
    friends.refer()
    friends.emit("A", user="rob")
    friends.refer("ria")
    told = [(one.kind, one.user) for one in friends.kit.ask(rk.Notices()).items]
    assert sorted(told) == [
        ("grant.ready", "rob"),
        ("grant.ready", "sue"),
        ("referral.ended", "rob"),
        ("referral.made", "ria"),
        ("referral.made", "rob"),
    ]


# --- who may refer whom ------------------------------------------------------------------------------


def test_a_program_has_no_entry_condition_and_says_why(friends: Friends) -> None:
    with pytest.raises(rk.Refused, match="was referred by somebody") as refused:
        friends.program(entry='"User Signed Up"')
    assert refused.value.code == "referral_entry"
    assert friends.refused(rk.MakeReferral("friends", "sue", "rob")) == "referral_program_unknown"


def test_nobody_refers_herself(friends: Friends) -> None:
    friends.program()
    code = friends.kit.run(rk.GiveReferralCode("sue")).code
    assert friends.refused(rk.MakeReferral("friends", "sue", "sue")) == "self_referral"
    assert friends.refused(rk.EnterReferralCode(code, "sue")) == "self_referral"


@pytest.mark.parametrize("before", ["open", "completed", "voided", "expired"])
def test_the_first_referral_of_a_recipient_into_a_program_is_the_only_one(friends: Friends, before: str) -> None:
    friends.program(expires_after="10s")
    made = friends.refer()
    if before == "completed":
        friends.emit("A", user="rob")
    if before == "voided":
        friends.kit.run(rk.VoidReferral(made.id))
    if before == "expired":
        friends.at(10)
    with pytest.raises(rk.Refused) as refused:
        friends.refer(sender="tom")
    assert (refused.value.code, refused.value.facts["referral"]) == ("already_referred", made.id)
    assert friends.refused(rk.MakeReferral("friends", "sue", "rob")) == "already_referred"
    assert [one.sender for one in friends.kit.ask(rk.Referrals()).items] == ["sue"]


def test_a_recipient_may_be_referred_into_several_programs(friends: Friends) -> None:
    friends.program()
    friends.program(name="firms")
    friends.refer()
    friends.refer(program="firms", sender="tom")
    assert len(friends.emit("A", user="rob").earned) == 4


def test_a_recipient_cannot_refer_her_sender_back(friends: Friends) -> None:
    friends.program()
    friends.refer("rob", sender="sue")
    assert friends.refused(rk.MakeReferral("friends", "rob", "sue")) == "referral_circular"
    assert friends.refer("sue", sender="tom").status == "open"


def test_a_recipient_may_refer_others_in_her_turn(friends: Friends) -> None:
    friends.program()
    friends.refer("rob", sender="sue")
    friends.refer("ria", sender="rob")
    friends.emit("A", user="ria")
    assert friends.earned() == [("ria", "five", "recipient"), ("rob", "ten", "sender")]


# --- versions ----------------------------------------------------------------------------------------


def test_a_referral_keeps_the_terms_that_its_recipient_entered_under(friends: Friends) -> None:
    friends.program()
    friends.refer("rob")
    friends.kit.run(rk.DefineReward("ten", {"amount": "11.00"}))
    friends.program("B")
    friends.refer("ria")
    versions = {one.recipient: one.program_version for one in friends.kit.ask(rk.Referrals()).items}
    assert versions == {"rob": 1, "ria": 3}
    friends.emit("A", user="rob")
    friends.emit("B", user="ria")
    amounts = [one.reward.properties["amount"] for one in friends.kit.ask(rk.Grants("sue")).items]
    assert sorted(amounts) == ["10.00", "11.00"]


def test_a_program_that_is_defined_again_alike_keeps_its_version(friends: Friends) -> None:
    friends.program("A & B", sender_cap=3)
    again = friends.kit.run(rk.DefineReferralProgram("friends", "ten", "five", "(A & B)", sender_cap=3))
    assert (again.version, again.new) == (1, False)
    changed = friends.kit.run(rk.DefineReferralProgram("friends", "ten", "five", "A & B", sender_cap=4))
    assert (changed.version, changed.new) == (2, True)


# --- endings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("second, status", [(9.999999, "completed"), (10, "expired")])
def test_a_referral_can_be_completed_up_to_its_end(friends: Friends, second: float, status: str) -> None:
    friends.program(expires_after="10s")
    friends.refer()
    friends.at(second)
    ended = friends.emit("A", user="rob").referrals
    assert [one.status for one in ended] == [status]
    assert [row[1] for row in friends.statuses()] == [status]


def test_time_expires_a_referral_noticed_or_not(friends: Friends) -> None:
    friends.program(expires_after="10s")
    friends.refer()
    friends.at(10)
    assert friends.statuses(status="expired") == [("rob", "expired", "")]
    assert friends.statuses(status="open") == friends.statuses(status="expired")[1:]
    ended = friends.kit.run_due().referrals
    assert [(one.status, one.ended_at) for one in ended] == [("expired", friends.second(10))]
    assert friends.kit.run_due().referrals == ()
    assert friends.earned() == []


def test_time_alone_may_complete_a_referral(friends: Friends) -> None:
    friends.program("A then no B within 5s")
    friends.refer()
    friends.emit("A", user="rob")
    friends.at(5)
    assert [one.sender_reward for one in friends.kit.run_due().referrals] == ["granted"]
    assert len(friends.earned()) == 2


def test_a_condition_that_can_never_hold_any_more_expires_a_referral(friends: Friends) -> None:
    friends.program("A & !B")
    friends.refer()
    ended = friends.emit("B", user="rob").referrals
    assert [(one.status, one.sender_reward) for one in ended] == [("expired", "")]
    assert friends.emit("A", user="rob").earned == ()


def test_a_voided_referral_earns_nothing(friends: Friends) -> None:
    friends.program()
    voided = friends.kit.run(rk.VoidReferral(friends.refer().id, reason="one household"))
    assert (voided.status, voided.reason, voided.ended_at) == ("voided", "one household", friends.second(0))
    assert friends.emit("A", user="rob").earned == ()
    assert friends.kit.ask(rk.Referrals("sue")).items == (voided,)


def test_only_an_open_referral_can_be_voided(friends: Friends) -> None:
    friends.program(expires_after="10s")
    completed, expired = friends.refer("rob").id, friends.refer("ria").id
    friends.emit("A", user="rob")
    friends.at(10)
    with pytest.raises(rk.Refused, match="completed already"):
        friends.kit.run(rk.VoidReferral(completed))
    with pytest.raises(rk.Refused, match="expired already"):
        friends.kit.run(rk.VoidReferral(expired))
    assert friends.refused(rk.VoidReferral("rf_none")) == "referral_unknown"


def test_an_event_that_comes_late_is_put_in_its_place(friends: Friends) -> None:
    friends.program("A then B within 5s")
    friends.refer()
    friends.at(8)
    friends.emit("B", 7, user="rob")
    assert len(friends.emit("A", 3, user="rob").earned) == 2


def test_an_event_that_would_have_changed_an_ended_referral_is_late(friends: Friends) -> None:
    friends.program("A & !B")
    friends.refer()
    friends.at(8)
    friends.emit("A", 7, user="rob")
    late = friends.emit("B", 3, user="rob").late
    assert [(one.campaign, one.decided, one.corrected) for one in late] == [("friends", "satisfied", "impossible")]
    assert len(friends.earned()) == 2


@pytest.mark.parametrize(
    "terms, match",
    [
        ({"sender_cap": 0}, "sender_cap"),
        ({"period_cap": True}, "period_cap"),
        ({"period": "fortnight"}, "period must be one of"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"expires_after": "1 month"}, "expires_after"),
    ],
)
def test_terms_that_cannot_be_meant_are_not_taken(friends: Friends, terms: dict[str, Any], match: str) -> None:
    with pytest.raises(rk.ValidationError, match=match):
        friends.program(**terms)


def test_a_referral_is_repeated_safely_under_its_key(friends: Friends) -> None:
    friends.program()
    command = rk.MakeReferral("friends", "sue", "rob")
    made = friends.kit.run(command, key="k")
    assert friends.kit.run(command, key="k") == made
    assert isinstance(made.made_at, datetime)
    code = friends.kit.run(rk.GiveReferralCode("sue"), key="c")
    assert friends.kit.run(rk.GiveReferralCode("sue"), key="c") == code
