"""Ordering at a shop whose server's workers are killed: an order and what it earns are both there, or neither is.

Whoever is not answered looks at what is there, and repeats the order.
"""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import rewardkit

MOST_TRIES: Final = 100
"""Of one order: half of all workers live for two, so it is a server that is gone that answers none of so many.

As many orders in a row that are answered at once come from a server that kills nobody.
"""


class KilledShop(ABC):
    """An example with its database and its server, whose workers `rewardkit.testing.killed_workers` kills.

    Args:
        store: what `RewardKit` is given.
        folder: for what the server tells.
        connect: to the database, with a driver.
    """

    SERVER: ClassVar[Path]
    """A script, which is given the seed and `open`'s words."""
    SEED: ClassVar[int]
    PLACE: ClassVar[Path | None] = None
    """Where the server is started."""

    def __init__(self, store: str, folder: Path, connect: Callable[[], Any]) -> None:
        self._folder = folder
        self._connect = connect
        source = Path(rewardkit.__file__).parents[1]
        self.surroundings = os.environ | {"REWARDKIT_STORE": store, "PYTHONPATH": str(source)}
        self.surroundings["PYTHONDONTWRITEBYTECODE"] = "1"
        self._port = 0

    @classmethod
    def on_sqlite(cls, folder: Path) -> Self:
        """A shop with a file of its own."""
        path = folder / "shop.db"
        return cls(f"sqlite:///{path}", folder, lambda: sqlite3.connect(path))

    @classmethod
    def on_postgresql(cls, dsn: str, folder: Path) -> Self:
        """A shop with an empty database."""
        import psycopg

        return cls(dsn, folder, lambda: psycopg.connect(dsn))

    @abstractmethod
    def order(self, place: int) -> int:
        """Make the order that is next after so many; the answer's status, 0 where nobody answered."""

    @abstractmethod
    def number(self, place: int) -> str:
        """What that order is known by."""

    @abstractmethod
    def check(self) -> set[str]:
        """The numbers of all orders that are there.

        Raises:
            AssertionError: something follows from an order that is not there, or does not follow from one that is.
        """

    @contextmanager
    def open(self, *words: str) -> Iterator[list[Any]]:
        """Serve; afterwards the list holds what the server told."""
        told: list[Any] = []
        path, log = self._folder / "told", self._folder / "log"
        with path.open("wb") as out, log.open("wb") as errors:
            command = [sys.executable, str(self.SERVER), str(self.SEED), *words]
            server = subprocess.Popen(  # noqa: S603 - this very interpreter
                command, cwd=self.PLACE, env=self.surroundings, stdout=out, stderr=errors
            )
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

    def post(self, body: str, kind: str) -> int:
        """Post an order of this content type; 0 where nobody answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with closing(connection):
            try:
                connection.request("POST", "/orders", body, {"Content-Type": kind})
                status = connection.getresponse().status
            except (http.client.HTTPException, ConnectionError):
                return 0
        assert status in (200, 201)
        return status

    def rows(self, statement: str) -> list[Any]:
        """What is there, read by one statement, so that it is one state of the database."""
        with closing(self._connect()) as connection:
            return list(connection.execute(statement).fetchall())


def take_orders(shop: KilledShop, kills: int, *words: str) -> Counter[str]:
    """Orders, each repeated until it is answered, until so many workers were killed; how it went.

    Raises:
        AssertionError: what is there after a kill, or at the end, is not what was answered.
    """
    tally: Counter[str] = Counter()
    answered: set[str] = set()
    unharmed = 0
    with shop.open(*words) as told:
        while tally["not answered"] < kills:
            place = len(answered)
            number = shop.number(place)
            known = False
            tries = 0
            while not shop.order(place):
                tries += 1
                assert tries < MOST_TRIES
                there = shop.check()
                assert there == answered | ({number} if known or number in there else set())
                known = number in there
                tally["not answered"] += 1
                tally["not answered, and committed"] += known
            unharmed = 0 if tries else unharmed + 1
            assert unharmed < MOST_TRIES, "nobody kills the workers"
            answered.add(number)
            tally["answered"] += 1
        assert shop.check() == answered
    for death in told:
        tally[f"killed {death['phase']}"] += 1
        tally[f"killed at a {death['at a']}"] += 1
    tally["places"] = len({death["where"] for death in told})
    return tally


def require_kills(
    shop: KilledShop, kills: int, record: Callable[[str, object], None], *, between: int, after: int
) -> None:
    """Take orders; fail a run that proves nothing, and keep its figures.

    Args:
        shop: where.
        kills: how many workers at least.
        record: is given the figures.
        between: of so many kills at least one has to come between the order and its commit.
        after: the same of kills after the commit.
    """
    began = time.monotonic()
    tally = take_orders(shop, kills)
    seconds, figures = round(time.monotonic() - began), json.dumps(dict(sorted(tally.items())))
    print(f"\nseed {shop.SEED}, {seconds} s: {figures}")  # noqa: T201 - a long run says how it went
    record("tally", dict(tally))
    assert tally["killed between the order and the commit"] >= kills / between
    assert tally["killed after the commit"] >= kills / after
