"""The FastAPI example under uvicorn, killed by SIGKILL while it takes orders: an order and its reward, or neither.

Its server is started as a process of its own, forks workers, and each of them dies at a point that its seed gives:
at a statement of the shop's or of ours, at one of all calls, or at any moment. Whoever is not answered repeats the
order; every buyer orders twice, and earns with the second.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rewardkit.testing.killed_shop import KilledShop, require_kills, take_orders

LEFT = """
SELECT 'order', buyer, number FROM orders
UNION ALL SELECT 'event', "user", id FROM rewardkit_event
UNION ALL SELECT 'entered', "user", '1' FROM rewardkit_user_offer WHERE campaign = 'second-within-a-month'
UNION ALL SELECT 'earned', "user", '2' FROM rewardkit_grant
UNION ALL SELECT 'told of', "user", '2' FROM rewardkit_notice WHERE kind = 'grant.ready'
"""
"""In one statement, so that it sees one state of the database."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")


class Shop(KilledShop):
    """The example over a database."""

    SERVER = Path(__file__).with_name("fastapi_shop_server.py")
    SEED = 20_260

    def order(self, place: int) -> int:
        """As a buyer who orders for the first time, or for the second."""
        body = json.dumps({"number": self.number(place), "buyer": f"buyer {place // 2}", "amount": "24.50"})
        return self.post(body, "application/json")

    def number(self, place: int) -> str:
        return f"order {place}"

    def check(self) -> set[str]:
        """Every order has its event and what follows from it, once; nothing is there without an order."""
        left: dict[str, Counter[tuple[str, str]]] = {
            kind: Counter() for kind in ("order", "event", "entered", "earned", "told of")
        }
        for kind, buyer, number in self.rows(LEFT):
            left[kind][buyer, number] += 1
        orders = left["order"]
        assert orders == left["event"]
        times = Counter(buyer for buyer, _ in orders)
        assert left["entered"] == Counter({(buyer, "1"): 1 for buyer in times})
        assert left["earned"] == Counter({(buyer, "2"): 1 for buyer, count in times.items() if count == 2})
        assert left["earned"] == left["told of"]
        return {number for _, number in orders}


@pytest.fixture
def on_postgresql(fresh_postgres: Callable[[], str], tmp_path: Path) -> Shop:
    return Shop.on_postgresql(fresh_postgres(), tmp_path)


def test_an_order_and_its_reward_are_both_there_or_neither_on_sqlite(
    tmp_path: Path, scale: float, record_property: Callable[[str, object], None]
) -> None:
    shop = Shop.on_sqlite(tmp_path)
    require_kills(shop, max(20, round(1_000 * scale)), record_property, between=10, after=30)


def test_an_order_and_its_reward_are_both_there_or_neither_on_postgresql(
    on_postgresql: Shop, scale: float, record_property: Callable[[str, object], None]
) -> None:
    require_kills(on_postgresql, max(15, round(300 * scale)), record_property, between=10, after=30)


def test_the_check_catches_a_reward_that_has_a_transaction_of_its_own(on_postgresql: Shop) -> None:
    with pytest.raises(AssertionError, match="Counter"):
        take_orders(on_postgresql, 200, "torn")
