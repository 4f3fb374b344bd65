"""An entry condition that a later version takes away, and a still later one gives back."""

from __future__ import annotations

from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.random_commands import LINTS
from rewardkit.testing.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


def define(shop: Shop, entry: str | None, **terms: Any) -> None:
    shop.kit.run(rk.DefineCampaign("c", "c", entry=entry, acknowledge=LINTS, **terms))


@pytest.mark.parametrize("seen_meanwhile", [True, False])
@pytest.mark.parametrize("entry", ["E", "E then no C within 20s"])
def test_what_has_made_an_entry_makes_no_other(shop: Shop, entry: str, *, seen_meanwhile: bool) -> None:
    shop.campaign("A", entry, reentry="after_earning")
    for second, name in enumerate("EZA"):
        shop.at(second * 30)
        shop.emit(name)
    assert [("earned", 20 if "no" in entry else 0)] == shop.offers()
    define(shop, None, reentry="after_earning")
    if seen_meanwhile:
        shop.at(100)
        shop.emit("Z")
    define(shop, "E", reentry="after_earning")
    shop.at(200)
    assert () == shop.emit("Z").entered
    assert 1 == len(shop.emit("E").entered)


def test_what_is_earned_meanwhile_begins_anew_where_it_was_earned(shop: Shop) -> None:
    shop.campaign("A", "E", reentry="after_earning")
    shop.emit("E")
    define(shop, None, reentry="after_earning")
    for second, name in ((1, "E"), (2, "A"), (3, "E")):
        shop.at(second)
        shop.emit(name)
    define(shop, "E", reentry="after_earning")
    shop.at(4)
    shop.emit("Z")
    assert [("earned", 0), ("active", 3)] == shop.offers()


@pytest.mark.parametrize("seen_meanwhile", [True, False])
def test_who_was_not_admitted_then_is_not_admitted_for_it_later(shop: Shop, *, seen_meanwhile: bool) -> None:
    shop.campaign("A", "E", audience="B")
    shop.emit("E")
    define(shop, None, audience="B")
    if seen_meanwhile:
        shop.at(1)
        shop.emit("Z")
    define(shop, "E", audience="!C")
    shop.at(2)
    assert () == shop.emit("Z").entered
    assert 1 == len(shop.emit("E").entered)


@pytest.mark.parametrize("seen_meanwhile", [True, False])
def test_who_waited_for_the_start_of_what_is_gone_is_judged_anew(shop: Shop, *, seen_meanwhile: bool) -> None:
    shop.campaign("A", "E", start=shop.second(10))
    shop.emit("E", 1)
    define(shop, None, start=shop.second(10))
    if seen_meanwhile:
        shop.at(2)
        shop.emit("Z")
    define(shop, "E", start=shop.second(10), audience="B")
    shop.at(5)
    shop.emit("B")
    shop.at(20)
    (made,) = shop.emit("Z").entered
    assert shop.second(10) == made.made_at.replace(tzinfo=shop.second(10).tzinfo)


def test_who_could_never_enter_by_a_condition_that_is_gone_may_by_one_with_an_audience(shop: Shop) -> None:
    shop.campaign("A", "E & !C")
    shop.emit("C")
    define(shop, "B", audience="!D")
    assert 1 == len(shop.emit("B").entered)
