"""Budgets of referral campaigns on every store: what is promised is reserved, or what is earned waits for money."""

from __future__ import annotations

from decimal import Decimal

import pytest

import rewardkit as rk
from rewardkit.testing.limited_shop import QUEUE, LimitedShop


@pytest.fixture
def shop(store: rk.Store) -> LimitedShop:
    return LimitedShop(store)


# --- stop ----------------------------------------------------------------------------------------------


def test_what_both_rewards_cost_is_reserved_by_an_entry_and_confirmed_by_completion(shop: LimitedShop) -> None:
    shop.campaign("double", budget="44.99")
    assert ["double", "double", "normal", "normal"] == shop.enter("ann", "bob", "cid", "dan")
    assert (0, 30, 14) == shop.money()
    shop.complete("ann", "cid")
    assert (15, 15, 14) == shop.money()
    assert ["normal"] == shop.enter("eve")
    assert [] == shop.grants("held")


def test_what_a_sender_at_her_cap_does_not_get_goes_back_and_pays_for_another(shop: LimitedShop) -> None:
    shop.program(sender_cap=1)
    shop.campaign("double", budget=35)
    assert ["double", "double", "normal"] == shop.enter("ann", "bob", "cid")
    shop.complete("ann", "bob")
    assert (20, 0, 15) == shop.money()
    assert [("ann", "five"), ("bob", "five"), ("sue", "ten")] == sorted(shop.grants("ready"))
    assert ["double"] == shop.enter("dan")


def test_of_several_completions_that_are_noticed_together_each_keeps_its_share(shop: LimitedShop) -> None:
    shop.program(sender_cap=2)
    shop.campaign("double", budget=60)
    shop.enter("ann", "bob", "cid", "dan")
    shop.kit.emit_many([{"name": "A", "user": one, "id": "1"} for one in ("cid", "bob", "ann")])
    assert (15 + 15 + 5, 15, 10) == shop.money()


def test_voiding_releases_all_of_it(shop: LimitedShop) -> None:
    shop.campaign("double", budget=15)
    assert ["double", "normal"] == shop.enter("ann", "bob")
    shop.void("ann")
    assert (0, 0, 15) == shop.money()
    assert ["double", "normal"] == shop.enter("cid", "dan")


@pytest.mark.parametrize(
    "instant, campaign", [("2026-03-20T11:59:59.999999Z", "normal"), ("2026-03-20T12:00:00Z", "double")]
)
def test_expiry_releases_all_of_it_at_the_instant_at_which_it_is_noticed(
    shop: LimitedShop, instant: str, campaign: str
) -> None:
    shop.campaign("double", budget=15)
    shop.enter("ann")
    shop.clock.set(instant)
    shop.kit.run_due()
    assert [campaign] == shop.enter("bob")


def test_what_was_reserved_is_what_the_rewards_cost_at_the_entry(shop: LimitedShop) -> None:
    shop.campaign("double", budget=100)
    shop.enter("ann", "bob", "cid")
    shop.kit.run(rk.DefineReward("ten", {"amount": "20.00"}))
    assert Decimal(25) == shop.use.cost
    shop.enter("dan")
    shop.complete("ann", "dan")
    shop.void("bob")
    assert (15 + 25, 15, 45) == shop.money()


def test_an_entry_that_completes_at_once_spends_at_once(shop: LimitedShop) -> None:
    shop.campaign("double", budget=30)
    shop.kit.emit("A", user="ann")
    assert ["double"] == shop.enter("ann")
    assert (15, 0, 15) == shop.money()


def test_the_next_campaign_whose_money_covers_it_comes_before_the_fallback(shop: LimitedShop) -> None:
    shop.campaign("double", budget=15, priority=2)
    shop.campaign("also", program="double", budget=15, cap=9, priority=1)
    assert ["double", "also", "normal"] == shop.enter("ann", "bob", "cid")
    shop.void("ann")
    assert ["double", "normal"] == shop.enter("dan", "eve")


