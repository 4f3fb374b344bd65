"""The first and the last instants that a definition can name, the same in campaigns, pools and files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.requests.commands import Command

SPAN = "lies outside the years 1970 to 2254"
LEAVE_OUT = ": an end that never comes is left out"

Define = Callable[[str, Any], Command[Any]]
DEFINITIONS: dict[str, Define] = {
    "offers' end": lambda name, at: rk.DefineCampaign(name, "offer", end=at),
    "offers' start": lambda name, at: rk.DefineCampaign(name, "offer", start=at),
    "referrals' end": lambda name, at: rk.DefineCampaign(name, program="friends", end=at),
    "referrals' start": lambda name, at: rk.DefineCampaign(name, program="friends", start=at),
    "valid_from": lambda name, at: rk.CreatePool(name, valid_from=at),
    "valid_until": lambda name, at: rk.DefinePool(name, valid_until=at),
}


@pytest.fixture
def kit() -> rk.RewardKit:
    kit = rk.RewardKit(":memory:")
    kit.run(rk.DefineReward("five"))
    kit.run(rk.DefineOffer("offer", "five", "A"))
    kit.run(rk.DefineReferralProgram("friends", "five", "five", "A"))
    return kit


@pytest.mark.parametrize("define", DEFINITIONS.values(), ids=DEFINITIONS)
@pytest.mark.parametrize(
    "at",
    [date(2254, 12, 31), "2254-12-31", "2255-01-01T00:00:00Z", datetime(2255, 1, 1, tzinfo=UTC), "1970-01-01"],
    ids=str,
)
def test_what_lies_within_is_kept(kit: rk.RewardKit, define: Define, at: object) -> None:
    assert kit.run(define("here", at)).name == "here"


@pytest.mark.parametrize("define", DEFINITIONS.values(), ids=DEFINITIONS)
@pytest.mark.parametrize(
    "at, said",
    [
        ("2255-01-01", f"`2255-01-01` {SPAN}{LEAVE_OUT}"),
        ("2255-01-01T00:00:00.000001Z", f"`2255-01-01T00:00:00.000001Z` {SPAN}{LEAVE_OUT}"),
        (date(9999, 12, 31), f"`9999-12-31` {SPAN}{LEAVE_OUT}"),
        ("9999-12-31T23:59:59Z", f"`9999-12-31T23:59:59Z` {SPAN}{LEAVE_OUT}"),
        (10**18, f"an instant {SPAN}{LEAVE_OUT}"),
        (10**9_000, f"an instant {SPAN}{LEAVE_OUT}"),
        ("1969-12-31", f"`1969-12-31` {SPAN}"),
        (-5, f"`-5` {SPAN}"),
    ],
    ids=lambda value: "" if isinstance(value, int) else str(value),
)
def test_what_lies_beyond_is_refused_with_the_bound(kit: rk.RewardKit, define: Define, at: object, said: str) -> None:
    with pytest.raises(rk.ValidationError) as refused:
        kit.run(define("here", at))
    assert said == str(refused.value)


@pytest.mark.parametrize("at", ["2255-01-01", '"9999-12-31"', "9999-12-31T00:00:00Z"])
@pytest.mark.parametrize("table", ["campaigns.here]\noffer = 'offer'\nend", "pools.here]\nvalid_until"])
def test_a_file_says_where(kit: rk.RewardKit, tmp_path: Path, table: str, at: str) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(f"[{table} = {at}\n", encoding="utf-8")
    with pytest.raises(rk.ValidationError, match=f"{SPAN}{LEAVE_OUT}") as refused:
        kit.load(file)
    assert str(refused.value).startswith(f"{file}:{2 if 'pools' in table else 3}: [")
