"""Campaigns of offers in a definition file: all their terms, and what blocks a launch."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.core.requests.answers import Defined

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OFFER = '[rewards.disc]\n[offers.gift]\nreward = "disc"\ncondition = "A"\n'


@pytest.fixture
def kit() -> rk.RewardKit:
    return rk.RewardKit(clock=lambda: NOW)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("shop.toml")


def test_a_campaign_with_variants_holdout_and_copy_loads_twice(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text(
        OFFER + '[campaigns.spring]\nholdout = 0.1\ncopy = { name = "A gift" }\n'
        '[campaigns.spring.variants.a]\noffer = "gift"\n'
        '[campaigns.spring.variants.b]\noffer = "gift"\nweight = 3\ncopy = { name = "A rare gift" }\n'
    )
    kit.load(shop)
    (use,) = kit.ask(rk.Campaigns())
    assert (("a", "b"), "") == (use.variants, use.offer)
    assert not any(answer.new for answer in kit.load(shop) if isinstance(answer, Defined))


def test_a_campaign_with_all_terms_loads_twice(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text(
        OFFER.replace("[rewards.disc]", "[rewards.disc]\nproperties = { amount = 5.00 }")
        + '[campaigns.spring]\noffer = "gift"\nentry = "A"\naudience = "latest(B:tier) == \\"gold\\""\n'
        'reentry = "month"\ncaps_per = { day = 5 }\nbudget = 12.50\nat_exhaustion = "queue"\n'
    )
    kit.load(shop)
    (use,) = kit.ask(rk.Campaigns())
    assert Decimal("12.50") == use.budget
    assert not any(answer.new for answer in kit.load(shop) if isinstance(answer, Defined))


def test_what_blocks_a_launch_is_acknowledged_in_the_file(kit: rk.RewardKit, shop: Path) -> None:
    text = OFFER.replace("[rewards.disc]", "[rewards.disc]\nproperties = { amount = 5 }")
    text += '[campaigns.spring]\noffer = "gift"\nentry = "A"\nreentry = "after_earning"\n'
    shop.write_text(text)
    with pytest.raises(
        rk.ValidationError, match=r"shop.toml:6: \[campaigns.spring\]: campaign `spring` is probably not"
    ):
        kit.load(shop)
    shop.write_text(text + 'acknowledge = ["unlimited_per_user"]\n')
    kit.load(shop)
