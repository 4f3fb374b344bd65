"""Caps of referral campaigns on every store: whose terms are left, for whom, and from which instant on."""

from __future__ import annotations

import pytest

import rewardkit as rk
from rewardkit.testing.limited_shop import LimitedShop


@pytest.fixture
def shop(store: rk.Store) -> LimitedShop:
    return LimitedShop(store)


def test_so_many_recipients_get_the_terms_and_the_next_ones_those_of_the_fallback(shop: LimitedShop) -> None:
    shop.campaign("double", cap=2)
    assert ["double", "double", "normal", "normal"] == shop.enter("ann", "bob", "cid", "dan")
    shop.kit.emit("A", user="ann")
    assert ["normal"] == shop.enter("eve")
    assert [("", 2, 2)] == shop.uses()


def test_a_cap_is_of_all_senders_together(shop: LimitedShop) -> None:
    shop.campaign("double", cap=1)
    other = shop.kit.run(rk.GiveReferralCode("tom")).code
    shop.enter("ann")
    assert "normal" == shop.kit.run(rk.EnterReferralCode(other, "bob")).campaign


def test_voiding_gives_the_place_back(shop: LimitedShop) -> None:
    shop.campaign("double", cap=1)
    shop.enter("ann")
    shop.void("ann")
    assert [("", 1, 0)] == shop.uses()
    assert ["double", "normal"] == shop.enter("bob", "cid")


@pytest.mark.parametrize(
    "instant, campaign", [("2026-03-20T11:59:59.999999Z", "normal"), ("2026-03-20T12:00:00Z", "double")]
)
def test_expiry_gives_the_place_back_at_the_instant_at_which_it_is_noticed(
    shop: LimitedShop, instant: str, campaign: str
) -> None:
    shop.campaign("double", cap=1)
    shop.enter("ann")
    shop.clock.set(instant)
    shop.kit.run_due()
    assert [campaign] == shop.enter("bob")


@pytest.mark.parametrize(
    "instant, campaign", [("2026-03-11T04:59:59.999999Z", "normal"), ("2026-03-11T05:00:00Z", "double")]
)
def test_a_cap_of_the_day_holds_up_to_the_midnight_of_its_zone(shop: LimitedShop, instant: str, campaign: str) -> None:
    shop.campaign("double", caps_per={"day": 1}, zone="America/Chicago")
    assert ["double", "normal"] == shop.enter("ann", "bob")
    terms = shop.kit.ask(rk.SenderTerms("sue"))
    assert terms.until is not None
    assert "2026-03-11T05:00:00+00:00" == terms.until.isoformat()
    shop.clock.set(instant)
    assert campaign == shop.kit.ask(rk.SenderTerms("sue")).campaign
    assert [campaign] == shop.enter("cid")


def test_what_was_taken_is_given_back_in_its_own_period(shop: LimitedShop) -> None:
    shop.campaign("double", cap=5, caps_per={"day": 1, "month": 2})
    shop.enter("ann")
    shop.clock.set("2026-03-11T12:00:00Z")
    shop.enter("bob")
    shop.void("ann")
    assert [("", 5, 1), ("day", 1, 1), ("month", 2, 1)] == shop.uses()
    assert ["normal"] == shop.enter("cid")
    shop.clock.set("2026-03-12T12:00:00Z")
    assert ["double"] == shop.enter("dan")
    shop.clock.set("2026-03-13T12:00:00Z")
    assert ["normal"] == shop.enter("eve")
    terms = shop.kit.ask(rk.SenderTerms("sue"))
    assert terms.until is not None
    assert "2026-04-01T00:00:00+00:00" == terms.until.isoformat()


def test_the_next_campaign_comes_before_the_fallback(shop: LimitedShop) -> None:
    shop.campaign("double", cap=1, priority=2)
    shop.campaign("also", program="double", cap=1, priority=1)
    assert ["double", "also", "normal"] == shop.enter("ann", "bob", "cid")
    shop.void("ann")
    assert ["double", "normal"] == shop.enter("dan", "eve")


def test_nothing_is_taken_by_who_is_refused(shop: LimitedShop) -> None:
    shop.campaign("double", cap=2)
    shop.enter("ann")
    assert "already_referred" == shop.refusal(rk.EnterReferralCode(shop.code, "ann")).code
    assert "referral_code_not_valid" == shop.refusal(rk.EnterReferralCode(shop.code, "ann", public=True)).code
    assert [("", 2, 1)] == shop.uses()


