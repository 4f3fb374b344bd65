"""Inside a transaction of `sqlite3` or `psycopg` that the host began, commits and rolls back."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Insert
from rewardkit.errors import InvariantError, SchemaError, StoreError, ValidationError
from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.rows import event, grant, member
from rewardkit.testing.steps import ask, grants, put


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "host.db"


@pytest.fixture
def sqlite_store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path, timeout_seconds=0.2)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def postgres_store(postgres_dsn: str) -> Iterator[PostgresStore]:
    store = PostgresStore(postgres_dsn)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def sqlite_host(path: Path, sqlite_store: SqliteStore) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (n INTEGER)")
    yield connection
    connection.close()


@pytest.fixture
def postgres_host(postgres_dsn: str, postgres_store: PostgresStore) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute("CREATE TEMPORARY TABLE theirs (n INTEGER) ON COMMIT PRESERVE ROWS")
        connection.commit()
        yield connection
        connection.rollback()


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest) -> tuple[Store, Any]:
    """A store, and a connection of the host's driver to the same database."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_store"), request.getfixturevalue("sqlite_host")
    return request.getfixturevalue("postgres_store"), request.getfixturevalue("postgres_host")


class TestDriver:
    def test_the_hosts_rollback_takes_ours_with_it(self, pair: tuple[Store, Any]) -> None:
        store, host = pair
        put(store.join(host), grant(), member())
        host.execute("INSERT INTO theirs VALUES (1)")
        host.rollback()
        assert grants(store) == []
        assert host.execute("SELECT * FROM theirs").fetchall() == []

    def test_the_hosts_commit_keeps_ours_with_theirs(self, pair: tuple[Store, Any]) -> None:
        store, host = pair
        host.execute("INSERT INTO theirs VALUES (1)")
        put(store.join(host), grant())
        assert [row[0] for row in host.execute("SELECT * FROM theirs").fetchall()] == [1]
        host.commit()
        assert grants(store) == ["grant-1"]

    def test_a_failure_undoes_ours_and_leaves_theirs_to_the_host(self, pair: tuple[Store, Any]) -> None:
        store, host = pair
        joined = store.join(host)
        host.execute("INSERT INTO theirs VALUES (1)")
        put(joined, grant("a"))
        with pytest.raises(InvariantError):
            put(joined, grant("b"), grant("a"))
        host.execute("INSERT INTO theirs VALUES (2)")
        host.commit()
        assert grants(store) == ["a"]
        assert len(host.execute("SELECT * FROM theirs").fetchall()) == 2

    def test_the_hosts_savepoint_takes_ours_with_it(self, pair: tuple[Store, Any]) -> None:
        store, host = pair
        joined = store.join(host)
        put(joined, grant("a"))
        host.execute("SAVEPOINT theirs")
        put(joined, grant("b"))
        host.execute("ROLLBACK TO SAVEPOINT theirs")
        host.execute("RELEASE SAVEPOINT theirs")
        put(joined, grant("c"))
        host.commit()
        assert grants(store) == ["a", "c"]

    def test_ours_is_seen_inside_and_by_nobody_outside_before_the_commit(
        self, pair: tuple[Store, Any], path: Path, postgres_dsn: str
    ) -> None:
        def reader() -> Any:
            return sqlite3.connect(path) if isinstance(pair[0], SqliteStore) else psycopg.connect(postgres_dsn)

        store, host = pair
        joined = store.join(host)
        put(joined, grant())
        assert grants(joined) == ["grant-1"]
        with closing(reader()) as outside:
            assert outside.execute("SELECT * FROM rewardkit_grant").fetchall() == []
        host.commit()
        assert grants(store) == ["grant-1"]

    def test_it_says_that_it_has_joined_and_does_not_migrate(self, pair: tuple[Store, Any]) -> None:
        store, host = pair
        joined = store.join(host)
        assert joined.joined is True
        with pytest.raises(ValidationError, match="rewardkit migrate"):
            joined.migrate()
        joined.close()
        put(joined, grant())
        host.rollback()

    def test_a_database_without_tables_is_refused_and_the_transaction_goes_on(self, pair: tuple[Store, Any]) -> None:
        store, host = pair
        other = type(store)("unused", prefix="other_")  # type: ignore[call-arg]
        host.execute("INSERT INTO theirs VALUES (1)")
        with pytest.raises(SchemaError, match="rewardkit migrate"):
            put(other.join(host), grant())
        host.commit()
        assert len(host.execute("SELECT * FROM theirs").fetchall()) == 1

    def test_the_other_databases_connection_is_refused(
        self,
        sqlite_store: SqliteStore,
        postgres_store: PostgresStore,
        sqlite_host: sqlite3.Connection,
        postgres_host: psycopg.Connection[Any],
    ) -> None:
        with pytest.raises(ValidationError, match=r"`psycopg\.Connection`: this kit keeps its rewards in SQLite"):
            sqlite_store.join(postgres_host)
        with pytest.raises(ValidationError, match=r"`sqlite3\.Connection`: this kit keeps its rewards in PostgreSQL"):
            postgres_store.join(sqlite_host)

    @pytest.mark.parametrize("host", [None, 1, "sqlite:///x.db", object()])
    def test_what_is_no_host_is_refused_with_the_choices(self, sqlite_store: SqliteStore, host: object) -> None:
        with pytest.raises(ValidationError, match="SQLAlchemy `Session`"):
            sqlite_store.join(host)
        with pytest.raises(ValidationError, match="memory store"):
            MemoryStore().join(host)


