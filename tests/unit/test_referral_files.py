"""Referral programs and campaigns in definition files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.core.requests.answers import CampaignState, Defined
from rewardkit.testing.clock import FakeClock

EXAMPLE = Path(__file__).parents[2] / "examples" / "friends.toml"
PROGRAM = '[rewards.five]\n[referral-programs.x]\nsender_reward = "five"\nrecipient_reward = "five"\n'
PRICED = PROGRAM.replace("five]", "five.properties]\namount = 5")


@pytest.fixture
def kit() -> rk.RewardKit:
    return rk.RewardKit(clock=FakeClock("2026-05-01T04:00:00Z"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("shop.toml")


def test_the_example_defines_programs_and_campaigns_and_launches_the_fallback_first(kit: rk.RewardKit) -> None:
    answers = kit.load(EXAMPLE)
    found = [(one.kind if isinstance(one, Defined) else one.status, one.name) for one in answers]
    assert found == [
        ("reward", "five"),
        ("reward", "ten"),
        ("referral_program", "friends"),
        ("referral_program", "friends-double"),
        ("referral_campaign", "double-in-may"),
        ("referral_campaign", "friends"),
        ("live", "friends"),
        ("live", "double-in-may"),
    ]
    kit.emit("Purchase Completed", user="sue")
    assert [kit.ask(rk.SenderTerms(sender)).program for sender in ("sue", "tom")] == ["friends-double", "friends"]


def test_loading_twice_changes_nothing(kit: rk.RewardKit) -> None:
    first, second = kit.load(EXAMPLE), kit.load(EXAMPLE)
    assert not any(answer.new for answer in second if isinstance(answer, Defined))
    assert [one for one in first if isinstance(one, CampaignState)] == [
        one for one in second if isinstance(one, CampaignState)
    ]


VARIANTS = """
[rewards.five]
[rewards.ten]
properties = { amount = "10.00" }
[referral-programs.x]
sender_reward = "five"
recipient_reward = "five"
condition = "A"
[referral-programs.y]
sender_reward = "ten"
recipient_reward = "five"
condition = "A"
[campaigns.few]
cap = 3
[campaigns.few.variants.five]
program = "x"
weight = 3
copy = { name = "$5 for you" }
[campaigns.few.variants.ten]
program = "y"
[campaigns.always]
[campaigns.always.variants.five]
program = "x"
[campaigns.always.variants.ten]
program = "y"
weight = 0
"""


def test_variants_of_referral_campaigns_are_tables_and_fallbacks_with_them_are_launched_first(
    kit: rk.RewardKit, shop: Path
) -> None:
    shop.write_text(VARIANTS)
    launched = [one.name for one in kit.load(shop) if isinstance(one, CampaignState)]
    assert ["always", "few"] == launched
    assert not any(answer.new for answer in kit.load(shop) if isinstance(answer, Defined))
    variants = {kit.ask(rk.SenderTerms(f"sender {number}")).variant for number in range(40)}
    assert {"five", "ten"} == variants
    shares = [kit.ask(rk.Preview(f"sender {number}", "few")).copy for number in range(40)]
    assert {"name": "$5 for you"} in shares
    assert {} in shares
    assert {"five"} == {kit.ask(rk.Preview(f"sender {number}", "always")).variant for number in range(40)}


@pytest.mark.parametrize("term", ["holdout = 0.1", "cap = 3", "caps_per = { day = 3 }", "budget = 30", 'sender = "P"'])
def test_what_is_no_fallback_is_launched_after_the_one_that_stands_behind_it(
    kit: rk.RewardKit, shop: Path, term: str
) -> None:
    shop.write_text(f"{PRICED}condition = 'A'\n[campaigns.b]\nprogram = 'x'\n{term}\n[campaigns.a]\nprogram = 'x'")
    assert ["a", "b"] == [one.name for one in kit.load(shop) if isinstance(one, CampaignState)]


def test_a_file_gives_a_budget_which_stays_replenished_when_it_is_loaded_again(kit: rk.RewardKit, shop: Path) -> None:
    program = PRICED + 'condition = "A"\n[campaigns.c]\nprogram = "x"\n'
    shop.write_text(f'{program}budget = 12.50\nat_exhaustion = "queue"\n[campaigns.always]\nprogram = "x"\n')
    kit.load(shop)
    kit.run(rk.ReplenishBudget("c", 30))
    assert not any(answer.new for answer in kit.load(shop) if isinstance(answer, Defined))
    (known,) = (one for one in kit.ask(rk.ReferralCampaigns()) if one.name == "c")
    assert (Decimal("42.50"), "queue", "live") == (known.budget, known.at_exhaustion, known.status)


WRONG = [
    (
        PROGRAM.replace('recipient_reward = "five"', 'recipient_reward = "fife"') + 'condition = "A"',
        "shop.toml:4: [referral-programs.x] recipient_reward: reward `fife` is not defined: did you mean `five`?",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nsender = "P"\nprogram = "y"',
        "shop.toml:8: [campaigns.c] program: referral program `y` is not defined",
    ),
    (
        PROGRAM
        + 'condition = "A"\n[campaigns.c.variants.one]\nprogram = "x"\n[campaigns.c.variants.two]\nprogram = "y"',
        "shop.toml:9: [campaigns.c.variants.two] program: referral program `y` is not defined",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\ncap = 3',
        "shop.toml:6: [campaigns.c]: `offer` is missing, or `variants` or `program` in its place",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\ncopy = { name = "Twice!", teaser = 5 }',
        "shop.toml:8: [campaigns.c] copy: must be a table of texts, not a table where `teaser` is `5`",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\nholdout = 20',
        'shop.toml:8: [campaigns.c] holdout: must be a share below the whole, such as `0.1` or `"10%"`, not `20`',
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\nsender_cap = 3',
        "shop.toml:8: [campaigns.c] sender_cap: this key is of [referral-programs.…]: write it there",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\ncondition = "B"',
        "shop.toml:8: [campaigns.c] condition: this key is of [offers.…] and [referral-programs.…]: write it there",
    ),
    (PROGRAM + "condition = A", "shop.toml:5: this is not TOML: invalid value: texts stand in quotes"),
    (
        PROGRAM + 'condition = "A"\nentry = "B"',
        "shop.toml:6: [referral-programs.x] entry: cannot make referrals of `x`: whoever is referred was referred by",
    ),
    (PROGRAM, "shop.toml:2: [referral-programs.x]: `condition` is missing"),
    (PROGRAM + 'condition = "A &"', "shop.toml:5: [referral-programs.x] condition: error[RK1"),
    (
        PROGRAM + 'condition = "A"\nperiod = "hour"',
        "shop.toml:6: [referral-programs.x] period: must be one of `day`, `week`, `month`, `quarter`, `year`, not",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\nsender = "P &"',
        "shop.toml:8: [campaigns.c] sender: error[RK1",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\nsender = "P"',
        "shop.toml:6: [campaigns.c]: referral campaign `c` needs a fallback",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\nuser_cap = 3',
        "shop.toml:8: [campaigns.c] user_cap: is of campaigns with offers",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\ncap = 0',
        "shop.toml:8: [campaigns.c] cap: must lie between 1",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\ncaps_per = {day = 3}',
        "shop.toml:6: [campaigns.c]: referral campaign `c` needs a fallback",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c.variants.one]\nprogram = "x"\noffer = "y"',
        "shop.toml:8: [campaigns.c.variants.one] offer: is of campaigns with offers",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c.variants.one]\nprogram = "x"\n[campaigns.c.variants.two]\noffer = "y"',
        "shop.toml:9: [campaigns.c.variants.two] offer: is of campaigns with offers",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c.variants.one]\nweight = 2',
        "shop.toml:6: [campaigns.c.variants.one]: `offer` is missing",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\n[campaigns.c.variants.one]\nprogram = "x"',
        "shop.toml:6: [campaigns.c]: campaign `c` offers one referral program: pass `program`, or `variants`",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\nbudget = 0',
        "shop.toml:8: [campaigns.c] budget: must be a whole number or a decimal above 0",
    ),
    (
        PROGRAM + 'condition = "A"\n[campaigns.c]\nprogram = "x"\nbudget = 30',
        "shop.toml:6: [campaigns.c]: reward `five` has no `amount`",
    ),
    (
        PRICED + 'condition = "A"\n[campaigns.c]\nprogram = "x"\nbudget = 30',
        "shop.toml:7: [campaigns.c]: referral campaign `c` needs a fallback",
    ),
    (PROGRAM + 'condition = "A"\n[campaigns.c]\nsender = "P"', "shop.toml:6: [campaigns.c]: `offer` is missing"),
]


@pytest.mark.parametrize("content, message", WRONG)
def test_a_wrong_file_says_what_is_wrong_where_and_changes_nothing(
    kit: rk.RewardKit, shop: Path, content: str, message: str
) -> None:
    shop.write_text(content)
    with pytest.raises(rk.ValidationError) as error:
        kit.load(shop)
    assert str(error.value).startswith(message)
    assert isinstance(kit.attempt(rk.MakeReferral("x", "sue", "rob")), rk.Refused)
