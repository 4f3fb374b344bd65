"""Making, storing and importing codes, beside what shops write: `python tests/benchmarks/pool_filling.py > table.md`.

What a shop does is measured on a share of the codes, since it costs the same for each; the contenders take turns.
`REWARDKIT_SCALE` multiplies what rewardkit stores, a million codes.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from emit import postgres
from pool_peers import PlainPool, shop_code

import rewardkit as rk
from rewardkit.core.pools.alphabet import CROCKFORD
from rewardkit.core.pools.needs import FreshCodes
from rewardkit.core.pools.pattern import CodePattern
from rewardkit.shell.fresh_codes import fresh_codes

CODES = int(1_000_000 * float(os.environ.get("REWARDKIT_SCALE", "1")))
TURNS = 10
SHARE = 20_000 // TURNS
"""Codes of a shop's turn."""
POOL = "pool"
PATTERN = CodePattern("#" * 12, CROCKFORD)
COPY = "COPY shop_code (pool, code, status) FROM STDIN"


def generating() -> Iterator[str]:
    """Codes of 60 bits, different from each other, kept nowhere."""
    ratios, theirs, ours = [], 0.0, 0.0
    for _ in range(20):
        theirs = _seconds(lambda: {shop_code() for _ in range(5_000)}) / 5_000
        ours = _seconds(lambda: fresh_codes(FreshCodes(PATTERN, 100_000))) / 100_000
        ratios.append(theirs / ours)
    rates = f"{1 / theirs:,.0f} | {1 / ours:,.0f}"
    yield f"| made, and kept nowhere | `secrets.choice` a character | {rates} | {_spread(ratios)} |"


def storing(name: str, store: Callable[[], str]) -> Iterator[str]:
    """A million codes generated and stored, and imported from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "codes.csv")
        with path.open("w") as file:
            file.writelines(f"{code}\n" for code in fresh_codes(FreshCodes(PATTERN, CODES)))
        peers = {
            "row by row, a transaction each": (1, SHARE // 10),
            "row by row, 1,000 a transaction": (1_000, SHARE),
        }
        ours = store()
        with rk.RewardKit(ours) as kit:
            kit.migrate()
            kit.run(rk.CreatePool(POOL))
            kit.run(rk.CreatePool("imported"))
            shops = {one: PlainPool(store()) for one in peers}
            for shop in shops.values():
                shop.prepare()
            generated, imported = _Turns(), _Turns()
            lines = iter(path.read_text().split())
            share = CODES // TURNS
            for _ in range(TURNS):
                for one, (batch, count) in peers.items():
                    codes = [shop_code() for _ in range(count)]
                    seconds = _seconds(lambda shop=shops[one], codes=codes, batch=batch: shop.add(codes, batch=batch))  # type: ignore[misc]
                    generated.theirs.setdefault(one, []).append(seconds / count)
                generated.ours.append(_seconds(lambda: kit.generate_codes(POOL, share)) / share)
                part = list(itertools.islice(lines, share))
                imported.ours.append(_seconds(lambda part=part: kit.import_codes("imported", part)) / share)  # type: ignore[misc]
                imported.theirs.setdefault("bulk", []).append(_bulk(store, part))
            for shop in shops.values():
                shop.close()
            both = kit.ask(rk.PoolStatus(POOL)).total, kit.ask(rk.PoolStatus("imported")).total
            if both != (CODES, CODES):
                raise SystemExit(f"{both} codes are there")
    for one in peers:
        yield generated.line(f"{name}: generated and stored", one, one)
    for one in peers:
        imported.theirs[one] = generated.theirs[one]
        yield imported.line(f"{name}: imported", one, one)
    bulk = "`executemany`, then the index" if name == "SQLite" else "`COPY`, then the index"
    yield imported.line(f"{name}: imported", bulk, "bulk")


class _Turns:
    """Seconds a code of every turn."""

    def __init__(self) -> None:
        self.ours: list[float] = []
        self.theirs: dict[str, list[float]] = {}

    def line(self, job: str, peer: str, key: str) -> str:
        theirs = self.theirs[key]
        ratios = [one / other for one, other in zip(theirs, self.ours, strict=True)]
        rates = f"{1 / statistics.median(theirs):,.0f} | {1 / statistics.median(self.ours):,.0f}"
        return f"| {job} | {peer} | {rates} | {_spread(ratios)} |"


def _bulk(store: Callable[[], str], codes: list[str]) -> float:
    """Seconds a code of the quickest way that there is: no look whether it is there, the index made at the end."""
    name = store()
    shop = PlainPool(name)
    shop.connection.execute("CREATE TABLE shop_code (pool bigint, code text, status text)")

    def load() -> None:
        if isinstance(shop.connection, sqlite3.Connection):
            shop.connection.execute("BEGIN")
            shop.connection.executemany("INSERT INTO shop_code VALUES (1, ?, 'free')", [(code,) for code in codes])
        else:
            shop.connection.execute("BEGIN")
            with shop.connection.cursor() as cursor, cursor.copy(COPY) as copy:
                copy.write("".join(f"1\t{code}\tfree\n" for code in codes))
        shop.connection.execute("CREATE UNIQUE INDEX shop_unique ON shop_code (code)")
        shop.connection.execute("COMMIT")

    seconds = _seconds(load) / len(codes)
    shop.close()
    return seconds


MEMORY = """
import sys
import rewardkit as rk
def most():
    # What `getrusage` says begins with what the parent took.
    return next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
store, path, count = sys.argv[1:]
with rk.RewardKit(store) as kit:
    kit.migrate()
    kit.run(rk.CreatePool("small")); kit.generate_codes("small", 20_000)
    kit.run(rk.CreatePool("pool"))
    before = most()
    kit.import_codes("pool", path, key="file") if path else kit.generate_codes("pool", int(count), key="codes")
    print(before, most())
"""


def memory(name: str, store: Callable[[], str]) -> Iterator[str]:
    """The most memory that a process took, after 20,000 codes and after all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "codes.csv")
        with path.open("w") as file:
            file.writelines(f"{code}\n" for code in fresh_codes(FreshCodes(PATTERN, CODES)))
        for job, source in (("generated", ""), ("imported from a file", str(path))):
            command = [sys.executable, "-c", MEMORY, store(), source, str(CODES)]
            found = subprocess.run(command, check=True, capture_output=True, text=True)
            before, after = (int(word) / 1024 for word in found.stdout.split())
            yield f"| {name}: {job} | {before:.1f} | {after:.1f} |"


def _seconds(job: Callable[[], object]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def _spread(ratios: list[float]) -> str:
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.1f} ({low:.1f}–{high:.1f})"


def sections(stores: list[str]) -> Iterator[str]:
    """Both tables, line by line."""
    yield "| codes | peer | the peer, a second | rewardkit, a second | ratio |\n|---|---|---:|---:|---:|"
    yield from generating()
    numbers = itertools.count()
    second = ["", "| a million codes | MB after 20,000 | MB after all |\n|---|---:|---:|"]
    with tempfile.TemporaryDirectory() as folder:
        if "sqlite" in stores:

            def file() -> str:
                return f"sqlite:///{folder}/{next(numbers)}.db"

            yield from storing("SQLite", file)
            second += memory("SQLite", file)
    if "postgresql" in stores:
        with postgres() as database:
            yield from storing("PostgreSQL", database)
            second += memory("PostgreSQL", database)
    yield from second


if __name__ == "__main__":
    for line in sections(sys.argv[1:] or ["sqlite", "postgresql"]):
        print(line, flush=True)
