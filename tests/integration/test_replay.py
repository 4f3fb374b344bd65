"""A replay says what a plain computation over the same file says: the same users, the same instants, every campaign."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from rewardkit.cli import main

ROOT = Path(__file__).parents[2]
CAMPAIGNS = ROOT / "examples" / "music_shop.toml"
SAMPLE = ROOT / "examples" / "music_shop.csv"
REAL = ROOT.parent / "shared" / "data" / "cdnow_sample.csv"

START = datetime(1997, 3, 1, 5, tzinfo=UTC)  # the first instant of 1 March 1997 in New York
END = datetime(1998, 1, 1, 5, tzinfo=UTC)  # the end of 31 December 1997 there


class Purchase(NamedTuple):
    at: datetime
    id: str
    quantity: int
    amount: Decimal


class Earning(NamedTuple):
    at: datetime
    events: tuple[str, ...]


Rule = Callable[[list[Purchase], datetime], "Earning | None"]


def purchases(path: Path) -> dict[str, list[Purchase]]:
    found: dict[str, list[Purchase]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["at"])
            one = Purchase(at, row["id"], int(row["quantity"]), Decimal(row["amount"]))
            found.setdefault(row["user"], []).append(one)
    return {user: sorted(mine) for user, mine in found.items()}


def third_purchase(mine: list[Purchase], last: datetime) -> Earning | None:
    return Earning(mine[2].at, (mine[1].id, mine[2].id)) if len(mine) > 2 else None


def big_spender(mine: list[Purchase], last: datetime) -> Earning | None:
    big = [one for one in mine if one.amount >= 100]
    return Earning(big[1].at, (big[1].id,)) if len(big) > 1 else None


def second_within_a_month(mine: list[Purchase], last: datetime) -> Earning | None:
    if len(mine) > 1 and mine[1].at - mine[0].at < timedelta(days=30):
        return Earning(mine[1].at, (mine[1].id,))
    return None


def come_back(mine: list[Purchase], last: datetime) -> Earning | None:
    over = mine[0].at + timedelta(days=90)
    if over > last or (len(mine) > 1 and mine[1].at < over):
        return None
    return Earning(over, ())


def from_basket_to_fifty(mine: list[Purchase], last: datetime) -> Earning | None:
    baskets = [one for one in mine if one.quantity >= 3]
    if not baskets or baskets[0].at >= END:
        return None
    if baskets[0].at >= START:
        made, later = baskets[0].at, mine[mine.index(baskets[0]) + 1 :]
    else:
        made, later = START, [one for one in mine if one.at >= START]
    for one in later:
        if one.amount >= 50 and one.at - made < timedelta(days=60):
            return Earning(one.at, (one.id,))
    return None


RULES: dict[str, Rule] = {
    "third-purchase": third_purchase,
    "big-spender": big_spender,
    "second-within-a-month": second_within_a_month,
    "come-back": come_back,
    "from-basket-to-fifty": from_basket_to_fifty,
}


def expected(path: Path) -> dict[str, dict[str, Earning]]:
    shop = purchases(path)
    last = max(mine[-1].at for mine in shop.values())
    return {
        name: {user: earning for user, mine in shop.items() if (earning := rule(mine, last)) is not None}
        for name, rule in RULES.items()
    }


def replayed(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Earning]]:
    assert 0 == main(["replay", "--json", "--campaigns", str(CAMPAIGNS), str(path)])
    found: dict[str, dict[str, Earning]] = {name: {} for name in RULES}
    places = []
    for line in capsys.readouterr().out.splitlines():
        row = json.loads(line)
        places.append((row["earned_at"], row["user"], row["campaign"]))
        assert row["user"] not in found[row["campaign"]]
        found[row["campaign"]][row["user"]] = Earning(datetime.fromisoformat(row["earned_at"]), tuple(row["event_ids"]))
    assert sorted(places) == places
    return found


def test_the_sample_replays_as_computed_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = expected(SAMPLE)
    assert all(wanted.values())
    assert wanted == replayed(SAMPLE, capsys)


def test_the_sample_stands_on_every_edge() -> None:
    shop = purchases(SAMPLE)
    gaps = {mine[1].at - mine[0].at for mine in shop.values() if len(mine) > 1}
    assert {timedelta(days=30), timedelta(days=30, seconds=-1), timedelta(days=90), timedelta(0)} <= gaps


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data/cdnow_sample.csv is not here")
def test_the_real_shop_replays_as_computed_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    shop = purchases(REAL)
    tied = [user for user, mine in shop.items() if len({one.at for one in mine}) < len(mine)]
    assert 118 == len(tied)
    wanted = expected(REAL)
    assert all(len(earnings) > 40 for earnings in wanted.values())
    assert wanted == replayed(REAL, capsys)
