"""Budgets of money: what is promised can be paid, and what waits is paid in its turn."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.shop import Shop, event


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.kit.run(rk.DefineReward("disc", {"amount": "5.00"}))
    return shop


def money(shop: Shop) -> tuple[Any, ...]:
    (use,) = shop.kit.ask(rk.Campaigns())
    return use.budget, use.committed, use.spent


def code(shop: Shop, command: rk.Command[Any]) -> str:
    answer = shop.kit.attempt(command)
    assert isinstance(answer, rk.Refused)
    return answer.code


def statuses(shop: Shop) -> list[str]:
    found = shop.kit.ask(rk.Grants()).items
    return [f"{grant.status} {grant.held_for}".strip() for grant in found]


# --- stop ----------------------------------------------------------------------------------------------


def test_money_is_reserved_with_an_offer_confirmed_by_earning_and_released_otherwise(shop: Shop) -> None:
    shop.campaign("A", "E", budget="12.50", expires_after="5s")
    shop.emit("E", user="a")
    shop.emit("E", user="b")
    assert (Decimal("12.50"), 10, 0) == money(shop)
    shop.at(1)
    shop.emit("A", user="a")
    assert (Decimal("12.50"), 5, 5) == money(shop)
    shop.at(10)
    shop.kit.run_due()
    assert (Decimal("12.50"), 0, 5) == money(shop)


def test_where_the_budget_has_run_out_no_more_offers_are_made(shop: Shop) -> None:
    shop.campaign("A", "E", budget=12)
    recorded = shop.kit.emit_many(event("E", number, f"{number}", f"user {number}") for number in range(4))
    assert (2, 2) == (len(recorded.entered), len(recorded.capped))
    assert {"no money was left in the campaign's budget"} == {
        one.reason for one in shop.kit.ask(rk.UserOffers(status="capped")).items
    }
    assert "budget_exhausted" == code(shop, rk.MakeOffer("c", "zoe"))
    assert 10 == money(shop)[1]


def test_what_a_cap_refuses_costs_nothing(shop: Shop) -> None:
    shop.campaign("A", "E", budget=100, cap=1)
    shop.kit.emit_many(event("E", number, f"{number}", f"user {number}") for number in range(3))
    assert (100, 5, 0) == money(shop)


def test_a_dearer_variant_does_not_fit_where_a_cheaper_one_still_does(shop: Shop) -> None:
    shop.kit.run(rk.DefineReward("tape", {"amount": 2}))
    for name in ("disc", "tape"):
        shop.kit.run(rk.DefineOffer(name, name, "A"))
    variants = tuple(rk.Variant(name, name) for name in ("disc", "tape"))
    shop.kit.run(rk.DefineCampaign("c", variants=variants, budget="6.9999"))
    shop.kit.run(rk.LaunchCampaign("c"))
    made = [shop.kit.attempt(rk.MakeOffer("c", f"user {number}")) for number in range(30)]
    costs = {"disc": 5, "tape": 2}
    spent = sum(costs[one.variant] for one in made if isinstance(one, rk.UserOffer))
    assert 6 <= spent <= 7 or spent == 5
    assert spent == money(shop)[1]


# --- queue ---------------------------------------------------------------------------------------------


def test_what_a_queueing_budget_does_not_cover_waits_and_is_released_oldest_first(shop: Shop) -> None:
    shop.campaign("A", "E", budget=5, at_exhaustion="queue")
    for second, user in enumerate("abcd"):
        shop.at(second)
        shop.emit("E", user=user)
        shop.at(second + 0.5)
        shop.emit("A", user=user)
    assert ["ready", "held budget", "held budget", "held budget"] == statuses(shop)
    assert (5, 0, 5) == money(shop)
    done = shop.kit.run(rk.ReplenishBudget("c", "11.00"))
    found: tuple[Any, ...] = [one.user for one in done.released], done.budget, done.left, done.more
    assert (["b", "c"], 16, 1, False) == found
    assert ["ready", "ready", "ready", "held budget"] == statuses(shop)
    assert (16, 0, 15) == money(shop)
    assert 4 == len([one for one in shop.kit.ask(rk.Notices()).items if one.kind == "offer.made"])
    assert 3 == len([one for one in shop.kit.ask(rk.Notices()).items if one.kind == "grant.ready"])


def test_a_cheaper_grant_does_not_overtake_one_that_is_too_dear_still(shop: Shop) -> None:
    shop.kit.run(rk.DefineReward("tape", {"amount": 2}))
    shop.campaign("A", "E", budget=5, at_exhaustion="queue")
    for second, (user, reward) in enumerate((("a", "disc"), ("b", "disc"), ("c", "tape"))):
        shop.at(second)
        shop.kit.run(rk.DefineOffer("c", reward, "A"))
        shop.emit("E", user=user)
        shop.emit("A", second + 0.5, user=user)
    assert ["ready", "held budget", "held budget"] == statuses(shop)
    released = [[one.user for one in shop.kit.run(rk.ReplenishBudget("c", amount)).released] for amount in (4, 1, 2)]
    assert [[], ["b"], ["c"]] == released


def test_a_replenishment_may_be_done_in_batches(shop: Shop) -> None:
    shop.campaign("A", "E", budget=5, at_exhaustion="queue")
    shop.kit.emit_many(event(name, at, name, user) for user in "abcd" for at, name in enumerate("EA"))
    first = shop.kit.run(rk.ReplenishBudget("c", 100, limit=2))
    second = shop.kit.run(rk.ReplenishBudget("c", 0, limit=2))
    assert (2, True, 1, False) == (len(first.released), first.more, len(second.released), second.more)


def test_a_grant_that_is_funded_still_passes_the_gates_behind(shop: Shop) -> None:
    shop.kit.run(rk.DefineOffer("c", "disc", "A", hold="1d"))
    shop.kit.run(rk.DefineCampaign("c", "c", entry="E", budget=1, at_exhaustion="queue"))
    shop.kit.run(rk.LaunchCampaign("c", acknowledge="budget_covers_nothing"))
    shop.kit.emit_many(event(name, at, name) for at, name in enumerate("EA"))
    assert ["held budget"] == statuses(shop)
    shop.kit.run(rk.ReplenishBudget("c", 5))
    assert ["held hold"] == statuses(shop)


def test_what_is_reversed_does_not_restore_the_budget(shop: Shop) -> None:
    shop.campaign("A", "E", budget=5)
    shop.kit.emit_many(event(name, at, name) for at, name in enumerate("EA"))
    (grant,) = shop.kit.ask(rk.Grants()).items
    shop.kit.run(rk.ReverseGrant(grant.id, by="clerk", reason="returned", frees=True))
    assert (5, 0, 5) == money(shop)


# --- definitions ---------------------------------------------------------------------------------------


def test_a_replenishment_survives_another_definition_and_whether_there_is_a_budget_is_pinned(shop: Shop) -> None:
    shop.campaign("A", "E", budget=5)
    shop.kit.run(rk.ReplenishBudget("c", "2.5"))
    shop.kit.run(rk.DefineCampaign("c", "c", entry="E", budget=6))
    assert Decimal("8.50") == money(shop)[0]
    others: tuple[dict[str, Any], ...] = ({}, {"budget": 6, "at_exhaustion": "queue"})
    for terms in others:
        assert "budget_pinned" == code(shop, rk.DefineCampaign("c", "c", entry="E", **terms))
    shop.kit.run(rk.DefineCampaign("d", "c"))
    assert "campaign_without_budget" == code(shop, rk.ReplenishBudget("d", 1))


def test_a_campaign_with_a_budget_gives_nothing_that_has_no_cost(shop: Shop) -> None:
    shop.kit.run(rk.DefineReward("free"))
    shop.kit.run(rk.DefineOffer("free", "free", "A"))
    assert "cost_unknown" == code(shop, rk.DefineCampaign("d", "free", budget=5))
    shop.campaign("A", "E", budget=5)
    assert "cost_unknown" == code(shop, rk.DefineReward("disc", {"amount": "0.00001"}))
    assert "cost_unknown" == code(shop, rk.DefineOffer("c", "free", "A"))


@pytest.mark.parametrize("budget", [5.0, 0, -1, "-1", True, "ten", Decimal("NaN"), "0.00001", 2**60])
def test_a_budget_is_exact(shop: Shop, budget: Any) -> None:
    with pytest.raises(rk.ValidationError, match="budget"):
        shop.campaign("A", "E", budget=budget)
