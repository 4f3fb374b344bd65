"""What only a SQLite file promises."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Insert
from rewardkit.errors import ForkError, SchemaError, StoreError
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.migrations import MIGRATIONS
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.storage.tables import TABLES
from rewardkit.testing.rows import event, grant, member
from rewardkit.testing.steps import ask, grants, put


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rewards.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path, timeout_seconds=0.2)
    yield store
    store.close()


def test_the_file_is_its_owners_alone(store: SqliteStore, path: Path) -> None:
    before = os.umask(0)
    try:
        put(store, grant())
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"rewards.db": 0o600, "rewards.db-wal": 0o600, "rewards.db-shm": 0o600}


def test_a_commit_reaches_the_disk_before_it_returns(store: SqliteStore) -> None:
    with closing(store.connect()) as connection:
        settings = ("journal_mode", "synchronous", "foreign_keys")
        assert [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in settings] == ["wal", 2, 1]


def test_the_columns_are_those_of_the_rows_after_the_tenant(store: SqliteStore) -> None:
    with closing(store.connect()) as connection:
        store.apply_migrations(connection)
        for table in TABLES:
            described = connection.execute(f"PRAGMA table_info(rewardkit_{table.name})").fetchall()
            columns = [column[1] for column in described]
            assert columns[: len(table.columns) + 1] == ["tenant", *table.columns]
            keys = sorted((column[5], column[1]) for column in described if column[5])
            assert [name for _, name in keys] == ["tenant", *table.key]


def test_every_table_is_strict_and_every_index_leads_with_the_tenant(store: SqliteStore) -> None:
    with closing(store.connect()) as connection:
        store.apply_migrations(connection)
        for name, strict in connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"):
            if name.startswith("sqlite_"):
                continue
            assert strict == 1, name
            if name == "rewardkit_migration":
                continue
            for index in connection.execute(f"PRAGMA index_list({name})").fetchall():
                assert connection.execute(f"PRAGMA index_info({index[1]})").fetchone()[2] == "tenant"


@pytest.mark.parametrize(
    "need",
    [
        needs.Members(("ann",)),
        needs.DueMembers(5, 9),
        needs.StaleMembers("", 9),
        needs.Histories(("ann",)),
        needs.LeaseGrants(5, 9, 1),
        needs.LeaseNotices(5, 9, 1),
        needs.LeaseNotices(5, 9, 1, addressed=False),
        needs.ListNotices(None, (5, "a"), 9, "shop"),
        needs.ListNotices("dead", None, 9, "shop"),
        needs.ListRegisteredEndpoints(),
        needs.RegisteredEndpointsOf(("shop",)),
        needs.ListGrants("ann", None, None, 9),
        needs.ListGrants(None, "ready", (5, "a"), 9),
        needs.ListUserOffers("ann", None, None, None, 9),
        needs.GrantOf("grant-1"),
    ],
    ids=lambda need: type(need).__name__,
)
def test_what_is_asked_often_is_found_by_an_index(store: SqliteStore, path: Path, need: needs.Need[object]) -> None:
    store.migrate()
    with closing(sqlite3.connect(path)) as host:
        joined = store.join(host)
        with joined.transaction("acme") as transaction:
            texts: list[str] = []
            host.set_trace_callback(texts.append)
            transaction.ask(need)
            host.set_trace_callback(None)
        for text in texts:
            for row in host.execute(f"EXPLAIN QUERY PLAN {text}"):
                assert not row[3].startswith("SCAN rewardkit"), (text, row[3])
        host.rollback()


def test_two_processes_may_create_and_migrate_the_same_file(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_put_one, args=(path, str(number))) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    store = SqliteStore(path)
    assert grants(store) == ["0", "1", "2", "3"]
    store.close()


def _put_one(path: Path, id: str) -> None:
    put(SqliteStore(path, timeout_seconds=30), grant(id))


def test_threads_may_begin_together_on_a_file_that_is_not_there(path: Path) -> None:
    store = SqliteStore(path, timeout_seconds=30)
    threads = [threading.Thread(target=put, args=(store, grant(str(number)))) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert grants(store) == [str(number) for number in range(8)]
    store.close()


def test_a_thread_that_ends_leaves_no_connection_open(path: Path) -> None:
    store = SqliteStore(path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(20):
        thread = threading.Thread(target=put, args=(store, grant(str(number))))
        thread.start()
        thread.join()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 3
    store.close()


def test_newer_tables_are_refused(store: SqliteStore, path: Path) -> None:
    put(store, grant())
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"INSERT INTO rewardkit_migration VALUES ({len(MIGRATIONS) + 1}, 'later')")
    with pytest.raises(SchemaError, match="upgrade rewardkit"):
        put(store, grant("b"))
    with pytest.raises(SchemaError, match="upgrade rewardkit"):
        store.migrate()


def test_migrating_names_what_was_applied(store: SqliteStore) -> None:
    assert store.migrate() == tuple(migration.name for migration in MIGRATIONS)
    assert store.migrate() == ()


def test_two_prefixes_share_a_file_and_no_rows(path: Path) -> None:
    one, two = SqliteStore(path), SqliteStore(path, prefix="two_")
    put(one, grant("a"))
    put(two, grant("b"))
    assert (grants(one), grants(two)) == (["a"], ["b"])
    one.close()
    two.close()


def test_another_writer_is_waited_for_and_then_a_transient_refusal(store: SqliteStore, path: Path) -> None:
    put(store, grant())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            put(store, grant("b"))
        assert (caught.value.transient, caught.value.outcome) == (True, "not_applied")
        other.execute("ROLLBACK")
    put(store, grant("b"))
    assert grants(store) == ["b", "grant-1"]


@pytest.mark.parametrize("name", ["missing/rewards.db", "."])
def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    store = SqliteStore(tmp_path / name)
    with pytest.raises(StoreError, match="cannot open"):
        put(store, grant())


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"my letters " * 1_000)
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="cannot open"):
        put(store, grant())
    assert path.read_bytes() == b"my letters " * 1_000


def test_after_a_full_disk_nothing_of_the_transaction_is_there_and_the_next_one_works(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, grant("a"))
    held = store._connections.take()
    held.busy = False
    held.connection.execute("PRAGMA max_page_count = 60")
    with pytest.raises(StoreError) as caught, store.transaction("acme") as transaction:  # noqa: PT012, the block is the case
        transaction.write((Insert((grant("b"),)),))
        for number in range(1_000):
            transaction.write((Insert((member(str(number), state=b"x" * 4_000),)),))
    assert caught.value.outcome == "not_applied"
    held.connection.execute("PRAGMA max_page_count = 1000000")
    assert grants(store) == ["a"]
    put(store, grant("c"))
    assert grants(store) == ["a", "c"]


def _in_child(store: SqliteStore | MemoryStore) -> str:
    """The name of what a forked child meets when it uses the store."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            put(store, grant("from the child"))
            answer = "nothing"
        except BaseException as error:  # noqa: BLE001, its name is the answer
            answer = type(error).__name__
        os.write(writing, answer.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def test_a_store_used_before_a_fork_is_refused_after_it(store: SqliteStore) -> None:
    put(store, grant())
    assert _in_child(store) == ForkError.__name__
    memory = MemoryStore()
    assert _in_child(memory) == ForkError.__name__
    assert grants(store) == ["grant-1"]


def test_a_store_made_before_a_fork_and_used_after_it_works(store: SqliteStore) -> None:
    assert _in_child(store) == "nothing"
    assert grants(store) == ["from the child"]


def test_values_are_bound_and_not_read_as_sql(store: SqliteStore) -> None:
    evil = "'; DROP TABLE rewardkit_grant; --"
    put(store, grant(evil, evil))
    assert ask(store, needs.GrantOf(evil)) == grant(evil, evil)
    assert ask(store, needs.Accept((event(evil, evil),), (evil,))).fresh == {(evil, evil)}


TAKE_THE_FILE = """
import fcntl, sys

SHARED_FIRST, SHARED_SIZE = 0x40000002, 510  # of SQLite's file format
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
    except OSError:
        print("held")
    else:
        print("free")
"""


def test_opening_another_connection_keeps_the_locks_of_those_that_are_open(path: Path) -> None:
    def state() -> str:
        command = [sys.executable, "-c", TAKE_THE_FILE, str(path)]
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.strip()

    store = SqliteStore(path)
    put(store, grant())
    assert state() == "held"
    store.connect().close()
    assert state() == "held"
    store.close()
    assert state() == "free"
