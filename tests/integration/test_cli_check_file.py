"""`rewardkit check FILE`: what there is to know of a file's campaigns before it is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.cli import main

SHOP = """
[rewards.five]
properties = { amount = 5.00 }
[rewards.code]
issues = { pool = "spring" }
[offers.gift]
reward = "five"
condition = "B"
[offers.again]
reward = "code"
condition = "B"
[referral-programs.friends]
sender_reward = "five"
recipient_reward = "five"
condition = "B"
sender_cap = 2
[campaigns.gift]
offer = "gift"
entry = "A"
budget = 20
[campaigns.again]
offer = "again"
entry = "A"
status = "draft"
[campaigns.always]
program = "friends"
[campaigns.vip]
program = "friends"
sender = "A"
"""
ENDLESS = SHOP.replace("budget = 20", 'reentry = "after_earning"')
MAY = SHOP.replace("[campaigns.always]", "[campaigns.may]\nprogram = 'friends'\nend = 2100-05-31\n[campaigns.always]")
Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REWARDKIT_STORE", raising=False)

    def run(text: str, *words: str) -> tuple[int, str, str]:
        (tmp_path / "shop.toml").write_text(text)
        code = main(("check", "shop.toml", *words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def objects(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("defined", ["", "[pools.spring]\n", "[pools.flyer]\n[pools.coupons]\n[pools.spring]\n"])
def test_pools_that_a_file_only_speaks_of_are_taken_to_be_there(check: Check, defined: str) -> None:
    promotion = "[promotions.flyer]\ncampaign = 'gift'\n[promotions.late]\ncoupons = 'coupons'\n"
    assert check(SHOP)[1] == check(f"{SHOP}{defined}{promotion}")[1]
    code, _, err = check(f"{SHOP}{promotion}")
    assert (0, "") == (code, err)


def test_every_campaign_is_looked_at_without_a_store(check: Check) -> None:
    code, out, err = check(SHOP)
    assert (0, "") == (code, err)
    assert "campaign gift: it costs at most 20.00 (worst_case_cost)\n" in out
    assert "campaign always: one sender earns at most 10.00, by 2 referrals (worst_case_per_sender)\n" in out
    assert "campaign vip: nothing bounds what it costs: each referral costs up to 10.00 (unlimited_payout)\n" in out
    assert "campaign again: campaign `gift` runs at the same time and listens to `A` too (overlap)\n" in out
    # A draft does not run yet, and without a store nobody knows what was recorded.
    assert "campaign gift: campaign `again`" not in out
    assert "event_never_seen" not in out


def test_what_would_refuse_a_launch_is_a_finding_until_it_is_acknowledged(check: Check) -> None:
    code, out, _ = check(ENDLESS)
    assert 1 == code
    assert "(unlimited_per_user): acknowledge it if it is meant\n" in out
    assert 0 == check(ENDLESS, "--acknowledge", "unlimited_per_user")[0]
    told = ENDLESS.replace("[campaigns.again]", 'acknowledge = ["unlimited_per_user"]\n[campaigns.again]')
    assert 0 == check(told)[0]


def test_findings_as_json(check: Check) -> None:
    code, out, _ = check(ENDLESS, "--json")
    assert 1 == code
    found = objects(out)
    assert {"campaign", "code", "message", "facts", "blocks"} == set(found[0])
    assert ("gift", "unlimited_per_user", True) == (found[0]["campaign"], found[0]["code"], found[0]["blocks"])
    assert {"unlimited_payout"} <= {one["code"] for one in found if not one["blocks"]}


def test_a_store_tells_what_was_never_recorded_and_what_runs_there(check: Check, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/rewards.db"
    with rk.RewardKit(store) as kit:
        kit.run(rk.CreatePool("spring"))
        kit.run(rk.DefineReward("five", {"amount": "5.00"}))
        kit.run(rk.DefineOffer("other", "five", "B"))
        kit.run(rk.DefineCampaign("other", "other", entry="A"))
        kit.run(rk.LaunchCampaign("other"))
        kit.emit("A", user="ann")
    code, out, _ = check(SHOP, "--store", store)
    assert 0 == code
    assert "campaign gift: event `B` has never been recorded (event_never_seen)\n" in out
    assert "campaign gift: campaign `other` runs at the same time and gives the reward `five` too (overlap)\n" in out
    assert "event `A`" not in out
    with rk.RewardKit(store) as kit:
        assert ["other"] == [one.name for one in kit.ask(rk.Campaigns())]
        assert () == kit.ask(rk.ReferralCampaigns())


def test_the_store_of_the_environment_is_looked_at(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWARDKIT_STORE", ":memory:")
    code, _, err = check(SHOP)
    assert 2 == code
    assert "pool `spring`" in err


def test_what_is_wrong_in_a_file_is_told_with_its_place(check: Check) -> None:
    code, out, err = check(SHOP.replace('condition = "B"', 'condition = "B &"', 1))
    assert (2, "") == (code, out)
    assert "shop.toml:8: [offers.gift] condition" in err
    code, _, err = check(SHOP.replace('[campaigns.always]\nprogram = "friends"', ""))
    assert 2 == code
    assert "needs a fallback" in err
    assert "defines nothing" in check("")[2]


def test_options_of_conditions_are_not_taken_with_a_file(check: Check) -> None:
    code, _, err = check(SHOP, "--entry")
    assert 2 == code
    assert "--entry is of a condition, and `shop.toml` is a file" in err


def test_campaigns_of_one_file_that_lie_across_each_other_are_told(check: Check) -> None:
    _, out, _ = check(MAY)
    assert "campaign may: campaign `vip` runs at the same time" in out


def test_a_file_without_campaigns_has_nothing_to_tell(check: Check) -> None:
    code, out, err = check("[rewards.five]\n")
    assert (0, "", "it has no campaigns\n") == (code, out, err)