def test_a_cap_and_a_budget_are_taken_together_or_not_at_all(shop: LimitedShop) -> None:
    shop.campaign("double", cap=3, caps_per={"day": 1}, budget=30)
    assert ["double", "normal"] == shop.enter("ann", "bob")
    assert (0, 15, 15) == shop.money()
    shop.clock.set("2026-03-11T12:00:00Z")
    assert ["double"] == shop.enter("cid")
    shop.clock.set("2026-03-12T12:00:00Z")
    assert ["normal"] == shop.enter("dan")
    taken = [(one.unit, one.taken) for one in shop.kit.ask(rk.ReferralReport(campaign="double")).caps]
    assert [("", 2), ("day", 0)] == taken


def test_nothing_is_taken_by_who_is_refused(shop: LimitedShop) -> None:
    shop.campaign("double", budget=50)
    shop.enter("ann")
    assert "already_referred" == shop.refusal(rk.EnterReferralCode(shop.code, "ann")).code
    assert "referral_code_not_valid" == shop.refusal(rk.EnterReferralCode(shop.code, "ann", public=True)).code
    assert (0, 15, 35) == shop.money()


def test_what_stands_in_a_recipients_way_gives_the_money_back(shop: LimitedShop) -> None:
    shop.kit.run(rk.DefineReferralProgram("extra", "ten", "five", "A"))
    shop.campaign("double", program="extra", budget=15)
    shop.kit.run(rk.MakeReferral("extra", "sue", "cid"))
    for public, code in ((False, "already_referred"), (True, "referral_code_not_valid")):
        assert code == shop.refusal(rk.EnterReferralCode(shop.code, "cid", public=public)).code
        assert (0, 0, 15) == shop.money()
    assert ["double", "normal"] == shop.enter("ann", "bob")


def test_a_late_event_leaves_the_money_where_it_is(shop: LimitedShop) -> None:
    shop.kit.run(rk.DefineReferralProgram("double", "ten", "five", "A & B", expires_after="10d"))
    shop.campaign("double", cap=4, budget=20)
    shop.enter("ann")
    shop.clock.set("2026-03-11T12:00:00Z")
    shop.kit.emit("B", user="ann")
    shop.kit.emit("C", user="ann")
    shop.kit.emit("B", user="ann", at="2026-03-10T13:00:00Z")
    assert (0, 15, 5) == shop.money()
    shop.kit.emit("A", user="ann")
    assert (15, 0, 5) == shop.money()


def test_an_exhausted_budget_is_named_with_its_money(shop: LimitedShop) -> None:
    shop.campaign("double", budget="20.50")
    shop.enter("ann")
    refused = shop.refusal(rk.MakeReferral("double", "sue", "bob"))
    assert ("budget_exhausted", {"budget": "20.50", "campaign": "double"}) == (refused.code, refused.facts)
    said = "5.50 of 20.50 are left, and a referral costs up to 15.00"
    assert str(refused).startswith(f"the budget of referral campaign `double` does not cover another referral: {said}")
    terms = shop.kit.ask(rk.SenderTerms("sue"))
    assert ("normal", None, f"no place is left: {said}") == (terms.campaign, terms.until, terms.passed_over[0].reason)
    looked = shop.kit.ask(rk.Preview("sue", "double"))
    assert [("budget", said, {"left": Decimal("5.50"), "cost": Decimal(15)})] == [
        (gate.name, gate.sentence, gate.facts) for gate in looked.failed
    ]
    assert shop.kit.ask(rk.Preview("sue", "normal")).would_enter


def test_more_money_lets_senders_offer_it_again(shop: LimitedShop) -> None:
    shop.campaign("double", budget=15)
    shop.enter("ann")
    done = shop.kit.run(rk.ReplenishBudget("double", "29.00"))
    assert (Decimal(44), Decimal(29), ()) == (done.budget, done.left, done.released)
    assert ["double", "normal"] == shop.enter("bob", "cid")
    assert (0, 30, 14) == shop.money()


