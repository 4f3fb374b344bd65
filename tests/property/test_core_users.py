"""Users do not see each other, though steps that one of them took are remembered for all."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

import rewardkit as rk

NOW = 1_800_000_000_000_000
SECOND = 1_000_000
CONDITIONS = ("A*3", "(A*2 | B) & !C", "A[size > 1]*2 & B", "2 of (A*2, B, C)", "A*2 within 30s", "A then B*2")
USERS = ("ann", "bob", "cleo", "dora")


def shop() -> rk.RewardKit:
    kit = rk.RewardKit(clock=lambda: NOW)
    kit.run(rk.DefineReward("disc"))
    for number, condition in enumerate(CONDITIONS):
        name = f"campaign {number}"
        kit.run(rk.DefineOffer(name, "disc", condition))
        kit.run(rk.DefineCampaign(name, name, entry="enter", start="2026-01-01"))
        kit.run(rk.LaunchCampaign(name))
    return kit


def histories(seed: int) -> list[rk.Event]:
    chance = random.Random(seed)
    began = NOW - 1_000 * SECOND
    enter = [rk.Event("enter", at=began, id=f"enter {user}", user=user) for user in USERS]
    return enter + [
        rk.Event(
            chance.choice("AAABC"),
            at=began + (index + 1) * 5 * SECOND,
            id=str(index),
            user=chance.choice(USERS),
            properties={"size": chance.randrange(4)},
        )
        for index in range(60)
    ]


def outcomes(kit: rk.RewardKit, user: str) -> list[tuple[object, ...]]:
    offers = kit.ask(rk.UserOffers(user=user, limit=100)).items
    return sorted((offer.campaign, offer.status, offer.made_at, offer.ended_at) for offer in offers)


@pytest.mark.parametrize("seed", range(8))
def test_a_user_among_others_fares_as_she_would_alone(seed: int) -> None:
    events = histories(seed)
    together = shop()
    for event in events:
        together.emit_many([event])

    for user in USERS:
        alone = shop()
        for event in events:
            if event.user == user:
                alone.emit_many([event])
        assert outcomes(alone, user) == outcomes(together, user)


def test_definitions_that_a_host_rolled_back_are_not_built_upon(tmp_path: Path) -> None:
    path = tmp_path / "rewards.db"
    ours, others = rk.RewardKit(f"sqlite:///{path}"), rk.RewardKit(f"sqlite:///{path}")
    ours.migrate()
    host = sqlite3.connect(path)
    ours.on(host).run(rk.DefineReward("ghost"))
    host.rollback()
    host.close()
    others.run(rk.DefineReward("real"))

    with pytest.raises(rk.Refused, match="`ghost` is not defined"):
        ours.run(rk.DefineOffer("offer", "ghost", "A"))
    assert ours.run(rk.DefineOffer("offer", "real", "A")).new
