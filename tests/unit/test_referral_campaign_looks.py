"""Looking at a referral campaign before its launch, and at what one sender would offer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.friends import Friends


@pytest.fixture
def friends() -> Iterator[Friends]:
    friends = Friends()
    friends.program(name="normal", sender_cap=3)
    friends.program(name="double")
    campaign(friends, "normal")
    yield friends
    assert friends.broken() == ()


def campaign(friends: Friends, name: str, program: str | None = None, *, launch: bool = True, **terms: Any) -> None:
    friends.kit.run(rk.DefineCampaign(name, program=program or name, **terms))
    if launch:
        friends.kit.run(rk.LaunchCampaign(name))


def codes(friends: Friends, name: str) -> list[str]:
    return [one.code for one in friends.kit.ask(rk.LaunchChecks(name))]


def facts(friends: Friends, name: str, code: str) -> dict[str, Any]:
    (found,) = (one for one in friends.kit.ask(rk.LaunchChecks(name)) if one.code == code)
    return dict(found.facts)


def failed(friends: Friends, name: str, user: str = "sue") -> dict[str, dict[str, Any]]:
    return {gate.name: dict(gate.facts) for gate in friends.kit.ask(rk.Preview(user, name)).failed}


# --- launch checks -------------------------------------------------------------------------------------


def test_what_a_referral_and_a_sender_may_cost_is_told(friends: Friends) -> None:
    campaign(friends, "double", sender="P", launch=False)
    assert {"sender": Decimal("10.00"), "recipient": Decimal("5.00"), "each": Decimal("15.00")} == facts(
        friends, "double", "unlimited_payout"
    )
    assert "unlimited_per_sender" in codes(friends, "double")
    assert {"at_most": Decimal("30.00"), "sender_cap": 3} == facts(friends, "normal", "worst_case_per_sender")


def test_rewards_without_an_amount_cost_what_nobody_knows(friends: Friends) -> None:
    friends.kit.run(rk.DefineReferralProgram("discs", "disc", "disc", "A", period_cap=1))
    campaign(friends, "discs", launch=False)
    assert ["unlimited_payout", "event_never_seen"] == [code for code in codes(friends, "discs") if code != "overlap"]
    assert {} == facts(friends, "discs", "unlimited_payout")


def test_events_that_nobody_recorded_are_told_of_the_sender_and_the_recipient(friends: Friends) -> None:
    friends.emit("A", user="rob")
    campaign(friends, "double", sender="P in last 10s", launch=False)
    assert "P" == facts(friends, "double", "event_never_seen")["event"]
    friends.emit("P", user="sue")
    assert "event_never_seen" not in codes(friends, "double")


def test_campaigns_at_the_same_time_are_told_with_the_one_that_comes_first(friends: Friends) -> None:
    assert "overlap" not in codes(friends, "normal")
    campaign(friends, "double", sender="P", end=friends.second(20))
    campaign(friends, "triple", "double", sender="Q", launch=False)
    campaign(friends, "later", "double", sender="Q", start=friends.second(20), launch=False)
    campaign(friends, "older", "double", sender="Q", start=friends.second(-20), launch=False)
    campaign(friends, "least", "double", sender="Q", priority=-1, launch=False)
    campaign(friends, "second", "normal", launch=False)
    first = {name: facts(friends, name, "overlap")["first"] for name in ("triple", "older", "least", "second")}
    assert {"triple": "triple", "older": "double", "least": "double", "second": "second"} == first
    assert "overlap" not in codes(friends, "later")
    friends.kit.run(rk.PauseCampaign("double"))
    assert "overlap" in codes(friends, "triple")


def test_lints_of_both_conditions_are_told(friends: Friends) -> None:
    friends.kit.run(rk.DefineReferralProgram("odd", "ten", "five", "!A", acknowledge=["RK201", "RK206"]))
    friends.kit.run(rk.DefineCampaign("odd", program="odd", sender="!P", acknowledge=["RK201"]))
    told = [(one.code, one.message.partition(":")[0]) for one in friends.kit.ask(rk.LaunchChecks("odd"))]
    assert ("RK201", "sender") in told
    assert ("RK201", "referral program `odd`") in told


def test_a_campaign_that_nobody_defined_is_refused_with_the_names_of_both_kinds(friends: Friends) -> None:
    friends.campaign("A", name="spring")
    for query in (rk.LaunchChecks("norma"), rk.Preview("sue", "norma")):
        with pytest.raises(rk.Refused, match="did you mean `normal`") as refused:
            friends.kit.ask(query)
        assert ["normal", "spring"] == refused.value.facts["defined"]


# --- previews ------------------------------------------------------------------------------------------


def test_a_preview_tells_what_a_sender_would_offer_and_why_not(friends: Friends) -> None:
    campaign(friends, "double", sender="P*2", copy={"name": "Twice as much"}, launch=False)
    friends.emit("P", user="sue", at=-1)
    looked = friends.kit.ask(rk.Preview("sue", "double"))
    assert ("draft", False, "double", "Twice as much") == (
        looked.status,
        looked.would_enter,
        looked.program,
        looked.copy["name"],
    )
    assert ({"amount": "10.00"}, {"amount": "5.00"}) == (looked.reward, looked.recipient_reward)
    (gate,) = looked.failed
    assert ("sender", "P*2", ["open", "sender", "rank"]) == (
        gate.name,
        gate.facts["condition"],
        [one.name for one in looked.gates],
    )
    friends.emit("P", user="sue")
    assert friends.kit.ask(rk.Preview("sue", "double")).would_enter
    assert "normal" == friends.kit.ask(rk.SenderTerms("sue")).campaign
    friends.kit.run(rk.LaunchCampaign("double"))
    assert "double" == friends.kit.ask(rk.SenderTerms("sue")).campaign


def test_a_preview_names_the_campaign_that_comes_first(friends: Friends) -> None:
    friends.emit("P", user="sue")
    campaign(friends, "double", sender="P", priority=2)
    campaign(friends, "triple", "double", sender="P", priority=1)
    assert {"rank": {"campaign": "double", "priority": 2}} == failed(friends, "triple")
    assert {"rank": {"campaign": "double", "priority": 2}} == failed(friends, "normal")
    assert {} == failed(friends, "normal", "tom")


def test_a_preview_of_one_that_is_not_open_says_so(friends: Friends) -> None:
    campaign(friends, "double", start=friends.second(10), end=friends.second(20))
    assert {"open"} == set(failed(friends, "double"))
    friends.at(10)
    assert {} == failed(friends, "double")
    friends.kit.run(rk.PauseCampaign("double"))
    assert "paused" == failed(friends, "double")["open"]["status"]
    friends.kit.run(rk.ResumeCampaign("double"))
    friends.kit.run(rk.EndCampaign("double"))
    assert "ended" == failed(friends, "double")["open"]["status"]


def test_a_preview_agrees_with_what_is_offered_and_changes_nothing(friends: Friends) -> None:
    campaign(friends, "double", sender="P in last 10s", end=friends.second(30))
    campaign(friends, "triple", "double", sender="P*2", start=friends.second(12))
    friends.emit("P", user="sue")
    friends.emit("P", 12, user="sue")
    for second in (0, 9, 10, 12, 22, 29, 30):
        friends.at(second)
        before = snapshot_of(friends.store, "default")
        offering = [
            name for name in ("normal", "double", "triple") if friends.kit.ask(rk.Preview("sue", name)).would_enter
        ]
        assert [friends.kit.ask(rk.SenderTerms("sue")).campaign] == offering
        assert before == snapshot_of(friends.store, "default")


def test_a_preview_counts_what_was_earned(friends: Friends) -> None:
    for recipient in ("rob", "rod"):
        friends.refer(recipient, program="normal")
    friends.emit("A", user="rob")
    assert 1 == friends.kit.ask(rk.Preview("sue", "normal")).made
