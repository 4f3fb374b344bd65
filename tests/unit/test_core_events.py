"""What an event says, and the sentence that the language began with, by the way of offers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings

import rewardkit as rk
from rewardkit.language.event import Event, rfc3339
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.shop import Shop
from rewardkit.testing.strategies import START, histories

BASKET = {"total": Decimal("18.00"), "lines": [{"sku": "fries", "quantity": 2}]}


def test_an_event_says_who_did_what_when_and_with_which_data_and_perhaps_under_which_id() -> None:
    shop = Shop()
    shop.campaign('"Purchase Completed"[total >= 18]')
    for user in ("amanda", "bea", "cleo"):
        shop.kit.run(rk.MakeOffer("c", user))
    shop.at(100)
    given = shop.kit.emit(
        "Purchase Completed", user="amanda", at="2026-01-01T02:00:30+02:00", id="order-1", properties=BASKET
    )
    assert ("order-1",) == given.event_ids
    assert [("amanda", datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC))] == [
        (one.user, one.earned_at) for one in given.earned
    ]
    left_out = shop.kit.emit("Purchase Completed", user="bea", properties=BASKET)
    assert [("bea", shop.second(100))] == [(one.user, one.earned_at) for one in left_out.earned]
    assert left_out.event_ids not in ((), ("",))
    assert () == shop.kit.emit("Purchase Completed", user="cleo").earned


@pytest.mark.parametrize(
    "names, grants",
    [
        ("A", False),
        ("AA", True),
        ("B", True),
        ("AB", True),
        ("C", False),
        ("CAA", False),
        ("CB", False),
        ("ACA", False),
    ],
)
def test_two_of_one_or_one_of_another_and_none_of_a_third_before(names: str, grants: int) -> None:
    shop = Shop()
    shop.campaign("(A*2 | B) & !C")
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    for second, name in enumerate(names, 1):
        shop.at(second)
        shop.emit(name)
    assert grants == len(shop.kit.ready())


def test_once_is_the_event_itself() -> None:
    kit = Shop().kit
    assert kit.run(rk.DefineOffer("o", "disc", "B*1")).new
    assert not kit.run(rk.DefineOffer("o", "disc", "B")).new


@settings(max_examples=25)
@given(histories(names=("A", "B", "C"), user="amanda"))
def test_a_drawn_history_of_a_user_can_be_emitted_as_it_is(events: list[Event]) -> None:
    kit = rk.RewardKit(clock=FakeClock(START))
    assert tuple(event.id for event in events) == kit.emit_many(events).event_ids
    assert {"amanda"} >= {event.user for event in events}
    assert rfc3339(START) == "2024-01-01T00:00:00Z"
