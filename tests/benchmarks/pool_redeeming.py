"""Redeeming by code with few codes there and with many: `python tests/benchmarks/pool_redeeming.py > table.md`.

Both pools are redeemed from by turns, code after code drawn at random, so that what else the machine does hits both.
The codes are written into the tables in bulk, since filling is not what is measured; all of them have been issued.
`REWARDKIT_SCALE` multiplies the larger pool, five million codes.
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
from emit import postgres
from pool_issuing import blocks

import rewardkit as rk

FEW = 5_000
MANY = int(5_000_000 * float(os.environ.get("REWARDKIT_SCALE", "1")))
TURNS, TURN = 40, 50
"""How many turns there are, and redemptions in each."""
POOL = "pool"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
STEP = 6_364_136_223_846_793_005
"""Odd, so that multiples of it modulo 2**60 are all different, and look drawn: codes come in no order."""


def code(number: int) -> str:
    """The code of a number: 60 bits."""
    left = (number * STEP + 1) % 2**60
    return "".join(ALPHABET[left >> 5 * place & 31] for place in range(12))


def rows(codes: int) -> Iterator[tuple[object, ...]]:
    """Codes that have been issued, in key order."""
    for place, key in enumerate(sorted(map(code, range(codes)))):
        yield "default", key, key, 1, place % 16, place, "issued", 1, f"issuee {place}", f"customer {place}", 1, 1, 1, 1


COLUMNS = (
    '"tenant", "key", "code", "pool", "slice", "position", "status", "active", "issuee", "external_issuee", '
    '"issuances", "issuees", "created_at", "updated_at"'
)


def fill(store: str, codes: int) -> None:
    """A pool whose codes have all been issued."""
    with rk.RewardKit(store) as kit:
        kit.migrate()
        kit.run(rk.CreatePool(POOL))
    if store.startswith("sqlite"):
        with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as file, file:
            marks = ", ".join("?" * 14)
            file.executemany(f"INSERT INTO rewardkit_code ({COLUMNS}) VALUES ({marks})", rows(codes))
            file.execute(_SLICES, (codes, codes))
    else:
        with psycopg.connect(store, autocommit=True) as server:
            with server.cursor().copy(f"COPY rewardkit_code ({COLUMNS}) FROM STDIN".encode()) as copy:
                for row in rows(codes):
                    copy.write_row(row)
            server.execute(_SLICES.replace("?", "%s").encode(), (codes, codes))
            server.execute("VACUUM ANALYZE")


_SLICES = 'UPDATE rewardkit_slice SET "total" = ?, "issued" = ? WHERE "slice" = 0'


class Redeeming:
    """One pool, and what its redemptions took."""

    def __init__(self, store: str, codes: int) -> None:
        self.store, self._kit = store, rk.RewardKit(store)
        self._codes = iter(random.Random(codes).sample(range(codes), TURNS * TURN + TURN))
        self.seconds: list[float] = []
        self.work()
        self.seconds.clear()

    def work(self) -> None:
        """A turn."""
        for number in (next(self._codes) for _ in range(TURN)):
            written = code(number)
            began = time.perf_counter()
            self._kit.run(rk.RedeemCode(written), key=f"order {number}")
            self.seconds.append(time.perf_counter() - began)

    def close(self) -> None:
        self._kit.close()


def measure(name: str, store: Callable[[], str]) -> str:
    """A row of the table."""
    stores = [store(), store()]
    for one, codes in zip(stores, (FEW, MANY), strict=True):
        fill(one, codes)
    few, many = (Redeeming(one, codes) for one, codes in zip(stores, (FEW, MANY), strict=True))
    before = [blocks(one) for one in stores]
    for turn in range(TURNS):
        for each in (few, many)[:: -1 if turn % 2 else 1]:
            each.work()
    few.close()
    many.close()
    ratios = [
        statistics.median(many.seconds[begin : begin + TURN]) / statistics.median(few.seconds[begin : begin + TURN])
        for begin in range(0, TURNS * TURN, TURN)
    ]
    low, middle, high = statistics.quantiles(ratios, n=4)
    pages = [(blocks(one) - early) / (TURNS * TURN) for one, early in zip(stores, before, strict=True)]
    told = "" if name == "SQLite" else f"{pages[0]:.1f}, {pages[1]:.1f}"
    milliseconds = [statistics.median(one.seconds) * 1_000 for one in (few, many)]
    return f"| {name} | {milliseconds[0]:.2f} | {milliseconds[1]:.2f} | {middle:.2f} ({low:.2f}–{high:.2f}) | {told} |"


def sections(stores: list[str]) -> Iterator[str]:
    """The table, line by line."""
    yield (
        f"| store | ms with {FEW:,} codes | with {MANY:,} | ratio | pages a redemption with few and many |\n"
        "|---|---:|---:|---:|---:|"
    )
    if "sqlite" in stores:
        with tempfile.TemporaryDirectory() as folder:
            names = iter("ab")
            yield measure("SQLite", lambda: f"sqlite:///{folder}/{next(names)}.db")
    if "postgresql" in stores:
        with postgres() as database:
            yield measure("PostgreSQL", database)


if __name__ == "__main__":
    for line in sections(sys.argv[1:] or ["sqlite", "postgresql"]):
        print(line, flush=True)
