"""All campaigns in one list, of offers and of referrals, on every store and from a shell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.cli import main
from rewardkit.testing.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2020-05-01T00:00:00Z")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def kit(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[rk.RewardKit]:
    stores = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path / 'rewards.db'}"}
    store = stores.get(request.param) or request.getfixturevalue("postgres_dsn")
    with rk.RewardKit(store, clock=clock) as kit:
        kit.migrate()
        define(kit)
        yield kit


def define(kit: rk.RewardKit) -> None:
    """Two campaigns of each kind; one of offers is a draft, one of referrals has two places."""
    kit.run(rk.DefineReward("five", {"amount": "5.00"}))
    kit.run(rk.DefineOffer("offer", "five", "A"))
    kit.run(rk.DefineReferralProgram("friends", "five", "five", "A"))
    kit.run(rk.DefineCampaign("spring", "offer", start="2020-05-02", end="2020-05-03"))
    kit.run(rk.DefineCampaign("summer", variants=(rk.Variant("x", "offer"),), budget=10))
    kit.run(rk.DefineCampaign("always", program="friends"))
    kit.run(rk.DefineCampaign("first", program="friends", cap=2))
    for name in ("spring", "always", "first"):
        kit.run(rk.LaunchCampaign(name))


def test_campaigns_of_both_kinds_are_one_list_by_name(kit: rk.RewardKit, clock: FakeClock) -> None:
    kit.run(rk.MakeReferral("first", sender="sue", recipient="rob"))
    found = kit.ask(rk.Campaigns())
    launched = datetime(2020, 5, 1, tzinfo=UTC)
    assert [
        ("always", "referrals", "live", "", "friends", launched, None, True),
        ("first", "referrals", "live", "", "friends", launched, None, True),
        (
            "spring", "offers", "live", "offer", "",
            datetime(2020, 5, 2, tzinfo=UTC), datetime(2020, 5, 4, tzinfo=UTC), False,
        ),
        ("summer", "offers", "draft", "", "", None, None, False),
    ] == [
        (one.name, one.kind, one.status, one.offer, one.program, one.start, one.end, one.is_open) for one in found
    ]  # fmt: skip
    assert [(None, 0), (2, 1), (None, 0), (None, 0)] == [(one.cap, one.reserved + one.confirmed) for one in found]
    for kind in ("offers", "referrals"):
        assert tuple(one for one in found if one.kind == kind) == kit.ask(rk.Campaigns(kind))
    with pytest.raises(rk.ValidationError, match="a campaign's kind is one of `offers`, `referrals`, not `referral`"):
        kit.ask(rk.Campaigns("referral"))


def test_a_campaign_is_open_from_its_start_up_to_its_end_but_for_pauses(kit: rk.RewardKit, clock: FakeClock) -> None:
    def open_ones() -> set[str]:
        return {one.name for one in kit.ask(rk.Campaigns()) if one.is_open}

    kit.run(rk.DefineCampaign("double", program="friends", start="2020-05-02", end="2020-05-03"))
    kit.run(rk.LaunchCampaign("double"))
    found = []
    for instant in ("2020-05-01T23:59:59.999999Z", "2020-05-02T00:00:00Z", "2020-05-03T23:59:59.999999Z", "2020-05-04"):
        clock.set(instant if "T" in instant else f"{instant}T00:00:00Z")
        found.append({"spring", "double"} & open_ones())
    assert [set(), {"spring", "double"}, {"spring", "double"}, set()] == found
    kit.run(rk.PauseCampaign("first"))
    assert {"always"} == open_ones()
    kit.run(rk.ResumeCampaign("first"))
    assert {"always", "first"} == open_ones()


def test_a_shell_lists_them_as_columns_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    assert 0 == main(["campaigns", "--store", store])
    assert ("", "0 campaigns, 0 open now\n") == capsys.readouterr()
    with rk.RewardKit(store, clock=FakeClock("2020-05-01T00:00:00Z")) as kit:
        define(kit)
        kit.run(rk.MakeReferral("first", sender="sue", recipient="rob"))
    assert 0 == main(["campaigns", "--store", store])
    out, err = capsys.readouterr()
    assert ["name", "always", "first", "spring", "summer"] == [line.split()[0] for line in out.splitlines()]
    first, summer = out.splitlines()[2], out.splitlines()[4]
    assert "referrals live yes 2020-05-01T00:00:00Z - 1 of 2 friends".split() == first.split()[1:]
    assert "offers draft no - - 0.00 of 10.00 x".split() == summer.split()[1:]
    assert "4 campaigns, 2 open now\n" == err
    assert 0 == main(["campaigns", "--json", "--kind", "offers", "--store", store])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [("spring", "2020-05-04T00:00:00Z"), ("summer", None)] == [(one["name"], one["end"]) for one in lines]


def test_a_campaign_of_the_other_kind_is_named_as_such_with_what_to_do(kit: rk.RewardKit) -> None:
    commands: tuple[tuple[rk.Command[object], str], ...] = (
        (rk.MakeOffer("always", "sue"), "`always` is one of referrals: make a referral by it, with `MakeReferral`"),
        (rk.MakeReferral("spring", "sue", "rob"), "`spring` is one of offers: make its offer, with `MakeOffer`"),
    )
    for command, said in commands:
        refused = kit.attempt(command)
        assert isinstance(refused, rk.Refused)
        assert ("campaign_of_other_kind", f"campaign {said}") == (refused.code, refused.sentence)
    for name, said in (("friends", "`friends` is a referral program"), ("offer", "`offer` is an offer")):
        refused = kit.attempt(rk.PauseCampaign(name))
        assert isinstance(refused, rk.Refused)
        assert ("campaign_unknown", f"{said} and no campaign: name a campaign") == (refused.code, refused.sentence)