class TestSqlite3:
    def test_autocommit_without_a_transaction_is_refused(self, path: Path, sqlite_store: SqliteStore) -> None:
        host = sqlite3.connect(path, isolation_level=None)
        with pytest.raises(ValidationError, match="autocommit"):
            sqlite_store.join(host)
        host.execute("BEGIN")
        joined = sqlite_store.join(host)
        put(joined, grant())
        host.execute("ROLLBACK")
        with pytest.raises(ValidationError, match="autocommit"):
            put(joined, grant())
        assert grants(sqlite_store) == []
        host.close()

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="the attribute came with Python 3.12")
    def test_the_drivers_own_autocommit_attribute_is_heeded(self, path: Path, sqlite_store: SqliteStore) -> None:
        keywords: dict[str, Any] = {"autocommit": True}
        with closing(sqlite3.connect(path, **keywords)) as host, pytest.raises(ValidationError, match="autocommit"):
            sqlite_store.join(host)
        keywords["autocommit"] = False
        with closing(sqlite3.connect(path, **keywords)) as host:
            put(sqlite_store.join(host), grant("a"))
            host.rollback()
            put(sqlite_store.join(host), grant("b"))
            host.commit()
        assert grants(sqlite_store) == ["b"]

    def test_the_hosts_factories_and_converters_do_not_reach_us(self, path: Path, sqlite_store: SqliteStore) -> None:
        sqlite3.register_converter("TEXT", lambda value: f"converted {value!r}")
        try:
            host = sqlite3.connect(path, detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES)
            host.row_factory = lambda _cursor, row: {"row": row}
            host.text_factory = bytes
            joined = sqlite_store.join(host)
            put(joined, grant())
            assert ask(joined, needs.GrantOf("grant-1")) == grant()
            leased = ask(joined, needs.LeaseGrants(now=5, until=9, limit=1))
            assert leased == (grant()._replace(lease=1, lease_until=9),)
            assert host.text_factory is bytes
            host.commit()
            host.close()
        finally:
            sqlite3.converters.pop("TEXT")

    def test_a_closed_connection_is_refused(self, path: Path, sqlite_store: SqliteStore) -> None:
        host = sqlite3.connect(path)
        host.close()
        with pytest.raises(StoreError, match="closed"):
            sqlite_store.join(host)

    def test_another_writer_is_a_transient_refusal(self, path: Path, sqlite_store: SqliteStore) -> None:
        host = sqlite3.connect(path, timeout=0.1)
        with sqlite_store.transaction("acme") as transaction:
            transaction.write((Insert((grant(),)),))
            with pytest.raises(StoreError) as caught:
                sqlite_store.join(host)
        assert (caught.value.transient, caught.value.outcome) == (True, "not_applied")
        host.close()

    def test_it_sets_nothing_on_the_hosts_connection(
        self, sqlite_store: SqliteStore, sqlite_host: sqlite3.Connection
    ) -> None:
        texts: list[str] = []
        sqlite_host.set_trace_callback(texts.append)
        put(sqlite_store.join(sqlite_host), grant())
        verbs = {text.split()[0] for text in texts}
        assert verbs == {"BEGIN", "SAVEPOINT", "SELECT", "INSERT", "RELEASE"}

    def test_an_event_takes_at_most_five_statements(
        self, sqlite_store: SqliteStore, sqlite_host: sqlite3.Connection
    ) -> None:
        joined = sqlite_store.join(sqlite_host)
        texts: list[str] = []
        with joined.transaction("acme") as transaction:
            sqlite_host.set_trace_callback(texts.append)
            transaction.ask(needs.Accept((event(),), ("ann",)))
            transaction.ask(needs.Members(("ann",)))
            transaction.write((Insert((grant(),)),))
            sqlite_host.set_trace_callback(None)
        assert len(texts) == 5


