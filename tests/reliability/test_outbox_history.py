"""What a delivery costs does not grow with what has been delivered before, or with what waits behind it."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest

import rewardkit as rk
from rewardkit.core.storing.needs import ListNotices
from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.rows import notice
from rewardkit.testing.steps import ask, put

COLUMNS = (
    '"tenant", "id", "kind", "user", "body", "status", "endpoint", "created_at", "attempt_at", "attempts", "lease", '
    '"error"'
)
BEHIND = {"what has been delivered": ("delivered", ""), "what waits for workers with webhooks": ("pending", "till")}
DUE_AT = 1_000
ROUNDS, AT_ONCE = 12, 5
"""More rounds than PostgreSQL needs to settle on a plan for all values."""


@pytest.fixture
def history(scale: float) -> int:
    return max(20_000, round(1_000_000 * scale))


def wait_behind(store: Store) -> None:
    put(store, *[notice(f"new {number:04}", created_at=number, attempt_at=DUE_AT) for number in range(1_000)])


def deliver(store: Store) -> None:
    """Some of what is due, one that fails and one that is dead among them."""
    told: list[rk.Notice] = []

    def tell(one: rk.Notice) -> rk.Outcome | None:
        told.append(one)
        return (rk.Delivered(), rk.RetryLater("503"), rk.FailedForGood("400"), None, None)[len(told) % AT_ONCE]

    kit = rk.RewardKit(store, clock=FakeClock(), tenant="acme", notifiers=[tell])
    for _ in range(ROUNDS):
        assert kit.deliver(limit=AT_ONCE).taken == AT_ONCE
        assert len(ask(store, ListNotices("dead", None, 1))) == 1
        assert len(kit.ask(rk.Notices(status="dead", limit=1)).items) == 1
    assert kit.run(rk.ReplayDeadLetters(2)) == 2


@pytest.mark.parametrize("behind", BEHIND)
def test_on_sqlite_a_delivery_does_as_much_work_with_a_long_history_behind_it(
    tmp_path: Path, history: int, behind: str
) -> None:
    steps: list[int] = []
    for rows in (0, history):
        path = tmp_path / f"{rows}.db"
        store = CountingStore(path)
        wait_behind(store)
        with sqlite3.connect(path) as connection:
            connection.execute(
                "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < ?) "
                f"INSERT INTO rewardkit_notice ({COLUMNS}) "
                "SELECT 'acme', 'old ' || n, 'grant.ready', 'ann', X'7B7D', ?, ?, n, 1, 1, 1, '' FROM g LIMIT ?",
                (max(rows, 1), *BEHIND[behind], rows),
            )
        store.steps = 0
        deliver(store)
        steps.append(store.steps)
        store.close()
    assert 0 < steps[1] <= 1.1 * steps[0]


def test_in_memory_a_delivery_makes_as_many_calls_with_notices_for_other_workers_before_it() -> None:
    calls: list[int] = []
    for waiting in (0, 5_000):
        store = MemoryStore()
        put(store, *[notice(f"old {number}", endpoint="till", attempt_at=1) for number in range(waiting)])
        wait_behind(store)
        calls.append(calls_during(partial(deliver, store)))
    assert 0 < calls[1] <= 1.1 * calls[0]


def calls_during(call: Callable[[], object]) -> int:
    """Of Python's functions and of C's, such as those of a heap."""
    kinds: Counter[str] = Counter()
    sys.setprofile(lambda _frame, kind, _argument: kinds.update((kind,)))
    try:
        call()
    finally:
        sys.setprofile(None)
    return kinds["call"] + kinds["c_call"]


class CountingStore(SqliteStore):
    """Counts hundreds of steps of SQLite's machine, of which each row that is looked at takes some."""

    steps = 0

    def connect(self) -> sqlite3.Connection:
        connection = super().connect()
        connection.set_progress_handler(self._step, 100)
        return connection

    def _step(self) -> int:
        self.steps += 1
        return 0


@pytest.mark.parametrize("behind", BEHIND)
def test_on_postgresql_a_delivery_touches_as_many_rows_with_a_long_history_behind_it(
    fresh_postgres: Callable[[], str], history: int, behind: str
) -> None:
    touched: list[int] = []
    for rows in (0, history):
        dsn = fresh_postgres()
        store = PostgresStore(dsn)
        store.migrate()
        wait_behind(store)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                f"INSERT INTO rewardkit_notice ({COLUMNS}) SELECT 'acme', 'old ' || n, 'grant.ready', 'ann', '{{}}', "
                "%s, %s, n, 1, 1, 1, '' FROM generate_series(1, %s) AS g(n)",
                (*BEHIND[behind], rows),
            )
            connection.execute("ANALYZE rewardkit_notice")
            store.close()
            before = rows_touched(connection)
            deliver(store)
            # A server's process tells what it touched when it ends.
            store.close()
            touched.append(rows_touched(connection, more_than=before) - before)
    taken = ROUNDS * AT_ONCE
    assert touched[1] <= 1.1 * touched[0] <= 10 * taken


def rows_touched(connection: psycopg.Connection[tuple[int]], *, more_than: int = -1) -> int:
    """Read by way of an index or without one, once it stands still."""
    count = last = -1
    deadline = time.monotonic() + 30
    while count <= more_than or count != last:
        assert time.monotonic() < deadline, "the server does not say what it touched"
        time.sleep(0.3)
        last = count
        found = connection.execute(
            "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables "
            "WHERE relname = 'rewardkit_notice'"
        ).fetchone()
        assert found is not None
        (count,) = found
    return count
