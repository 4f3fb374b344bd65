"""Events, conditions and what they are good for, sentence by sentence of Resonance's survey, on every store."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

import rewardkit as rk
from rewardkit.testing.clock import FakeClock


def define(kit: rk.RewardKit, condition: str) -> None:
    """An offer of five dollars for this condition, which is made directly."""
    kit.run(rk.DefineReward("five", {"amount": "5.00", "currency": "USD"}))
    kit.run(rk.DefineOffer("offer", "five", condition))
    kit.run(rk.DefineCampaign("campaign", "offer"))
    kit.run(rk.LaunchCampaign("campaign"))


def earning_histories(kit: rk.RewardKit, clock: FakeClock, condition: str, histories: str) -> str:
    """Of histories with a letter for each event, those that earn an offer with this condition.

    Each is of a user of its name; events are a second apart.
    """
    define(kit, condition)
    users = histories.split()
    for user in users:
        kit.run(rk.MakeOffer("campaign", user))
    for number in range(max(map(len, users))):
        clock.advance("1s")
        for user in users:
            if number < len(user):
                kit.emit(user[number], user=user)
    return " ".join(sorted(grant.user for grant in kit.ready()))


# --- three faces, and their building blocks ---------------------------------------------------------------------------


def test_events_offers_and_referrals_are_each_a_call_away(kit: rk.RewardKit) -> None:
    define(kit, '"User Activated"')
    kit.run(rk.DefineReferralProgram("friends", "five", "five", '"User Activated"'))

    offer = kit.run(rk.MakeOffer("campaign", "amanda"))
    referral = kit.run(rk.MakeReferral("friends", sender="amanda", recipient="bea"))
    recorded = [kit.emit("User Activated", user=user) for user in ("amanda", "bea")]

    assert [[(one.user, one.offer) for one in each.earned] for each in recorded] == [
        [("amanda", "offer")],
        [("bea", "friends"), ("amanda", "friends")],
    ]
    grants = kit.ask(rk.Grants()).items
    assert sorted((grant.user, grant.user_offer or grant.referral) for grant in grants) == sorted(
        [("amanda", offer.id), ("amanda", referral.id), ("bea", referral.id)]
    )


def test_one_reward_and_one_condition_build_offers_and_referrals(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineReward("five", {"amount": "5.00"}))
    kit.run(rk.DefineCondition("active", '"Profile Completed" and "Item Added"*2'))
    kit.run(rk.DefineOffer("activate", "five", "@active"))
    kit.run(rk.DefineCampaign("activate", "activate"))
    kit.run(rk.LaunchCampaign("activate"))
    kit.run(rk.DefineReferralProgram("friends", "five", "five", "@active"))
    kit.run(rk.MakeOffer("activate", "amanda"))
    kit.run(rk.MakeReferral("friends", sender="sue", recipient="amanda"))

    for name in ("Item Added", "Profile Completed"):
        assert kit.emit(name, user="amanda").earned == ()
    earned = kit.emit("Item Added", user="amanda").earned
    assert sorted((one.user, one.offer, one.reward) for one in earned) == [
        ("amanda", "activate", "five"),
        ("amanda", "friends", "five"),
        ("sue", "friends", "five"),
    ]


# --- events -----------------------------------------------------------------------------------------------------------


def test_an_event_counts_for_the_user_who_did_it_and_for_nobody_else(kit: rk.RewardKit) -> None:
    define(kit, '"User Signed Up" and "Purchase Completed"')
    for user in ("amanda", "bea"):
        kit.run(rk.MakeOffer("campaign", user))
    kit.emit("User Signed Up", user="amanda")
    assert kit.emit("Purchase Completed", user="bea").earned == ()
    assert [one.user for one in kit.emit("Purchase Completed", user="amanda").earned] == ["amanda"]


def test_which_conditions_each_user_has_satisfied_is_known_from_all_that_she_did(kit: rk.RewardKit) -> None:
    kit.emit("Onboarding Finished", user="amanda")
    kit.emit("Onboarding Finished", user="bea")
    kit.emit("Purchase Completed", user="bea")
    kit.emit("User Signed Up", user="cleo")
    kit.run(rk.DefineReward("five"))
    kit.run(rk.DefineOffer("offer", "five", "Later"))
    conditions = {"onboarded": '"Onboarding Finished"', "bought": '"Purchase Completed"'}
    for name, condition in conditions.items():
        kit.run(rk.DefineCampaign(name, "offer", entry=condition))

    def satisfied(user: str) -> list[str]:
        gates = {name: kit.ask(rk.Preview(user, name)).gates for name in conditions}
        return [name for name, found in gates.items() if next(gate for gate in found if gate.name == "entry").passed]

    users = ("amanda", "bea", "cleo")
    assert [satisfied(user) for user in users] == [["onboarded"], ["onboarded", "bought"], []]
    kit.emit("Onboarding Finished", user="cleo")
    assert [satisfied(user) for user in users] == [["onboarded"], ["onboarded", "bought"], ["onboarded"]]


def test_names_of_events_are_free_text_and_no_two_of_them_are_confused(kit: rk.RewardKit) -> None:
    names = ("User Signed Up", "user signed up", "User  Signed Up", "Achat terminé ✓", "and", "A*2", "signup")
    kit.run(rk.DefineReward("five"))
    for number, name in enumerate(names):
        kit.run(rk.DefineOffer(f"offer {number}", "five", f'"{name}"'))
        kit.run(rk.DefineCampaign(f"campaign {number}", f"offer {number}"))
        kit.run(rk.LaunchCampaign(f"campaign {number}"))
        kit.run(rk.MakeOffer(f"campaign {number}", "amanda"))
    for number, name in enumerate(names):
        assert [one.offer for one in kit.emit(name, user="amanda").earned] == [f"offer {number}"]


def test_an_event_has_a_user_a_name_a_time_or_now_free_data_and_perhaps_an_id(
    kit: rk.RewardKit, clock: FakeClock
) -> None:
    define(kit, '"Purchase Completed"[total >= 18]')
    for user in ("amanda", "bea", "cleo"):
        kit.run(rk.MakeOffer("campaign", user))
    clock.advance("10m")
    basket = {"total": Decimal("18.00"), "lines": [{"sku": "fries", "quantity": 2}], "gift": None, "first": True}

    given = {"user": "amanda", "at": "2026-04-01T14:05:00.000007+02:00", "id": "order-1", "properties": basket}
    told = kit.emit("Purchase Completed", **given)  # type: ignore[arg-type]
    left_out = kit.emit("Purchase Completed", user="bea", properties=basket)
    assert kit.emit("Purchase Completed", user="cleo").earned == ()

    assert [(one.user, one.earned_at) for one in (*told.earned, *left_out.earned)] == [
        ("amanda", datetime(2026, 4, 1, 12, 5, 0, 7, tzinfo=UTC)),
        ("bea", clock.now),
    ]
    assert (told.event_ids, len(left_out.event_ids[0]) > 0) == (("order-1",), True)
    (kept,) = kit.explain(told.earned[0].grant).earned.events
    assert (kept.id, kept.name, kept.user, kept.properties) == ("order-1", "Purchase Completed", "amanda", basket)


def test_an_event_is_safely_sent_again_under_its_id(kit: rk.RewardKit) -> None:
    define(kit, '"Purchase Completed"*2')
    kit.run(rk.MakeOffer("campaign", "amanda"))
    for duplicate in ((), ("order-1",), ("order-1",)):
        recorded = kit.emit("Purchase Completed", user="amanda", id="order-1", properties={"total": 18})
        assert (recorded.duplicate, recorded.earned) == (duplicate, ())
    with pytest.raises(rk.Conflict):
        kit.emit("Purchase Completed", user="amanda", id="order-1", properties={"total": 19})
    assert len(kit.emit("Purchase Completed", user="amanda", id="order-2", properties={"total": 18}).earned) == 1


# --- conditions -------------------------------------------------------------------------------------------------------


def test_a_condition_is_satisfied_by_its_event(kit: rk.RewardKit, clock: FakeClock) -> None:
    assert earning_histories(kit, clock, "A", "A B BA BB") == "A BA"


def test_and_needs_both_in_any_order(kit: rk.RewardKit, clock: FakeClock) -> None:
    assert earning_histories(kit, clock, "A and B", "A B AA AB BA CC CBCA") == "AB BA CBCA"


def test_or_needs_either(kit: rk.RewardKit, clock: FakeClock) -> None:
    assert earning_histories(kit, clock, "A or B", "A B C CB AB CC") == "A AB B CB"


def test_x_times_is_at_least_as_often(kit: rk.RewardKit, clock: FakeClock) -> None:
    assert earning_histories(kit, clock, "A*3", "A AA AAA AAAA ABAB ABABA BBB") == "AAA AAAA ABABA"


def test_two_of_one_or_one_of_another_and_none_of_a_third_before(kit: rk.RewardKit, clock: FakeClock) -> None:
    histories = "A B C AA AB AC BC CB CAA ACA AAC AACB"
    assert earning_histories(kit, clock, "(A*2 | B) & !C", histories) == "AA AAC AACB AB B BC"


def test_once_is_the_event_itself(kit: rk.RewardKit, clock: FakeClock) -> None:
    assert earning_histories(kit, clock, "B*1", "A AB B BB") == "AB B BB"
    # The two are one text to rewardkit: writing it the other way is no new version of the offer.
    assert not kit.run(rk.DefineOffer("offer", "five", "B")).new


def test_a_condition_completes_offers_and_referrals_enters_users_and_chooses_what_a_sender_offers(
    kit: rk.RewardKit, clock: FakeClock
) -> None:
    for reward in ("coffee", "five", "ten"):
        kit.run(rk.DefineReward(reward))
    kit.run(rk.DefineOffer("offer", "coffee", '"Onboarding Finished"'))
    kit.run(rk.DefineCampaign("entered", "offer", entry='"User Signed Up"'))
    kit.run(rk.DefineReferralProgram("friends", "five", "five", '"Purchase Completed"'))
    kit.run(rk.DefineReferralProgram("friends-double", "ten", "five", '"Purchase Completed"'))
    kit.run(rk.DefineCampaign("always", program="friends"))
    kit.run(rk.DefineCampaign("double", program="friends-double", sender='"Purchase Completed"'))
    for campaign in ("entered", "always", "double"):
        kit.run(rk.LaunchCampaign(campaign))

    assert kit.emit("Visited", user="sue").entered == ()
    assert [one.campaign for one in kit.emit("User Signed Up", user="sue").entered] == ["entered"]
    assert [one.reward for one in kit.emit("Onboarding Finished", user="sue").earned] == ["coffee"]
    assert kit.ask(rk.SenderTerms("sue")).program == "friends"
    clock.advance("1s")
    kit.emit("Purchase Completed", user="sue")
    assert kit.ask(rk.SenderTerms("sue")).program == "friends-double"
    kit.run(rk.MakeReferral("double", sender="sue", recipient="rob"))
    clock.advance("1s")
    earned = kit.emit("Purchase Completed", user="rob").earned
    assert [(one.user, one.reward) for one in earned] == [("rob", "five"), ("sue", "ten")]


def test_a_named_condition_serves_several_offers_and_each_keeps_what_it_meant(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineReward("five"))
    kit.run(rk.DefineCondition("active", '"User Activated"'))
    conditions = {"plain": "@active", "more": '@active and "Purchase Completed"', "later": "@active"}
    for name in ("plain", "more"):
        kit.run(rk.DefineOffer(name, "five", conditions[name]))
    kit.run(rk.DefineCondition("active", '"User Activated" and "Email Confirmed"'))
    kit.run(rk.DefineOffer("later", "five", conditions["later"]))
    for name in conditions:
        kit.run(rk.DefineCampaign(name, name))
        kit.run(rk.LaunchCampaign(name))
        kit.run(rk.MakeOffer(name, "amanda"))

    earned = {
        name: [one.offer for one in kit.emit(name, user="amanda").earned]
        for name in ("User Activated", "Purchase Completed", "Email Confirmed")
    }
    assert earned == {
        "User Activated": ["plain"],
        "Purchase Completed": ["more"],
        "Email Confirmed": ["later"],
    }
