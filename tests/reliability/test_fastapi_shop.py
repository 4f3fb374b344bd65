"""The FastAPI example under uvicorn, killed by SIGKILL while it takes orders: an order and its reward, or neither.

Its server is started as a process of its own, forks workers, and each of them dies at a point that its seed gives:
at a statement of the shop's or of ours, at one of all calls, or at any moment. Whoever is not answered repeats the
order; every buyer orders twice, and earns with the second.
"""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("fastapi_shop_server.py")
SEED = 20_260

LEFT = """
SELECT 'order', buyer, number FROM orders
UNION ALL SELECT 'event', "user", id FROM rewardkit_event
UNION ALL SELECT 'entered', "user", '1' FROM rewardkit_user_offer WHERE campaign = 'second-within-a-month'
UNION ALL SELECT 'earned', "user", '2' FROM rewardkit_grant
UNION ALL SELECT 'told of', "user", '2' FROM rewardkit_notice WHERE kind = 'grant.ready'
"""
"""In one statement, so that it sees one state of the database."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")


class Shop:
    """The example over a database."""

    def __init__(self, store: str, folder: Path, connect: Callable[[], Any]) -> None:
        self._folder = folder
        self._connect = connect
        self._surroundings = os.environ | {"REWARDKIT_STORE": store, "PYTHONPATH": str(ROOT / "src")}
        self._surroundings["PYTHONDONTWRITEBYTECODE"] = "1"
        self._port = 0

    @contextmanager
    def open(self, *words: str) -> Iterator[list[Any]]:
        """Serve; afterwards the list holds what the server told."""
        told: list[Any] = []
        path, log = self._folder / "told", self._folder / "log"
        with path.open("wb") as out, log.open("wb") as errors:
            command = [sys.executable, str(SERVER), str(SEED), *words]
            server = subprocess.Popen(command, env=self._surroundings, stdout=out, stderr=errors)
            try:
                while not (lines := path.read_text().splitlines()):
                    assert server.poll() is None, log.read_text()
                    time.sleep(0.02)
                self._port = int(lines[0])
                yield told
                assert server.poll() is None, log.read_text()
            finally:
                server.terminate()
                server.wait()
        told += [json.loads(line) for line in path.read_text().splitlines()[1:]]

    def order(self, buyer: str, number: str) -> int:
        """Order once; 0 where nobody answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with closing(connection):
            body = json.dumps({"number": number, "buyer": buyer, "amount": "24.50"})
            try:
                connection.request("POST", "/orders", body, {"Content-Type": "application/json"})
                status = connection.getresponse().status
            except (http.client.HTTPException, ConnectionError):
                return 0
        assert status in (200, 201)
        return status

    def left(self) -> dict[str, Counter[tuple[str, str]]]:
        """What is there, by kind: the buyer, and the order or its place among the buyer's."""
        found: dict[str, Counter[tuple[str, str]]] = {
            kind: Counter() for kind in ("order", "event", "entered", "earned", "told of")
        }
        with closing(self._connect()) as connection:
            for kind, buyer, number in connection.execute(LEFT).fetchall():
                found[kind][buyer, number] += 1
        return found


def check(shop: Shop) -> set[str]:
    """Every order has its event and what follows from it, once; nothing is there without an order."""
    left = shop.left()
    orders = left["order"]
    assert orders == left["event"]
    times = Counter(buyer for buyer, _ in orders)
    assert left["entered"] == Counter({(buyer, "1"): 1 for buyer in times})
    assert left["earned"] == Counter({(buyer, "2"): 1 for buyer, count in times.items() if count == 2})
    assert left["earned"] == left["told of"]
    return {number for _, number in orders}


def take_orders(shop: Shop, kills: int, *words: str) -> Counter[str]:
    """Orders, each repeated until it is answered, until so many workers were killed."""
    tally: Counter[str] = Counter()
    answered: set[str] = set()
    with shop.open(*words) as told:
        while tally["not answered"] < kills:
            place = len(answered)
            buyer, number = f"buyer {place // 2}", f"order {place}"
            known = False
            while not shop.order(buyer, number):
                there = check(shop)
                assert there == answered | ({number} if known or number in there else set())
                known = number in there
                tally["not answered"] += 1
                tally["not answered, and committed"] += known
            answered.add(number)
            tally["answered"] += 1
        assert check(shop) == answered
    for death in told:
        tally[f"killed {death['phase']}"] += 1
        tally[f"killed at a {death['at a']}"] += 1
    tally["places"] = len({death["where"] for death in told})
    return tally


def told(tally: Counter[str], began: float, record: Callable[[str, object], None], kills: int) -> None:
    """Fail a run that proves nothing; keep its figures."""
    print(f"\nseed {SEED}, {time.monotonic() - began:.0f} s: {json.dumps(dict(sorted(tally.items())))}")
    record("tally", dict(tally))
    assert tally["killed between the order and the commit"] >= kills / 10
    assert tally["killed after the commit"] >= kills / 30


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Shop:
    path = tmp_path / "shop.db"
    return Shop(f"sqlite:///{path}", tmp_path, lambda: sqlite3.connect(path))


@pytest.fixture
def on_postgresql(fresh_postgres: Callable[[], str], tmp_path: Path) -> Shop:
    dsn = fresh_postgres()
    return Shop(dsn, tmp_path, lambda: psycopg.connect(dsn))


def test_an_order_and_its_reward_are_both_there_or_neither_on_sqlite(
    on_sqlite: Shop, scale: float, record_property: Callable[[str, object], None]
) -> None:
    began, kills = time.monotonic(), max(20, round(1_000 * scale))
    told(take_orders(on_sqlite, kills), began, record_property, kills)


def test_an_order_and_its_reward_are_both_there_or_neither_on_postgresql(
    on_postgresql: Shop, scale: float, record_property: Callable[[str, object], None]
) -> None:
    began, kills = time.monotonic(), max(15, round(300 * scale))
    told(take_orders(on_postgresql, kills), began, record_property, kills)


def test_the_check_catches_a_reward_that_has_a_transaction_of_its_own(on_postgresql: Shop) -> None:
    with pytest.raises(AssertionError, match="Counter"):
        take_orders(on_postgresql, 200, "torn")