def test_a_budget_that_is_lowered_below_what_is_promised_promises_no_more_and_takes_nothing_back(
    shop: LimitedShop,
) -> None:
    shop.campaign("double", budget=45)
    shop.enter("ann", "bob")
    shop.kit.run(rk.DefineCampaign("double", program="double", budget=20))
    assert (0, 30, 0) == shop.money()
    assert ["normal"] == shop.enter("cid")
    shop.complete("ann", "bob")
    assert (30, 0, 0) == shop.money()
    assert 4 == len(shop.grants("ready"))


# --- queue ---------------------------------------------------------------------------------------------


def test_a_budget_that_queues_lets_everybody_enter_and_pays_in_the_order_of_earning(shop: LimitedShop) -> None:
    shop.campaign("double", budget=20, **QUEUE)
    assert ["double"] * 4 == shop.enter("ann", "bob", "cid", "dan")
    assert (0, 0, 20) == shop.money()
    shop.complete("cid", "ann")
    assert (20, 0, 0) == shop.money()
    assert [("sue", "ten")] == shop.grants("held")
    assert {("ann", "five"), ("cid", "five"), ("sue", "ten")} == set(shop.grants("ready"))
    assert ["double"] == shop.enter("eve")
    assert shop.kit.ask(rk.Preview("sue", "double")).would_enter


def test_more_money_releases_what_waits_oldest_first_and_none_before_an_older_one(shop: LimitedShop) -> None:
    shop.campaign("double", budget=20, **QUEUE)
    shop.enter("ann", "bob", "cid")
    shop.complete("ann", "bob", "cid")
    assert [("sue", "ten")] == shop.grants("held")[:1]
    short = shop.kit.run(rk.ReplenishBudget("double", 9))
    # The oldest costs 10: nobody who waits behind it is paid before, though there is enough for two of them.
    assert ((), Decimal(9)) == (short.released, short.left)
    first = shop.kit.run(rk.ReplenishBudget("double", 1))
    assert ["sue"] == [one.user for one in first.released]
    rest = shop.kit.run(rk.ReplenishBudget("double", 100))
    assert ["cid", "sue"] == sorted(one.user for one in rest.released)
    assert (45, 0, 85) == shop.money()
    assert [] == shop.grants("held")


def test_who_earned_first_is_paid_first_whatever_order_it_is_noticed_in(shop: LimitedShop) -> None:
    shop.campaign("double", budget=15, **QUEUE)
    shop.enter("ann", "bob")
    shop.clock.set("2026-03-11T12:00:00Z")
    shop.kit.emit_many(
        [
            {"name": "A", "user": "ann", "id": "1", "at": "2026-03-11T11:00:00Z"},
            {"name": "A", "user": "bob", "id": "1", "at": "2026-03-11T10:00:00Z"},
        ]
    )
    assert {("bob", "five"), ("sue", "ten")} == set(shop.grants("ready"))
    assert {("ann", "five"), ("sue", "ten")} == set(shop.grants("held"))


def test_a_side_that_is_not_covered_waits_alone(shop: LimitedShop) -> None:
    shop.campaign("double", budget=7, **QUEUE)
    shop.enter("ann")
    shop.complete("ann")
    assert ([("ann", "five")], [("sue", "ten")]) == (shop.grants("ready"), shop.grants("held"))
    assert (5, 0, 2) == shop.money()


def test_a_sender_at_her_cap_costs_nothing(shop: LimitedShop) -> None:
    shop.program(sender_cap=1)
    shop.campaign("double", budget=20, **QUEUE)
    shop.enter("ann", "bob")
    shop.complete("ann", "bob")
    assert (20, 0, 0) == shop.money()
    assert [] == shop.grants("held")


def test_an_entry_that_completes_at_once_is_paid_or_waits(shop: LimitedShop) -> None:
    shop.campaign("double", cap=5, budget=20, **QUEUE)
    for name in ("ann", "bob"):
        shop.kit.emit("A", user=name)
        assert ["double"] == shop.enter(name)
    assert ((20, 0, 0), [("sue", "ten")]) == (shop.money(), shop.grants("held"))