class TestPsycopg:
    def test_autocommit_without_a_transaction_is_refused(
        self, postgres_dsn: str, postgres_store: PostgresStore
    ) -> None:
        with psycopg.connect(postgres_dsn, autocommit=True) as host:
            with pytest.raises(ValidationError, match="autocommit"):
                postgres_store.join(host)
            with host.transaction(force_rollback=True):
                put(postgres_store.join(host), grant("a"))
            with host.transaction():
                put(postgres_store.join(host), grant("b"))
        assert grants(postgres_store) == ["b"]

    def test_a_broken_transaction_is_refused(
        self, postgres_store: PostgresStore, postgres_host: psycopg.Connection[Any]
    ) -> None:
        with pytest.raises(psycopg.errors.UndefinedTable):
            postgres_host.execute("SELECT * FROM nowhere")
        with pytest.raises(StoreError, match="rolled back"):
            postgres_store.join(postgres_host)
        postgres_host.rollback()
        put(postgres_store.join(postgres_host), grant())
        postgres_host.commit()
        assert grants(postgres_store) == ["grant-1"]

    def test_a_closed_connection_is_refused(self, postgres_dsn: str, postgres_store: PostgresStore) -> None:
        host = psycopg.connect(postgres_dsn)
        host.close()
        with pytest.raises(StoreError, match="closed"):
            postgres_store.join(host)

    @pytest.mark.parametrize("cursor", [psycopg.Cursor, psycopg.ClientCursor, psycopg.RawCursor])
    def test_the_hosts_cursors_rows_and_loaders_do_not_reach_us(
        self, postgres_dsn: str, postgres_store: PostgresStore, cursor: Any
    ) -> None:
        class Upper(psycopg.adapt.Loader):
            def load(self, data: Any) -> str:
                return bytes(data).decode().upper()

        class UpperBinary(Upper):
            format = psycopg.pq.Format.BINARY

        with psycopg.connect(postgres_dsn, row_factory=dict_row, cursor_factory=cursor) as host:
            for name in ("text", "int8", "bytea"):
                host.adapters.register_loader(name, Upper)
                host.adapters.register_loader(name, UpperBinary)
            joined = postgres_store.join(host)
            put(joined, grant())
            assert ask(joined, needs.GrantOf("grant-1")) == grant()

    def test_it_leaves_the_hosts_settings(
        self, postgres_store: PostgresStore, postgres_host: psycopg.Connection[Any]
    ) -> None:
        settings = "SELECT name, setting FROM pg_settings ORDER BY name"
        before = postgres_host.execute(settings).fetchall()
        put(postgres_store.join(postgres_host), grant())
        assert postgres_host.execute(settings).fetchall() == before

    def test_an_encoding_that_cannot_keep_all_text_is_refused(
        self, postgres_dsn: str, postgres_store: PostgresStore
    ) -> None:
        with psycopg.connect(postgres_dsn, client_encoding="LATIN1") as host, pytest.raises(StoreError, match="UTF8"):
            postgres_store.join(host)
