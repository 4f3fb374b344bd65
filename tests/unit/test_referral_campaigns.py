"""Which program a sender offers, and until when: one test a rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.friends import Friends


@pytest.fixture
def friends() -> Iterator[Friends]:
    friends = Friends()
    friends.program(name="normal")
    friends.program(name="double")
    yield friends
    assert friends.broken() == ()


# --- who offers what ---------------------------------------------------------------------------------


def test_a_sender_for_whom_the_condition_holds_offers_the_campaign_and_others_the_fallback(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    friends.emit("P", user="sue")
    assert (friends.offered(), friends.offered(sender="tom")) == ("double", "normal")


def test_a_condition_on_the_sender_may_stop_holding(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P in last 10s")
    friends.emit("P", user="sue")
    assert [friends.offered(second) for second in (0, 9.999999, 10, 11)] == ["double", "double", "normal", "normal"]


def test_what_a_sender_did_before_the_campaign_counts(friends: Friends) -> None:
    friends.emit("P", user="sue")
    friends.at(100)
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    assert friends.offered() == "double"


@pytest.mark.parametrize(
    "second, name", [(9.999999, "normal"), (10, "double"), (19.999999, "double"), (20, "normal"), (21, "normal")]
)
def test_a_campaign_is_offered_from_its_start_up_to_its_end(friends: Friends, second: float, name: str) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", start=friends.second(10), end=friends.second(20))
    assert friends.offered(second) == name


def test_the_greater_priority_counts_then_the_latest_start(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("older", "double", sender="P", start=friends.second(1))
    friends.referral_campaign("newer", "double", sender="P", start=friends.second(2))
    friends.emit("P", user="sue")
    assert [friends.offered(second) for second in (0, 1, 2)] == ["normal", "older", "newer"]
    friends.referral_campaign("older", "double", sender="P", start=friends.second(1), priority=1)
    assert friends.offered() == "older"


def test_a_fallback_comes_last_whenever_it_started_and_whatever_its_priority(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    friends.at(5)
    friends.referral_campaign("later", "normal", priority=9)
    friends.emit("P", user="sue")
    assert (friends.offered(), friends.offered(sender="tom")) == ("double", "later")


def test_what_a_sender_will_have_done_does_not_count_yet(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    friends.emit("P", 60, user="sue")
    assert [friends.offered(second) for second in (59.999999, 60)] == ["normal", "double"]


# --- the fallback ------------------------------------------------------------------------------------


def test_a_campaign_is_not_launched_without_a_fallback(friends: Friends) -> None:
    friends.kit.run(rk.DefineCampaign("double", program="double", sender="P"))
    friends.kit.run(rk.DefineCampaign("normal", program="normal"))
    assert friends.refused(rk.LaunchCampaign("double")) == "fallback_missing"
    friends.kit.run(rk.LaunchCampaign("normal"))
    assert friends.kit.run(rk.LaunchCampaign("double")).status == "live"


def test_a_campaign_that_began_before_its_fallback_was_launched_needs_it_from_now_on(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.at(5)
    friends.referral_campaign("double", sender="P", start=friends.second(-100))
    friends.emit("P", user="sue")
    assert (friends.offered(), friends.offered(sender="tom")) == ("double", "normal")


@pytest.mark.parametrize("terms", [{"sender": "P"}, {"end": "2026-02-01"}, {"start": "2026-01-02"}])
def test_a_fallback_is_everybodys_and_has_no_end_and_has_started(friends: Friends, terms: dict[str, Any]) -> None:
    friends.kit.run(rk.DefineCampaign("normal", program="normal", **terms))
    friends.kit.run(rk.DefineCampaign("double", program="double", sender="P"))
    friends.kit.attempt(rk.LaunchCampaign("normal"))
    assert friends.refused(rk.LaunchCampaign("double")) == "fallback_missing"


def test_a_fallback_stays_as_long_as_others_are_live(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P", end=friends.second(20))
    assert friends.refused(rk.EndCampaign("normal")) == "fallback_missing"
    assert friends.refused(rk.DefineCampaign("normal", program="normal", end="2027-01-01")) == "fallback_missing"
    assert friends.kit.run(rk.DefineCampaign("normal", program="double")).version == 3
    friends.at(20)
    assert friends.kit.run(rk.EndCampaign("normal")).status == "ended"


def test_what_has_ended_is_offered_by_nobody(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.at(5)
    friends.kit.run(rk.EndCampaign("normal"))
    with pytest.raises(rk.Refused) as refused:
        friends.kit.ask(rk.SenderTerms("sue"))
    assert refused.value.code == "nothing_offered"
    assert friends.refused(rk.MakeReferral("normal", "sue", "rob")) == "campaign_over"
    assert friends.refused(rk.LaunchCampaign("normal")) == "campaign_over"


# --- entering ----------------------------------------------------------------------------------------


def test_a_recipient_enters_on_the_terms_of_that_instant_by_the_same_code(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P", start=friends.second(10), end=friends.second(20))
    code = friends.kit.run(rk.GiveReferralCode("sue")).code
    friends.emit("P", user="sue")
    for second, recipient in ((9.999999, "ann"), (10, "bob"), (19.999999, "cid"), (20, "dan")):
        friends.at(second)
        friends.kit.run(rk.EnterReferralCode(code, recipient))
    friends.at(30)
    for recipient in ("ann", "bob", "cid", "dan"):
        friends.emit("A", user=recipient)
    found = {one.recipient: (one.campaign, one.program, one.status) for one in friends.kit.ask(rk.Referrals()).items}
    assert found == {
        "ann": ("normal", "normal", "completed"),
        "bob": ("double", "double", "completed"),
        "cid": ("double", "double", "completed"),
        "dan": ("normal", "normal", "completed"),
    }
    assert {one.campaign for one in friends.kit.ask(rk.Grants("sue")).items} == {"normal", "double"}


def test_campaigns_are_terms_of_one_invitation_which_a_recipient_follows_once(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    friends.emit("P", user="sue")
    for sender in ("sue", "tom"):
        code = friends.kit.run(rk.GiveReferralCode(sender)).code
        answer = friends.kit.attempt(rk.EnterReferralCode(code, "rob"))
        assert isinstance(answer, rk.Referral) == (sender == "sue")
    assert friends.refused(rk.MakeReferral("normal", "tom", "rob")) == "already_referred"
    assert friends.refused(rk.MakeReferral("normal", "rob", "sue")) == "referral_circular"


def test_a_campaign_named_directly_has_to_hold_for_the_sender(friends: Friends) -> None:
    friends.program(name="vip")
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P", start=friends.second(10))
    assert friends.refused(rk.MakeReferral("double", "sue", "rob")) == "campaign_not_started"
    friends.at(10)
    assert friends.refused(rk.MakeReferral("double", "sue", "rob")) == "sender_not_eligible"
    friends.emit("P", user="sue")
    assert friends.kit.run(rk.MakeReferral("double", "sue", "rob")).campaign == "double"
    made = friends.kit.run(rk.MakeReferral("vip", "tom", "rob"))
    assert (made.program, made.campaign) == ("vip", "")
    friends.kit.run(rk.DefineCampaign("draft", program="vip"))
    assert friends.refused(rk.MakeReferral("draft", "sue", "ria")) == "campaign_draft"


def test_campaigns_make_referrals_of_one_id_whatever_their_programs_so_that_no_store_keeps_two(
    friends: Friends,
) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    friends.emit("P", user="sue")
    elsewhere = Friends()
    elsewhere.program(name="normal")
    elsewhere.referral_campaign("normal")
    first = friends.kit.run(rk.MakeReferral("double", "sue", "rob"))
    assert elsewhere.kit.run(rk.MakeReferral("normal", "tom", "rob")).id == first.id


# --- what a sender is told ---------------------------------------------------------------------------


def test_a_sender_is_told_what_she_offers_why_and_until_when(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P", start=friends.second(10), end=friends.second(20))
    code = friends.kit.run(rk.GiveReferralCode("sue")).code
    friends.emit("P", user="sue")
    before = friends.kit.ask(rk.SenderTerms("sue"))
    assert (before.campaign, before.until, before.code) == ("normal", friends.second(10), code)
    assert [(one.campaign, one.reason) for one in before.passed_over] == [
        ("double", "it starts at 2026-01-01T00:00:10Z")
    ]
    friends.at(10)
    during = friends.kit.ask(rk.SenderTerms("sue"))
    assert (during.program, during.until) == ("double", friends.second(20))
    assert (during.sender_reward.name, during.recipient_reward.name, during.condition) == ("ten", "five", "A")
    assert "P" in during.reason
    friends.at(20)
    after = friends.kit.ask(rk.SenderTerms("sue"))
    assert (after.campaign, after.until, after.reason) == ("normal", None, "the fallback: everybody offers it")
    assert [one.reason for one in after.passed_over] == ["it ended at 2026-01-01T00:00:20Z"]


def test_a_sender_is_told_the_texts_of_the_campaign(friends: Friends) -> None:
    friends.referral_campaign("normal", copy={"name": "Bring a friend"})
    assert {"name": "Bring a friend"} == friends.kit.ask(rk.SenderTerms("sue")).copy


def test_a_sender_is_told_when_her_condition_stops_holding(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P in last 10s")
    friends.emit("P", user="sue")
    friends.at(4)
    assert friends.kit.ask(rk.SenderTerms("sue")).until == friends.second(10)
    friends.emit("P", user="sue")
    assert friends.kit.ask(rk.SenderTerms("sue")).until == friends.second(14)
    other = friends.kit.ask(rk.SenderTerms("tom"))
    assert (other.campaign, other.until) == ("normal", None)
    assert other.passed_over[0].reason.startswith("its condition on the sender does not hold")


def test_an_instant_at_which_nothing_changes_for_her_is_passed_over(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P", start=friends.second(10), end=friends.second(20))
    friends.referral_campaign("later", "double", sender="Q", start=friends.second(5), end=friends.second(30))
    friends.emit("Q", user="sue")
    assert friends.kit.ask(rk.SenderTerms("sue")).until == friends.second(5)
    assert friends.kit.ask(rk.SenderTerms("tom")).until is None


def test_a_sender_is_told_how_many_rewards_are_left(friends: Friends) -> None:
    friends.program(name="normal", sender_cap=3, period_cap=2, period="day")
    friends.referral_campaign("normal")
    lefts = []
    for number in range(3):
        lefts.append(friends.kit.ask(rk.SenderTerms("sue")).left)
        friends.refer(f"r{number}", program="normal")
        friends.emit("A", user=f"r{number}")
    lefts.append(friends.kit.ask(rk.SenderTerms("sue")).left)
    friends.at(86_400)
    lefts.append(friends.kit.ask(rk.SenderTerms("sue")).left)
    assert lefts == [2, 1, 0, 0, 1]
    friends.program(name="normal")
    assert friends.kit.ask(rk.SenderTerms("sue")).left is None


def test_the_only_program_needs_no_campaign(friends: Friends) -> None:
    alone = Friends()
    alone.program()
    terms = alone.kit.ask(rk.SenderTerms("sue"))
    assert (terms.campaign, terms.program, terms.until, terms.passed_over) == ("", "friends", None, ())


def test_what_is_defined_is_listed(friends: Friends) -> None:
    friends.program("B*2", name="double", expires_after="30d", sender_cap=4)
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P", end=friends.second(20), priority=3)
    friends.kit.run(rk.DefineCampaign("draft", program="double", start="2026-03-01"))
    programs = {one.name: one for one in friends.kit.ask(rk.ReferralPrograms())}
    assert list(programs) == ["double", "normal"]
    double = programs["double"]
    assert (double.version, double.condition, double.expires_after) == (2, "B*2", timedelta(days=30))
    assert (double.sender_reward.name, double.recipient_reward.name, double.sender_cap) == ("ten", "five", 4)
    found = friends.kit.ask(rk.ReferralCampaigns())
    assert [(one.name, one.program, one.status, one.is_fallback) for one in found] == [
        ("double", "double", "live", False),
        ("normal", "normal", "live", True),
        ("draft", "double", "draft", True),
    ]
    assert (found[0].sender, found[0].start, found[0].end) == ("P", friends.second(0), friends.second(20))
    assert [one.start for one in found[1:]] == [friends.second(0), datetime(2026, 3, 1, tzinfo=UTC)]


# --- definitions -------------------------------------------------------------------------------------


def test_a_campaign_that_is_defined_again_alike_keeps_its_version(friends: Friends) -> None:
    friends.referral_campaign("normal")
    again = friends.kit.run(rk.DefineCampaign("normal", program="normal"))
    assert (again.kind, again.version, again.new) == ("referral_campaign", 2, False)


def test_a_campaign_of_referrals_has_no_entry_condition_and_says_why(friends: Friends) -> None:
    with pytest.raises(rk.Refused, match="enters a sender's code") as refused:
        friends.kit.run(rk.DefineCampaign("normal", program="normal", entry="A"))
    assert refused.value.code == "referral_entry"


@pytest.mark.parametrize(
    "terms, match",
    [
        ({"offer": "disc"}, "offer is of campaigns with offers"),
        ({"cap": 0}, "cap must lie between 1"),
        ({"caps_per": {"hour": 3}}, "caps_per has caps by `day`"),
        ({"holdout": 2}, "holdout must be a share"),
        ({"code": "X"}, "code is of campaigns with offers"),
        ({"audience": "P"}, "its condition on senders is `sender`"),
        ({"reentry": "day"}, "a recipient follows one invitation once"),
        ({"user_cap": 2}, "its program has a `sender_cap`"),
        ({"priority": 1.5}, "priority"),
        ({"start": "2026-02-02", "end": "2026-02-01"}, "not after its start"),
        ({"zone": "Mars"}, "zone"),
    ],
)
def test_terms_that_cannot_be_meant_of_referrals_are_not_taken(
    friends: Friends, terms: dict[str, Any], match: str
) -> None:
    with pytest.raises(rk.ValidationError, match=match):
        friends.kit.run(rk.DefineCampaign("normal", program="normal", **terms))


@pytest.mark.parametrize("terms", [{"sender": "P"}, {"priority": 1}])
def test_terms_of_referrals_are_not_taken_of_offers(friends: Friends, terms: dict[str, Any]) -> None:
    friends.kit.run(rk.DefineOffer("third", "disc", "A*3"))
    with pytest.raises(rk.ValidationError, match="has none: pass `program`"):
        friends.kit.run(rk.DefineCampaign("spring", "third", **terms))


def test_a_name_stays_with_its_kind(friends: Friends) -> None:
    friends.campaign("A", name="spring")
    friends.referral_campaign("normal")
    assert friends.refused(rk.DefineCampaign("spring", program="normal")) == "campaign_of_other_kind"
    assert friends.refused(rk.DefineCampaign("normal", "spring")) == "campaign_of_other_kind"
    assert friends.refused(rk.DefineCampaign("summer", program="nothing")) == "referral_program_unknown"
