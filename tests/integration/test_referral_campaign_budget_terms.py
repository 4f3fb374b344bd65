"""What referral campaigns with a budget may be, and what is told of them, on every store."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.cli.reports.sections import referral_sections
from rewardkit.testing.limited_shop import QUEUE, LimitedShop


@pytest.fixture
def shop(store: rk.Store) -> LimitedShop:
    return LimitedShop(store)


@pytest.mark.parametrize("kind", [{}, QUEUE])
def test_what_is_reversed_does_not_restore_the_budget(shop: LimitedShop, kind: dict[str, Any]) -> None:
    shop.campaign("double", budget=30, **kind)
    shop.enter("ann")
    shop.complete("ann")
    for grant in shop.kit.ask(rk.Grants()).items:
        shop.kit.run(rk.ReverseGrant(grant.id, "returned", frees=True))
    assert (15, 0, 15) == shop.money()


@pytest.mark.parametrize("kind", [{}, QUEUE])
def test_a_fallback_has_no_budget(shop: LimitedShop, kind: dict[str, Any]) -> None:
    shop.campaign("double", budget=30, **kind)
    shop.campaign("also", program="normal", budget=30, **kind)
    listed = {one.name: (one.is_fallback, one.budget) for one in shop.kit.ask(rk.ReferralCampaigns())}
    assert {"normal": (True, None), "double": (False, Decimal(30)), "also": (False, Decimal(30))} == listed
    for command in (rk.PauseCampaign("normal"), rk.EndCampaign("normal")):
        assert "fallback_missing" == shop.refusal(command).code


def test_whether_there_is_a_budget_is_pinned_by_the_launch(shop: LimitedShop) -> None:
    shop.campaign("double", budget=30)
    for terms in ({}, {"budget": 30, **QUEUE}):
        refused = shop.refusal(rk.DefineCampaign("double", program="double", **terms))
        assert "budget_pinned" == refused.code
    assert "budget_pinned" == shop.refusal(rk.DefineCampaign("normal", program="normal", budget=5)).code
    assert "campaign_without_budget" == shop.refusal(rk.ReplenishBudget("normal", 5)).code
    assert "campaign_unknown" == shop.refusal(rk.ReplenishBudget("nobody's", 5)).code


def test_a_replenishment_survives_another_definition_a_pause_and_the_end(shop: LimitedShop) -> None:
    shop.campaign("double", budget=30)
    shop.kit.run(rk.ReplenishBudget("double", "2.5"))
    shop.kit.run(rk.DefineCampaign("double", program="double", budget=31))
    for command in (rk.PauseCampaign("double"), rk.ResumeCampaign("double"), rk.EndCampaign("double")):
        shop.kit.run(command)
    assert Decimal("33.50") == shop.use.budget


def test_both_rewards_of_a_program_have_a_cost_where_there_is_a_budget(shop: LimitedShop) -> None:
    shop.kit.run(rk.DefineReward("thanks"))
    for number, pair in enumerate((("thanks", "five"), ("five", "thanks"))):
        shop.kit.run(rk.DefineReferralProgram(f"free {number}", *pair, "A"))
        refused = shop.refusal(rk.DefineCampaign("free", program=f"free {number}", budget=5))
        facts = {"campaign": "free", "program": f"free {number}", "reward": "thanks"}
        assert ("cost_unknown", facts) == (refused.code, refused.facts)
    shop.campaign("double", budget=30)
    assert "cost_unknown" == shop.refusal(rk.DefineReferralProgram("double", "ten", "thanks", "A")).code
    assert "cost_unknown" == shop.refusal(rk.DefineReward("ten", {"amount": "0.00001"})).code
    shop.kit.run(rk.EndCampaign("double"))
    shop.kit.run(rk.DefineReferralProgram("double", "ten", "thanks", "A"))


@pytest.mark.parametrize(
    "terms, most",
    [
        ({"budget": 100}, "100.00, by its budget"),
        ({"budget": 100, "cap": 10}, "100.00, by its budget"),
        ({"budget": 100, "cap": 2}, "30.00, by 2 referrals of up to 15.00 each"),
        ({"budget": 100, **QUEUE}, "100.00, by its budget"),
    ],
)
def test_launch_checks_tell_what_a_campaign_with_a_budget_costs_at_most(
    shop: LimitedShop, terms: dict[str, Any], most: str
) -> None:
    shop.kit.run(rk.DefineCampaign("double", program="double", **terms))
    found = {one.code: one.message for one in shop.kit.ask(rk.LaunchChecks("double"))}
    assert f"it costs at most {most}" == found["worst_case_cost"]
    assert not {"unlimited_payout", "budget_covers_nothing"} & found.keys()


def test_a_budget_that_covers_no_referral_has_to_be_acknowledged(shop: LimitedShop) -> None:
    shop.kit.run(rk.DefineCampaign("double", program="double", budget="14.99"))
    refused = shop.refusal(rk.LaunchCampaign("double"))
    assert ("launch_doubtful", ["budget_covers_nothing"]) == (refused.code, refused.facts["findings"])
    shop.kit.run(rk.LaunchCampaign("double", acknowledge="budget_covers_nothing"))
    assert ["normal"] == shop.enter("ann")


@pytest.mark.parametrize("kind, committed", [({}, 15), (QUEUE, 0)])
def test_the_list_of_all_campaigns_tells_what_is_taken_of_a_budget(
    shop: LimitedShop, kind: dict[str, Any], committed: int
) -> None:
    shop.campaign("double", budget=60, cap=9, **kind)
    shop.enter("ann", "bob")
    shop.complete("ann")
    use = next(one for one in shop.kit.ask(rk.Campaigns()) if one.name == "double")
    assert (Decimal(60), Decimal(committed), Decimal(15), 1, 1) == (
        use.budget,
        use.committed,
        use.spent,
        use.reserved,
        use.confirmed,
    )


def test_a_report_shows_the_money_beside_the_caps(shop: LimitedShop) -> None:
    shop.campaign("double", budget=60, cap=8)
    shop.enter("ann", "bob")
    shop.complete("ann")
    limits = referral_sections(shop.kit.ask(rk.ReferralReport(campaign="double")))[0]
    assert "limits" == limits.title
    assert [("cap", "2 of 8 taken", 0.25), ("budget", "60.00: 15.00 spent, 15.00 committed", 0.5)] == [
        (line.label, line.value, line.share) for line in limits.lines
    ]


@pytest.mark.parametrize("terms, said", [({}, "a budget"), ({"cap": 9}, "caps and a budget"), (QUEUE, "")])
def test_a_comparison_with_senders_held_out_says_that_money_may_have_run_out(
    shop: LimitedShop, terms: dict[str, Any], said: str
) -> None:
    shop.campaign("double", budget=300, holdout="50%", **terms)
    for number in range(12):
        code = shop.kit.run(rk.GiveReferralCode(f"sender {number}")).code
        shop.kit.run(rk.EnterReferralCode(code, f"friend {number}"))
    told = [one.partition(":")[0] for one in shop.kit.ask(rk.ReferralReport(campaign="double")).cautions]
    assert ([f"the campaign has {said}"] if said else []) == [one for one in told if "campaign has" in one]


def test_each_variant_costs_what_its_own_program_gives(shop: LimitedShop) -> None:
    variants = (rk.Variant("dear", program="double"), rk.Variant("cheap", program="normal"))
    shop.campaign("double", variants=variants, program=None, budget=24)
    senders: dict[str, str] = {}
    for number in range(20):
        terms = shop.kit.ask(rk.SenderTerms(f"sender {number}"))
        senders.setdefault(terms.variant, terms.sender)
    assert Decimal(15) == shop.use.cost
    refer = [shop.kit.attempt(rk.MakeReferral("double", senders["cheap"], "ann"))]
    # 14 are left: too little for the dear one, and enough for another cheap one.
    looked = [shop.kit.ask(rk.Preview(senders[name], "double")).would_enter for name in ("dear", "cheap")]
    offered = [shop.kit.ask(rk.SenderTerms(senders[name])).campaign for name in ("dear", "cheap")]
    assert ([False, True], ["normal", "double"]) == (looked, offered)
    refer += [shop.kit.attempt(rk.MakeReferral("double", senders[name], name)) for name in ("dear", "cheap", "cheap")]
    codes = [one.code if isinstance(one, rk.Refused) else one.variant for one in refer]
    assert ["cheap", "budget_exhausted", "cheap", "already_referred"] == codes
    shop.complete("ann")
    assert (10, 10, 4) == shop.money()
