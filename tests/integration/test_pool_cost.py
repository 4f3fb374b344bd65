"""What codes cost is counted: pages that PostgreSQL looks at, steps of SQLite's machine, statements, and memory."""

from __future__ import annotations

import os
import sqlite3
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

import rewardkit as rk
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore

POOL = "pool"
SCALE = float(os.environ.get("REWARDKIT_SCALE", "0.05"))
Count = Callable[[Callable[[], object]], list[str]]


class SteppingStore(SqliteStore):
    """Counts tens of steps of SQLite's machine, of which each row that is looked at takes some."""

    steps = 0

    def connect(self) -> sqlite3.Connection:
        connection = super().connect()
        connection.set_progress_handler(self._step, 10)
        return connection

    def _step(self) -> int:
        self.steps += 1
        return 0


def issue(kit: rk.RewardKit, first: int, count: int) -> None:
    for number in range(first, first + count):
        kit.run(rk.IssueCode(POOL, f"customer {number}"), key=f"order {number}")


def pages(dsn: str, kit: rk.RewardKit, job: Callable[[], object]) -> int:
    """Pages that a job looks at by the kit's connection, which stays the same from job to job."""
    store = kit._store
    assert isinstance(store, PostgresStore)

    def seen(connection: psycopg.Connection[Any]) -> int:
        held = store._connections.take()
        held.connection.execute("SELECT pg_stat_force_next_flush()")
        held.connection.commit()
        held.busy = False
        row = connection.execute(
            "SELECT coalesce(sum(coalesce(heap_blks_hit, 0) + coalesce(heap_blks_read, 0) + coalesce(idx_blks_hit, 0) "
            "+ coalesce(idx_blks_read, 0)), 0)::bigint FROM pg_statio_user_tables"
        ).fetchone()
        assert row is not None
        return int(row[0])

    def still(connection: psycopg.Connection[Any]) -> int:
        """A server's process tells a moment after it was asked to."""
        last, now = -1, seen(connection)
        while last != now:
            time.sleep(0.2)
            last, now = now, seen(connection)
        return now

    with psycopg.connect(dsn, autocommit=True) as connection:
        before = still(connection)
        job()
        return still(connection) - before


@pytest.fixture
def analysed(fresh_postgres: Callable[[], str]) -> Iterator[Callable[[], tuple[str, rk.RewardKit]]]:
    """Makes kits on databases whose statistics say that every table is empty, and nobody will look again."""
    kits: list[rk.RewardKit] = []

    def make() -> tuple[str, rk.RewardKit]:
        dsn = fresh_postgres()
        kit = rk.RewardKit(dsn)
        kits.append(kit)
        kit.migrate()
        with psycopg.connect(dsn, autocommit=True) as connection:
            for (name,) in connection.execute("SELECT relname FROM pg_stat_user_tables").fetchall():
                connection.execute(f'ALTER TABLE "{name}" SET (autovacuum_enabled = false)'.encode())
            connection.execute("VACUUM ANALYZE")
        return dsn, kit

    yield make
    for kit in kits:
        kit.close()


def test_on_postgresql_an_issuance_looks_at_as_many_pages_when_the_pool_is_nearly_empty(
    analysed: Callable[[], tuple[str, rk.RewardKit]],
) -> None:
    tenth = max(150, round(2_000 * SCALE))
    dsn, kit = analysed()
    kit.run(rk.CreatePool(POOL))
    kit.generate_codes(POOL, 10 * tenth)
    issue(kit, 0, 50)

    first = pages(dsn, kit, lambda: issue(kit, 50, tenth))
    issue(kit, 50 + tenth, 8 * tenth - 50)
    last = pages(dsn, kit, lambda: issue(kit, 9 * tenth, tenth))

    assert kit.ask(rk.PoolStatus(POOL)).remaining == 0
    assert 0 < last <= 1.4 * first <= 100 * tenth


