"""Pausing and resuming referral campaigns: what a sender offers meanwhile, and whose terms stay."""

from __future__ import annotations

from collections.abc import Iterator

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


def test_in_a_pause_senders_offer_the_next_and_those_who_are_inside_keep_their_terms(friends: Friends) -> None:
    friends.program(name="triple")
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    friends.referral_campaign("triple", sender="P")
    friends.emit("P", user="sue")
    code = friends.kit.run(rk.GiveReferralCode("sue")).code
    found = {}
    for second, change, recipient in (
        (1, None, "ann"),
        (2, rk.PauseCampaign("triple"), "bob"),
        (3, rk.PauseCampaign("double"), "cid"),
        (4, rk.ResumeCampaign("triple"), "dan"),
    ):
        friends.at(second)
        if change is not None:
            friends.kit.run(change)
        found[recipient] = friends.kit.run(rk.EnterReferralCode(code, recipient)).campaign
    assert {"ann": "triple", "bob": "double", "cid": "normal", "dan": "triple"} == found
    friends.kit.run(rk.PauseCampaign("triple"))
    for recipient in found:
        assert ["completed"] == [one.status for one in friends.emit("A", user=recipient).referrals]
    assert {"triple", "double", "normal"} == {one.campaign for one in friends.kit.ask(rk.Grants("sue")).items}


def test_a_paused_campaign_says_so(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P", end=friends.second(20))
    friends.emit("P", user="sue")
    assert "paused" == friends.kit.run(rk.PauseCampaign("double")).status
    assert "campaign_paused" == friends.refused(rk.MakeReferral("double", "sue", "rob"))
    terms = friends.kit.ask(rk.SenderTerms("sue"))
    assert ("normal", None) == (terms.campaign, terms.until)
    assert [("double", "it is paused")] == [(one.campaign, one.reason) for one in terms.passed_over]
    assert ["paused", "live"] == [one.status for one in friends.kit.ask(rk.ReferralCampaigns())]
    friends.at(20)
    assert "campaign_over" == friends.refused(rk.MakeReferral("double", "sue", "rob"))


def test_a_pause_keeps_to_its_instants(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    friends.emit("P", user="sue")
    found = [friends.offered(4.999999)]
    friends.at(5)
    friends.kit.run(rk.PauseCampaign("double"))
    found += [friends.offered(), friends.offered(7.999999)]
    friends.at(8)
    friends.kit.run(rk.ResumeCampaign("double"))
    found.append(friends.offered())
    assert ["double", "normal", "normal", "double"] == found


def test_pausing_and_resuming_twice_changes_nothing_and_drafts_and_ended_ones_are_refused(friends: Friends) -> None:
    friends.kit.run(rk.DefineCampaign("draft", program="double"))
    for command in (rk.PauseCampaign, rk.ResumeCampaign, rk.EndCampaign):
        assert "campaign_draft" == friends.refused(command("draft"))
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    first = friends.kit.run(rk.PauseCampaign("double"))
    assert first == friends.kit.run(rk.PauseCampaign("double")) == friends.kit.run(rk.LaunchCampaign("double"))
    second = friends.kit.run(rk.ResumeCampaign("double"))
    assert second == friends.kit.run(rk.ResumeCampaign("double"))
    assert (first.version + 1, "live") == (second.version, second.status)
    friends.kit.run(rk.PauseCampaign("double"))
    assert "ended" == friends.kit.run(rk.EndCampaign("double")).status
    for over in (rk.PauseCampaign("double"), rk.ResumeCampaign("double")):
        assert "campaign_over" == friends.refused(over)


def test_a_fallback_is_not_paused_while_another_is_live_nor_that_resumed_without_it(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    assert "fallback_missing" == friends.refused(rk.PauseCampaign("normal"))
    friends.kit.run(rk.PauseCampaign("double"))
    friends.kit.run(rk.PauseCampaign("normal"))
    assert "fallback_missing" == friends.refused(rk.ResumeCampaign("double"))
    assert "campaign_paused" == friends.refused(rk.MakeReferral("normal", "sue", "rob"))
    friends.kit.run(rk.ResumeCampaign("normal"))
    friends.kit.run(rk.ResumeCampaign("double"))


def test_a_paused_campaign_may_be_changed_and_stays_paused(friends: Friends) -> None:
    friends.referral_campaign("normal")
    friends.referral_campaign("double", sender="P")
    friends.emit("P", user="sue")
    friends.kit.run(rk.PauseCampaign("double"))
    friends.kit.run(rk.DefineCampaign("double", program="double", sender="P", priority=3))
    assert "normal" == friends.offered()
    friends.kit.run(rk.ResumeCampaign("double"))
    assert "double" == friends.offered()
