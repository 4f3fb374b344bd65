"""The Django example, killed by SIGKILL while it takes orders: an order and its reward are both there, or neither is.

Its server is started as a process of its own, forks workers, and each of them dies at a point that its seed gives:
at one of all calls, around a statement, or at any moment. Whoever is not answered repeats the order.
"""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "django_shop"
SERVER = Path(__file__).with_name("django_shop_server.py")
SEED = 20_260
MOST_TRIES = 100
"""Of one order: half of all workers live for two, so it is a server that is gone that answers none of so many."""

LEFT = """
SELECT 'order', buyer FROM shop_order
UNION ALL SELECT 'event', "user" FROM rewardkit_event WHERE name = 'Purchase Completed'
UNION ALL SELECT 'grant', "user" FROM rewardkit_grant
UNION ALL SELECT 'notice', "user" FROM rewardkit_notice WHERE kind = 'grant.ready'
"""
"""In one statement, so that it sees one state of the database."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")


class Shop:
    """The example with its database, as somebody who follows its instructions has it."""

    def __init__(self, store: str, folder: Path, connect: Callable[[], Any]) -> None:
        self._folder = folder
        self._connect = connect
        self._surroundings = os.environ | {"REWARDKIT_STORE": store, "PYTHONPATH": str(ROOT / "src")}
        self._surroundings["PYTHONDONTWRITEBYTECODE"] = "1"
        self._port = 0
        for words in (["manage.py", "migrate"], ["-m", "rewardkit", "load", "campaigns.toml"]):
            subprocess.run(
                [sys.executable, *words], check=True, capture_output=True, cwd=EXAMPLE, env=self._surroundings
            )

    @contextmanager
    def open(self, *words: str) -> Iterator[list[Any]]:
        """Serve; afterwards the list holds what the server told."""
        told: list[Any] = []
        path = self._folder / "told"
        with path.open("wb") as out, (self._folder / "log").open("wb") as log:
            command = [sys.executable, str(SERVER), str(SEED), *words]
            server = subprocess.Popen(command, cwd=EXAMPLE, env=self._surroundings, stdout=out, stderr=log)
            try:
                while not (lines := path.read_text().splitlines()):
                    assert server.poll() is None
                    time.sleep(0.02)
                self._port = int(lines[0])
                yield told
            finally:
                server.terminate()
                server.wait()
        told += [json.loads(line) for line in path.read_text().splitlines()[1:]]

    def order(self, number: str) -> int:
        """Order once, as a customer who comes for the first time; 0 where nobody answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with closing(connection):
            body = urllib.parse.urlencode({"number": number, "buyer": f"buyer {number}", "amount": "24.50"})
            try:
                connection.request("POST", "/orders", body, {"Content-Type": "application/x-www-form-urlencoded"})
                status = connection.getresponse().status
            except (http.client.HTTPException, ConnectionError):
                return 0
        assert status in (200, 201)
        return status

    def left(self) -> dict[str, Counter[str]]:
        """Whose orders are there, and whose events, grants and notices."""
        found: dict[str, Counter[str]] = {kind: Counter() for kind in ("order", "event", "grant", "notice")}
        with closing(self._connect()) as connection:
            for kind, buyer in connection.execute(LEFT).fetchall():
                found[kind][buyer] += 1
        return found


def check(shop: Shop) -> set[str]:
    """Every order has one event, one reward and one notice of it, and none of them is without an order."""
    left = shop.left()
    orders = left["order"]
    assert orders == left["event"]
    assert orders == left["grant"]
    assert orders == left["notice"]
    assert set(orders.values()) <= {1}
    return {buyer.removeprefix("buyer ") for buyer in orders}


def take_orders(shop: Shop, kills: int, *words: str) -> Counter[str]:
    """Orders, each repeated until it is answered, until so many workers were killed."""
    tally: Counter[str] = Counter()
    answered: set[str] = set()
    with shop.open(*words) as told:
        while tally["not answered"] < kills:
            number = str(len(answered) + 1)
            known = False
            tries = 0
            while not shop.order(number):
                tries += 1
                assert tries < MOST_TRIES
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
    assert tally["killed between the order and the commit"] >= kills / 20
    assert tally["killed after the commit"] >= kills / 20


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


def test_the_check_catches_a_reward_that_is_given_after_the_commit(on_sqlite: Shop) -> None:
    with pytest.raises(AssertionError, match="Counter"):
        take_orders(on_sqlite, 200, "torn")