def test_on_sqlite_an_issuance_takes_as_many_steps_when_the_pool_is_nearly_empty(tmp_path: Path) -> None:
    tenth = max(150, round(2_000 * SCALE))
    store = SteppingStore(tmp_path / "pool.db")
    kit = rk.RewardKit(store)
    kit.run(rk.CreatePool(POOL))
    kit.generate_codes(POOL, 10 * tenth)
    steps: list[int] = []
    for begin in range(0, 10 * tenth, tenth):
        store.steps = 0
        issue(kit, begin, tenth)
        steps.append(store.steps)
    kit.close()

    assert 0 < steps[-1] <= 1.05 * steps[0]


def filled(kit: rk.RewardKit, codes: int) -> Iterator[str]:
    """A pool of bearers' codes; answers some of them."""
    kit.run(rk.CreatePool(POOL, bearer=True))
    kit.import_codes(POOL, (f"CODE-{number:08d}" for number in range(codes)))
    return (f"code {number:08d}" for number in range(0, codes, codes // 100))


@pytest.mark.parametrize("refused", [False, True])
def test_redeeming_takes_the_same_statements_and_steps_however_many_codes_there_are(
    tmp_path: Path, count: Count, *, refused: bool
) -> None:
    steps: list[int] = []
    statements: list[list[str]] = []
    for codes in (500, max(20_000, round(400_000 * SCALE))):
        store = SteppingStore(tmp_path / f"{codes}.db")
        kit = rk.RewardKit(store)
        names = [f"no such {name}" if refused else name for name in filled(kit, codes)]
        kit.attempt(rk.RedeemCode(names[0]))
        store.steps = 0
        for name in names[1:50]:
            kit.attempt(rk.RedeemCode(name), key=name)
        steps.append(store.steps)
        statements.append(count(lambda kit=kit, name=names[60]: kit.attempt(rk.RedeemCode(name))))  # type: ignore[misc]
        kit.close()
        with closing(sqlite3.connect(tmp_path / f"{codes}.db")) as file:
            for text in statements[-1]:
                plan = file.execute(f"EXPLAIN QUERY PLAN {text}", ["1"] * text.count("?")).fetchall()
                assert not [row for row in plan if row[3].startswith("SCAN")], (text, plan)

    assert statements[0] == statements[1]
    assert 0 < steps[1] <= 1.05 * steps[0]


def test_on_postgresql_redeeming_looks_at_as_many_pages_however_many_codes_there_are(
    analysed: Callable[[], tuple[str, rk.RewardKit]], count: Count
) -> None:
    looked: list[int] = []
    statements: list[list[str]] = []
    for codes in (500, max(20_000, round(400_000 * SCALE))):
        dsn, kit = analysed()
        names = list(filled(kit, codes))
        # More than the server needs to settle on a plan for all values.
        for name in names[:10]:
            kit.run(rk.RedeemCode(name), key=name)

        def redeem(kit: rk.RewardKit = kit, names: list[str] = names) -> None:
            for name in names[10:60]:
                kit.run(rk.RedeemCode(name), key=name)

        looked.append(pages(dsn, kit, redeem))
        statements.append(count(lambda kit=kit, name=names[70]: kit.run(rk.RedeemCode(name))))  # type: ignore[misc]

    assert statements[0] == statements[1]
    # The index of many codes is one level deeper, or two.
    assert 0 < looked[1] <= 1.4 * looked[0] <= 100 * 50


def test_filling_a_pool_takes_as_much_memory_for_many_codes_as_for_few(tmp_path: Path) -> None:
    few, many = 15_000, max(60_000, round(1_000_000 * SCALE))
    peaks: list[int] = []
    for codes in (few, many):
        path = tmp_path / f"{codes}.csv"
        with path.open("w") as file:
            file.writelines(f"FILE-{number:08d}\n" for number in range(codes))
        with rk.RewardKit(SqliteStore(tmp_path / f"{codes}.db")) as kit:
            kit.run(rk.CreatePool(POOL))
            tracemalloc.start()
            try:
                kit.import_codes(POOL, path, key="file")
                kit.generate_codes(POOL, codes, key="codes")
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
            assert kit.ask(rk.PoolStatus(POOL)).total == 2 * codes

    assert 0 < peaks[1] <= 1.1 * peaks[0]
