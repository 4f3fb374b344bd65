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
import tempfile
import time
from pathlib import Path

import psycopg
from emit import postgres

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.rows import notice
from rewardkit.testing.steps import put

TENANT = "acme"
COUNT = 4_000
HISTORY = int(1_000_000 * float(os.environ.get("REWARDKIT_SCALE", "1")))
COLUMNS = '"tenant", "id", "kind", "user", "body", "status", "created_at", "attempt_at", "attempts", "lease", "error"'
_numbers = itertools.count()


def ignore(_notice: rk.Notice) -> None:
    """As quick an endpoint as there can be."""


def work(store: str, start_at: float, count: int) -> tuple[int, float]:
    """Deliver from an agreed moment on; answers how many, and when it was done."""
    with rk.RewardKit(store, tenant=TENANT, notifiers=[ignore]) as kit:
        kit.ask(rk.Endpoints())
        time.sleep(max(0.0, start_at - time.monotonic()))
        done = kit.deliver(limit=count)
        return done.delivered, time.monotonic()


def measure(store: str, workers: int) -> float:
    """Notices a second."""
    number = next(_numbers)
    rows = [notice(f"new {number} {one}", created_at=one, attempt_at=one) for one in range(COUNT)]
    for begin in range(0, COUNT, 1_000):
        put(open_store(store), *rows[begin : begin + 1_000], tenant=TENANT)
    start_at = time.monotonic() + 3
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        found = pool.starmap(work, [(store, start_at, COUNT)] * workers)
    if sum(count for count, _ in found) != COUNT:
        raise RuntimeError(f"{found} is not {COUNT} in all")
    return COUNT / (max(ended for _, ended in found) - start_at)


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


def row(name: str, store: str) -> str:
    """One line of the table."""
    open_store(store).migrate()
    found = [measure(store, workers) for workers in (1, 4)]
    fill(store)
    found += [measure(store, workers) for workers in (1, 4)]
    return f"| {name} | " + " | ".join(f"{figure:,.0f}" for figure in found) + " |"


def main() -> None:
    """Print the table."""
    print(f"| store | 1 worker | 4 workers | 1 worker, {HISTORY:,} behind | 4 workers, {HISTORY:,} behind |")
    print("|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        print(row("SQLite", f"sqlite:///{Path(folder, 'rewards.db')}"), flush=True)
    with postgres() as database:
        print(row("PostgreSQL", database()), flush=True)


if __name__ == "__main__":
    main()
