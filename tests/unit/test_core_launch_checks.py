"""Looking before the leap: what a launch is told, and what would happen to one user."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.shop import Shop


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.kit.run(rk.DefineReward("disc", {"amount": "5.00"}))
    return shop


def draft(shop: Shop, name: str = "c", condition: str = "A", **terms: Any) -> None:
    shop.kit.run(rk.DefineOffer(name, "disc", condition, acknowledge=("RK201",)))
    shop.kit.run(rk.DefineCampaign(name, name, acknowledge=("RK201",), **terms))


def codes(shop: Shop, name: str = "c") -> list[str]:
    return [one.code for one in shop.kit.ask(rk.LaunchChecks(name))]


# --- launch checks -------------------------------------------------------------------------------------


def test_what_bounds_the_cost_says_how_much_it_is_at_most(shop: Shop) -> None:
    draft(shop, entry="E", cap=10, budget=45)
    (found,) = (one for one in shop.kit.ask(rk.LaunchChecks("c")) if one.code == "worst_case_cost")
    assert {"dearest": Decimal("5.00"), "at_most": Decimal("45.00")} == found.facts


@pytest.mark.parametrize(
    "terms, expected",
    [
        ({}, ["unlimited_payout"]),
        ({"reentry": "day"}, ["unlimited_payout"]),
        ({"reentry": "after_earning"}, ["unlimited_per_user", "unlimited_payout"]),
        ({"reentry": "after_earning", "user_cap": 5}, ["unlimited_payout"]),
        ({"reentry": "after_earning", "cap": 5}, ["worst_case_cost"]),
        ({"budget": 4}, ["budget_covers_nothing", "worst_case_cost"]),
        ({"audience": "A in last 5s"}, ["unlimited_payout"]),
    ],
)
def test_findings_that_block_come_first(shop: Shop, terms: dict[str, Any], expected: list[str]) -> None:
    for name in "EA":
        shop.emit(name)
    draft(shop, entry="E", **terms)
    assert expected == codes(shop)


@pytest.mark.parametrize(
    "amount, said",
    [
        ("$5.00", "`$5.00`"),
        ("five", "`five`"),
        ("-5", "`-5`"),
        ("5.00001", "`5.00001`"),
        (True, "`True`"),
        ("5.00", ""),
        (Decimal("5.5"), ""),
        (5, ""),
        (0, ""),
        ("0.00", ""),
    ],
)
def test_an_amount_that_costs_are_not_counted_by_is_told_in_campaigns_of_both_kinds(
    shop: Shop, amount: object, said: str
) -> None:
    shop.kit.run(rk.DefineReward("odd", {"amount": amount}))
    shop.kit.run(rk.DefineOffer("odd", "odd", "A"))
    shop.kit.run(rk.DefineCampaign("odd", "odd", entry="E", cap=5))
    shop.kit.run(rk.DefineReferralProgram("odd", "odd", "odd", "A"))
    shop.kit.run(rk.DefineCampaign("odd friends", program="odd"))
    for name in ("odd", "odd friends"):
        found = [one.message for one in shop.kit.ask(rk.LaunchChecks(name)) if one.code == "amount_uncounted"]
        told = f"reward `odd` counts as free: its `amount` is {said}, and not a whole number or a decimal of at most"
        assert ([told] if said else []) == [message[: len(told)] for message in found]


def test_a_reward_that_says_nothing_of_its_cost_is_no_finding(shop: Shop) -> None:
    shop.kit.run(rk.DefineReward("disc", {"sku": "CD-1"}))
    draft(shop, entry="E", cap=5)
    assert "amount_uncounted" not in codes(shop)


def test_a_launch_is_refused_until_what_blocks_it_is_acknowledged(shop: Shop) -> None:
    draft(shop, entry="E", reentry="after_earning")
    refused = shop.kit.attempt(rk.LaunchCampaign("c"))
    assert isinstance(refused, rk.Refused)
    assert ("launch_doubtful", ["unlimited_per_user"]) == (refused.code, refused.facts["findings"])
    assert "live" == shop.kit.run(rk.LaunchCampaign("c", acknowledge="unlimited_per_user")).status


def test_lints_overlaps_and_events_that_were_never_seen_are_told(shop: Shop) -> None:
    shop.emit("E")
    draft(shop, "first", entry="E")
    shop.kit.run(rk.LaunchCampaign("first"))
    draft(shop, "other", "!B", entry="E", audience="C")
    found = {one.code: one.facts for one in shop.kit.ask(rk.LaunchChecks("other"))}
    assert {"RK201", "overlap", "event_never_seen", "unlimited_payout"} == set(found)
    assert {"campaign": "first", "rewards": ["disc"], "events": ["E"]} == found["overlap"]
    seen = [one.facts["event"] for one in shop.kit.ask(rk.LaunchChecks("other")) if one.code == "event_never_seen"]
    assert ["B", "C"] == seen


def test_campaigns_that_do_not_meet_do_not_overlap(shop: Shop) -> None:
    draft(shop, "first", entry="E", end=shop.second(5))
    shop.kit.run(rk.LaunchCampaign("first"))
    draft(shop, "later", entry="E", start=shop.second(5))
    assert "overlap" not in codes(shop, "later")


# --- previews ------------------------------------------------------------------------------------------


def previewed(shop: Shop, user: str = "amanda", name: str = "c") -> rk.Previewed:
    """A preview, after which everything is as it was."""
    store = shop.kit._store
    before = snapshot_of(store, "default", ("amanda", "bea"))
    found = shop.kit.ask(rk.Preview(user, name))
    assert before == snapshot_of(store, "default", ("amanda", "bea"))
    return found


def failed(shop: Shop, user: str = "amanda") -> list[str]:
    return [gate.name for gate in previewed(shop, user).failed]


def test_a_draft_is_looked_at_as_if_it_were_launched_now(shop: Shop) -> None:
    draft(shop, entry="E", audience="A", copy={"name": "A gift"})
    assert ["entry", "audience"] == failed(shop)
    for name in "AE":
        shop.emit(name)
    found = previewed(shop)
    assert (True, "draft", "c", {"amount": "5.00"}, {"name": "A gift"}) == (
        found.would_enter,
        found.status,
        found.offer,
        found.reward,
        found.copy,
    )


def test_every_gate_that_keeps_a_user_out_is_told_with_its_facts(shop: Shop) -> None:
    shop.campaign("A", "E*3", audience="B", cap=1, caps_per={"day": 1}, budget=5, holdout="0.999999", reentry="month")
    shop.kit.run(rk.PauseCampaign("c"))
    shop.emit("E")
    assert ["open", "entry", "audience", "holdout"] == failed(shop)
    entry = next(gate for gate in previewed(shop).gates if gate.name == "entry")
    assert ("pending", True) == (entry.facts["status"], "2 more" in entry.sentence)


def test_what_others_have_taken_is_told(shop: Shop) -> None:
    shop.campaign("A", cap=1, caps_per={"day": 1}, budget=8, reentry="month")
    shop.kit.run(rk.MakeOffer("c", "bea"))
    assert ["cap", "cap of the day", "budget"] == failed(shop)
    assert ["reentry", "cap", "cap of the day", "budget"] == failed(shop, "bea")


def test_who_has_entered_is_told_so(shop: Shop) -> None:
    shop.campaign("A", "E")
    shop.emit("E")
    found = previewed(shop)
    assert (1, ["reentry", "user_cap"]) == (found.made, [gate.name for gate in found.failed if gate.name != "entry"])


@pytest.mark.parametrize("terms", [{}, {"reentry": "day"}, {"audience": "!B"}])
def test_a_preview_comes_true(shop: Shop, terms: dict[str, Any]) -> None:
    shop.emit("E")
    shop.campaign("A", "E", **terms)
    assert previewed(shop).would_enter
    assert 1 == len(shop.kit.run(rk.Backfill(dry_run=False)).entered)


def test_an_unknown_campaign_is_refused_and_an_unknown_user_has_done_nothing(shop: Shop) -> None:
    shop.campaign("A", "E")
    with pytest.raises(rk.Refused, match="campaign `x` is not defined"):
        shop.kit.ask(rk.Preview("amanda", "x"))
    assert ["entry"] == failed(shop, "nobody")