def test_what_a_recipient_was_referred_into_before_stands_in_the_way_of_the_campaign_that_has_a_place(
    shop: LimitedShop,
) -> None:
    shop.kit.run(rk.DefineReferralProgram("extra", "ten", "five", "A"))
    shop.campaign("double", program="extra", cap=1)
    shop.kit.run(rk.MakeReferral("extra", "sue", "cid"))
    for public, code in ((False, "already_referred"), (True, "referral_code_not_valid")):
        assert code == shop.refusal(rk.EnterReferralCode(shop.code, "cid", public=public)).code
        assert [("", 1, 0)] == shop.uses()
    assert ["double", "normal"] == shop.enter("ann", "cid")


def test_a_full_campaign_is_named_with_its_numbers(shop: LimitedShop) -> None:
    shop.campaign("double", cap=2)
    shop.enter("ann", "bob")
    refused = shop.refusal(rk.MakeReferral("double", "sue", "cid"))
    assert ("campaign_capped", {"cap": 2, "taken": 2, "campaign": "double"}) == (refused.code, refused.facts)
    assert str(refused).startswith("referral campaign `double` has no place left: 2 of 2 places are taken")
    terms = shop.kit.ask(rk.SenderTerms("sue"))
    assert ("normal", None) == (terms.campaign, terms.until)
    assert "no place is left: 2 of 2 places are taken" == terms.passed_over[0].reason
    looked = shop.kit.ask(rk.Preview("sue", "double"))
    assert [("cap", "2 of 2 places are taken", {"used": 2, "cap": 2})] == [
        (gate.name, gate.sentence, gate.facts) for gate in looked.failed
    ]
    assert shop.kit.ask(rk.Preview("sue", "normal")).would_enter


def test_a_preview_of_a_fallback_says_which_campaign_comes_before_it_while_that_has_a_place(shop: LimitedShop) -> None:
    shop.campaign("double", caps_per={"year": 1})
    assert ["rank"] == [gate.name for gate in shop.kit.ask(rk.Preview("sue", "normal")).failed]
    shop.enter("ann")
    assert shop.kit.ask(rk.Preview("sue", "normal")).would_enter
    assert ["cap of the year"] == [gate.name for gate in shop.kit.ask(rk.Preview("sue", "double")).failed]


def test_a_fallback_has_no_caps(shop: LimitedShop) -> None:
    shop.campaign("double", cap=1)
    assert "fallback_missing" == shop.refusal(rk.DefineCampaign("normal", program="normal", cap=10)).code
    assert "fallback_missing" == shop.refusal(rk.DefineCampaign("normal", program="normal", caps_per={"day": 9})).code
    listed = {one.name: (one.is_fallback, one.cap, one.caps_per) for one in shop.kit.ask(rk.ReferralCampaigns())}
    assert {"normal": (True, None, {}), "double": (False, 1, {})} == listed


def test_a_cap_that_comes_later_counts_what_is_entered_from_then_on(shop: LimitedShop) -> None:
    shop.kit.emit("P", user="sue")
    shop.campaign("double", sender="P")
    shop.enter("ann")
    shop.kit.run(rk.DefineCampaign("double", program="double", sender="P", cap=1))
    assert ["double", "normal"] == shop.enter("bob", "cid")
    shop.kit.run(rk.DefineCampaign("double", program="double", sender="P"))
    assert ["double"] == shop.enter("dan")
    shop.void("ann")
    shop.void("bob")
    shop.kit.run(rk.DefineCampaign("double", program="double", sender="P", cap=1))
    assert ["double", "normal"] == shop.enter("eve", "fay")


def test_a_late_event_leaves_a_referrals_place_where_it_is(shop: LimitedShop) -> None:
    shop.kit.run(rk.DefineReferralProgram("double", "ten", "five", "A & B", expires_after="10d"))
    shop.campaign("double", cap=1)
    shop.enter("ann")
    shop.clock.set("2026-03-11T12:00:00Z")
    shop.kit.emit("B", user="ann")
    shop.kit.emit("C", user="ann")
    shop.kit.emit("B", user="ann", at="2026-03-10T13:00:00Z")
    assert [("", 1, 1)] == shop.uses()
    shop.kit.emit("A", user="ann")
    assert {"completed"} == {one.status for one in shop.kit.ask(rk.Referrals()).items}
    assert [("", 1, 1)] == shop.uses()


def test_launch_checks_tell_what_a_capped_campaign_costs_at_most(shop: LimitedShop) -> None:
    shop.kit.run(rk.DefineCampaign("double", program="double", cap=10))
    found = {one.code: one for one in shop.kit.ask(rk.LaunchChecks("double"))}
    assert "it costs at most 150.00, by 10 referrals of up to 15.00 each" == found["worst_case_cost"].message
    assert "unlimited_payout" not in found
