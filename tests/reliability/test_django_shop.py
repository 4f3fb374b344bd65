"""The Django example, killed by SIGKILL while it takes orders: an order and its reward are both there, or neither is.

Its server is started as a process of its own, forks workers, and each of them dies at a point that its seed gives:
at one of all calls, around a statement, or at any moment. Whoever is not answered repeats the order.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.parse
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rewardkit.testing.killed_shop import KilledShop, require_kills, take_orders

EXAMPLE = Path(__file__).parents[2] / "examples" / "django_shop"

LEFT = """
SELECT 'order', buyer FROM shop_order
UNION ALL SELECT 'event', "user" FROM rewardkit_event WHERE name = 'Purchase Completed'
UNION ALL SELECT 'grant', "user" FROM rewardkit_grant
UNION ALL SELECT 'notice', "user" FROM rewardkit_notice WHERE kind = 'grant.ready'
"""
"""In one statement, so that it sees one state of the database."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")


class Shop(KilledShop):
    """The example with its database, as somebody who follows its instructions has it."""

    SERVER = Path(__file__).with_name("django_shop_server.py")
    SEED = 20_260
    PLACE = EXAMPLE

    def __init__(self, store: str, folder: Path, connect: Callable[[], Any]) -> None:
        super().__init__(store, folder, connect)
        for words in (["manage.py", "migrate"], ["-m", "rewardkit", "load", "campaigns.toml"]):
            subprocess.run(
                [sys.executable, *words], check=True, capture_output=True, cwd=EXAMPLE, env=self.surroundings
            )

    def order(self, place: int) -> int:
        """As a customer who comes for the first time."""
        number = self.number(place)
        body = urllib.parse.urlencode({"number": number, "buyer": f"buyer {number}", "amount": "24.50"})
        return self.post(body, "application/x-www-form-urlencoded")

    def number(self, place: int) -> str:
        return str(place + 1)

    def check(self) -> set[str]:
        """Every order has one event, one reward and one notice of it, and none of them is without an order."""
        left: dict[str, Counter[str]] = {kind: Counter() for kind in ("order", "event", "grant", "notice")}
        for kind, buyer in self.rows(LEFT):
            left[kind][buyer] += 1
        orders = left["order"]
        assert orders == left["event"]
        assert orders == left["grant"]
        assert orders == left["notice"]
        assert set(orders.values()) <= {1}
        return {buyer.removeprefix("buyer ") for buyer in orders}


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Shop:
    return Shop.on_sqlite(tmp_path)


def test_an_order_and_its_reward_are_both_there_or_neither_on_sqlite(
    on_sqlite: Shop, scale: float, record_property: Callable[[str, object], None]
) -> None:
    require_kills(on_sqlite, max(20, round(1_000 * scale)), record_property, between=20, after=20)


def test_an_order_and_its_reward_are_both_there_or_neither_on_postgresql(
    fresh_postgres: Callable[[], str], tmp_path: Path, scale: float, record_property: Callable[[str, object], None]
) -> None:
    shop = Shop.on_postgresql(fresh_postgres(), tmp_path)
    require_kills(shop, max(15, round(300 * scale)), record_property, between=20, after=20)


def test_the_check_catches_a_reward_that_is_given_after_the_commit(on_sqlite: Shop) -> None:
    with pytest.raises(AssertionError, match="Counter"):
        take_orders(on_sqlite, 200, "torn")
