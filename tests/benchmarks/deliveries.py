"""Notices delivered a second, as a table: `python tests/benchmarks/deliveries.py > table.md`.

The notifier does nothing, so that the outbox alone is measured; each worker is a process that has connected before.
PostgreSQL is a server of its own with its usual settings, on a Unix socket, `synchronous_commit` on.
`REWARDKIT_SCALE` multiplies the history, a million delivered notices.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg
from emit import postgres

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.rows import notice
from rewardkit.testing.steps import put

TENANT = "acme"
COUNT = 10_000
"""Notices that are due in each measurement."""
HISTORY = int(1_000_000 * float(os.environ.get("REWARDKIT_SCALE", "1")))
COLUMNS = '"tenant", "id", "kind", "user", "body", "status", "created_at", "attempt_at", "attempts", "lease", "error"'
PATIENCE_SECONDS = 600
"""After which a worker that has not answered is taken for dead."""
_numbers = itertools.count()


def ignore(_notice: rk.Notice) -> None:
    """As quick an endpoint as there can be."""


def work(store: str, gate: Barrier, counts: Queue[int]) -> None:
    """Deliver until nothing is due, from when all workers are there."""
    with rk.RewardKit(store, tenant=TENANT, notifiers=[ignore]) as kit:
        kit.ask(rk.Endpoints())
        gate.wait(PATIENCE_SECONDS)
        counts.put(kit.deliver(limit=COUNT).delivered)


def wait_behind(store: str) -> None:
    """Write notices that are due."""
    number = next(_numbers)
    rows = [notice(f"new {number} {one}", created_at=one, attempt_at=one) for one in range(COUNT)]
    with closing(open_store(store)) as opened:
        for begin in range(0, COUNT, 1_000):
            put(opened, *rows[begin : begin + 1_000], tenant=TENANT)


def measure(store: str, workers: int) -> float:
    """Notices a second; what the workers need to start is not counted."""
    wait_behind(store)
    spawn = multiprocessing.get_context("spawn")
    gate, counts = spawn.Barrier(workers + 1), spawn.Queue()
    processes = [spawn.Process(target=work, args=(store, gate, counts)) for _ in range(workers)]
    for process in processes:
        process.start()
    gate.wait(PATIENCE_SECONDS)
    began = time.monotonic()
    delivered = sum(counts.get(timeout=PATIENCE_SECONDS) for _ in processes)
    seconds = time.monotonic() - began
    for process in processes:
        process.join()
    if delivered != COUNT:
        raise RuntimeError(f"{delivered} is not {COUNT}")
    return COUNT / seconds


def call(store: str) -> float:
    """Milliseconds of one `deliver()` of 50 notices, the median of many."""
    wait_behind(store)
    found = []
    with rk.RewardKit(store, tenant=TENANT, notifiers=[ignore]) as kit:
        for _ in range(COUNT // 50):
            began = time.perf_counter()
            if kit.deliver(limit=50).delivered != 50:
                raise RuntimeError("too few were due")
            found.append(time.perf_counter() - began)
    return statistics.median(found) * 1_000


def fill(store: str) -> None:
    """A history of delivered notices."""
    values = "'acme', 'old ' || n, 'grant.ready', 'ann', {}, 'delivered', n, n, 1, 1, ''"
    into = f"INSERT INTO rewardkit_notice ({COLUMNS}) SELECT "
    if store.startswith("sqlite"):
        with sqlite3.connect(store.removeprefix("sqlite:///")) as file:
            counted = "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < ?) "
            file.execute(counted + into + values.format("X'7B7D'") + " FROM g", (HISTORY,))
        return
    with psycopg.connect(store, autocommit=True) as server:
        text = into + values.format("'{}'") + " FROM generate_series(1, %s) AS g(n)"
        server.execute(text.encode(), (HISTORY,))
        server.execute("VACUUM ANALYZE rewardkit_notice")


def row(name: str, store: str) -> Iterator[str]:
    """Two lines of the table: with no history, and with one."""
    with closing(open_store(store)) as opened:
        opened.migrate()
    for behind in (0, HISTORY):
        if behind:
            fill(store)
        one, four, milliseconds = measure(store, 1), measure(store, 4), call(store)
        yield f"| {name} | {behind:,} | {one:,.0f} | {four:,.0f} | {milliseconds:.1f} |"


def main() -> None:
    """Print the table."""
    print("| store | delivered before | 1 worker, a second | 4 workers, a second | `deliver()` of 50, ms |")
    print("|---|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in row("SQLite", f"sqlite:///{Path(folder, 'rewards.db')}"):
            print(line, flush=True)
    with postgres() as database:
        for line in row("PostgreSQL", database()):
            print(line, flush=True)


if __name__ == "__main__":
    main()
