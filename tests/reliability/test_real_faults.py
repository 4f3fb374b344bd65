"""Faults that nobody injects into the code: a full disk, a locked or read-only file, cut connections, a fork.

Each ends in a `StoreError` that says what became of the call; the same call again, once the cause is gone, succeeds.
"""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rewardkit import ForkError, Recorded, RewardKit, StoreError
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.faults import Step, WatchedStore
from rewardkit.testing.faults_proxy import CommitCutter
from rewardkit.testing.faults_world import USERS, build, kit_at

TENANT = "acme"


def earn(store: Store, key: str = "once", *, weight: int = 0) -> Recorded:
    """A call that writes into every table."""
    return kit_at(store, TENANT).emit(
        "Activated", user="ann", id=key, key=key, properties={"note": "x" * weight} if weight else None
    )


def earn_until_it_fails(store: Store, *, weight: int = 0) -> tuple[int, StoreError]:
    """How many calls succeeded, and what the next one raised."""
    for number in range(100):
        try:
            earn(store, f"n{number}", weight=weight)
        except StoreError as failure:
            return number, failure
    raise AssertionError("nothing failed")


def event_ids(store: Store) -> set[str]:
    found = snapshot_of(store, TENANT, USERS)
    assert () == violations(found)
    return {row.id for row in found.events}


# --- SQLite ----------------------------------------------------------------------------------------


class SmallDisk(SqliteStore):
    """As many pages as the test allows."""

    def allow(self, pages: int) -> None:
        held = self._connections.take()
        held.connection.execute(f"PRAGMA max_page_count = {pages}")
        held.busy = False

    def pages(self) -> int:
        held = self._connections.take()
        held.busy = False
        return int(held.connection.execute("PRAGMA page_count").fetchone()[0])


@pytest.mark.parametrize("free", range(8))
def test_a_full_disk_leaves_nothing_of_the_call(free: int, tmp_path: Path) -> None:
    store = SmallDisk(tmp_path / "rewards.db")
    build(store, TENANT)
    store.allow(store.pages() + free)
    number, failure = earn_until_it_fails(store, weight=3_000)
    assert ("not_applied", False) == (failure.outcome, failure.transient)
    assert "full" in str(failure)
    assert f"n{number}" not in event_ids(store)
    with pytest.raises(StoreError):
        earn(store, f"n{number}", weight=3_000)
    store.allow(1_000_000)
    assert () == earn(store, f"n{number}", weight=3_000).duplicate
    assert f"n{number}" in event_ids(store)
    store.close()


class ReadOnly(SqliteStore):
    """What a file without permission to write is, also for root."""

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, isolation_level=None)


def test_a_read_only_file_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "rewards.db"
    store = SqliteStore(path)
    build(store, TENANT)
    read_only = ReadOnly(path)
    with pytest.raises(StoreError, match="readonly") as failure:
        earn(read_only)
    assert "not_applied" == failure.value.outcome
    assert 1 == len(earn(store).earned)
    read_only.close()
    store.close()


@pytest.mark.parametrize("where", ["missing/rewards.db", "."])
def test_a_path_that_cannot_be_opened_is_named(where: str, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / where)
    with pytest.raises(StoreError, match="cannot open"):
        earn(store)
    store.close()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rewards.db"
    path.write_bytes(b"these are somebody's notes, and not a database at all" * 100)
    before = path.read_bytes()
    store = SqliteStore(path)
    with pytest.raises(StoreError) as failure:
        earn(store)
    assert "not_applied" == failure.value.outcome
    assert before == path.read_bytes()
    store.close()


def test_a_file_that_somebody_holds_for_too_long_can_be_used_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "rewards.db"
    store = SqliteStore(path, timeout_seconds=0.02)
    build(store, TENANT)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another transaction") as failure:
            earn(store)
        assert ("not_applied", True) == (failure.value.outcome, failure.value.transient)
        other.execute("ROLLBACK")
    assert 1 == len(earn(store).earned)
    event_ids(store)
    store.close()


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Writes beyond it fail, as on a broken disk: in the write-ahead log that is during the commit."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("room", [0, 100, 4_096, 5_000, 10_000, 20_000])
def test_a_write_that_fails_during_the_commit_is_never_called_a_success(room: int, tmp_path: Path) -> None:
    path = tmp_path / "rewards.db"
    store = SqliteStore(path)
    build(store, TENANT)
    size = path.with_name("rewards.db-wal").stat().st_size
    with no_file_longer_than(size + room):
        number, failure = earn_until_it_fails(store)
    assert "unknown" == failure.outcome
    before = event_ids(store)
    assert (f"n{number}",) == earn(store, f"n{number}").event_ids
    assert before | {f"n{number}"} == event_ids(store)
    store.close()
    again = SqliteStore(path)
    assert before | {f"n{number}"} == event_ids(again)
    again.close()


