"""`rewardkit deliver --dead` and `--replay`, as a shell sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.cli import main


def refuse(_notice: rk.Notice) -> rk.Outcome:
    return rk.FailedForGood("400 no such hook")


@pytest.fixture
def store(tmp_path: Path) -> str:
    """With two dead notices."""
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    with rk.RewardKit(store, notifiers=[refuse]) as kit:
        kit.run(rk.DefineReward("disc"))
        kit.run(rk.DefineOffer("o", "disc", "A"))
        kit.run(rk.DefineCampaign("c", "o"))
        kit.run(rk.LaunchCampaign("c"))
        kit.run(rk.MakeOffer("c", "ann"))
        kit.emit("A", user="ann")
        kit.deliver()
    return store


def test_dead_notices_are_listed_and_can_be_replayed_one_by_one_or_all(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def deliver(*words: str) -> tuple[int, str, str]:
        code = main(["deliver", "--store", store, *words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    code, out, err = deliver("--dead", "--json")
    listed = [json.loads(line) for line in out.splitlines()]
    dead = [one["id"] for one in listed]
    assert (1, "2 dead\n", 2) == (code, err, len(set(dead)))
    assert {(1, "refuse: 400 no such hook")} == {(one["attempts"], one["error"]) for one in listed}
    _, out, _ = deliver("--dead")
    assert ["id", *dead] == [line.split()[0] for line in out.splitlines()]
    assert (0, "", "1 put back into the outbox\n") == deliver("--replay", dead[0])
    code, _, err = deliver("--replay", dead[0], "no_such")
    assert 1 == code
    assert "is pending, not dead" in err
    assert "notice `no_such` does not exist" in err
    assert (0, "", "1 put back into the outbox\n") == deliver("--replay")
    assert (0, "", "0 dead\n") == deliver("--dead")
    _, out, _ = deliver("--json")
    assert sorted(dead) == sorted(json.loads(line)["id"] for line in out.splitlines())