# --- PostgreSQL ------------------------------------------------------------------------------------


@pytest.fixture
def postgres_store(postgres_dsn: str) -> Iterator[PostgresStore]:
    store = PostgresStore(make_conninfo(postgres_dsn, application_name="victim"))
    store.migrate()
    build(store, TENANT)
    yield store
    store.close()


class Terminate:
    """A watch that has the server end the victim's connection at a step: the first time, or every time."""

    def __init__(self, dsn: str, step: Step, *, always: bool = False) -> None:
        self._dsn = dsn
        self._step = step
        self._left = 10**9 if always else 1
        self.count = 0

    def __call__(self, step: Step) -> None:
        if step != self._step or self.count >= self._left:
            return
        self.count += 1
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            text = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'victim'"
            connection.execute(text).fetchall()


MIDDLE = [Step(call, "before") for call in ("begin", "Recall", "Accept", "Members", "write")]


@pytest.mark.parametrize("step", MIDDLE, ids=str)
def test_a_connection_lost_once_in_a_transaction_is_made_good(
    step: Step, postgres_store: PostgresStore, postgres_dsn: str
) -> None:
    terminate = Terminate(postgres_dsn, step)
    assert 1 == len(earn(WatchedStore(postgres_store, terminate)).earned)
    assert 1 == terminate.count
    assert "once" in event_ids(postgres_store)


@pytest.mark.parametrize("step", MIDDLE[1:], ids=str)
def test_a_connection_lost_every_time_is_told_and_leaves_nothing(
    step: Step, postgres_store: PostgresStore, postgres_dsn: str
) -> None:
    terminate = Terminate(postgres_dsn, step, always=True)
    with pytest.raises(StoreError) as failure:
        earn(WatchedStore(postgres_store, terminate))
    assert "not_applied" == failure.value.outcome
    assert "once" not in event_ids(postgres_store)
    assert 1 == len(earn(postgres_store).earned)


def test_a_connection_lost_before_its_commit_is_called_unknown(
    postgres_store: PostgresStore, postgres_dsn: str
) -> None:
    with pytest.raises(StoreError) as failure:
        earn(WatchedStore(postgres_store, Terminate(postgres_dsn, Step("commit", "before"))))
    assert "unknown" == failure.value.outcome
    assert "once" not in event_ids(postgres_store)
    assert 1 == len(earn(postgres_store).earned)


@pytest.mark.parametrize("cut", ["request", "reply"])
def test_an_answer_to_a_commit_that_does_not_arrive_is_called_unknown_and_a_repeat_converges(
    cut: str, postgres_store: PostgresStore, postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory, scale: float
) -> None:
    folder = str(conninfo_to_dict(postgres_dsn)["host"])
    with CommitCutter(Path(folder, ".s.PGSQL.5432")) as cutter:
        store = PostgresStore(make_conninfo(postgres_dsn, host=str(cutter.folder)))
        first = earn(store, "before")
        assert 1 == len(first.earned)
        for number in range(max(3, round(50 * scale))):
            key = f"n{number}"
            cutter.cut = cut
            with pytest.raises(StoreError) as failure:
                earn(store, key)
            assert "unknown" == failure.value.outcome
            assert (cut == "reply") == (key in event_ids(postgres_store))
            assert earn(store, key) == earn(store, key)
            assert key in event_ids(postgres_store)
        store.close()


# --- forks -----------------------------------------------------------------------------------------


def in_a_fork(task: Callable[[], str]) -> str:
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            answer = task()
        except BaseException as error:  # noqa: BLE001 - told to the parent
            answer = repr(error)
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(process, 0)
    return answer


def use(store: Store) -> str:
    try:
        RewardKit(store, tenant=TENANT).emit("Looked", user="ann")
    except ForkError as error:
        return error.outcome
    return "used"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
def test_a_store_used_before_a_fork_is_refused_after_it(kind: str, tmp_path: Path, postgres_dsn: str) -> None:
    names = {"sqlite": f"sqlite:///{tmp_path / 'rewards.db'}", "postgresql": postgres_dsn}
    store = MemoryStore() if kind == "memory" else open_store(names[kind])
    store.migrate()
    build(store, TENANT)
    assert "not_applied" == in_a_fork(lambda: use(store))
    assert 1 == len(earn(store).earned)
    event_ids(store)
    if kind != "memory":
        assert "used" == in_a_fork(lambda: use(open_store(names[kind])))
    store.close()
