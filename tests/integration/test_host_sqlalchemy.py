"""Inside a transaction of SQLAlchemy: its Session and its Connection, over sqlite3 and over psycopg."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from rewardkit.errors import InvariantError, StoreError, ValidationError
from rewardkit.ports import Store
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.rows import grant
from rewardkit.testing.steps import grants, put


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Engine]]:
    """A store, and the host's engine on the same database."""
    store: Store
    if request.param == "sqlite":
        store = SqliteStore(tmp_path / "host.db", timeout_seconds=0.2)
        engine = create_engine(f"sqlite:///{tmp_path / 'host.db'}")
    else:
        dsn = request.getfixturevalue("postgres_dsn")
        store = PostgresStore(dsn)
        engine = create_engine(dsn.replace("postgresql://", "postgresql+psycopg://"))
    store.migrate()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS theirs"))
        connection.execute(text("CREATE TABLE theirs (n INTEGER)"))
    yield store, engine
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE theirs"))
    engine.dispose()
    store.close()


def theirs(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT n FROM theirs ORDER BY n")).scalars())


HOSTS = [Session, lambda engine: scoped_session(sessionmaker(engine)), Engine.connect]


@pytest.mark.parametrize("open_host", HOSTS, ids=["Session", "scoped_session", "Connection"])
class TestFacade:
    """The same for each object that a host may have."""

    @pytest.mark.parametrize("touched", [True, False], ids=["after theirs", "first"])
    def test_the_hosts_rollback_takes_ours_with_it(
        self, pair: tuple[Store, Engine], open_host: Callable[[Engine], Session | Connection], *, touched: bool
    ) -> None:
        store, engine = pair
        host = open_host(engine)
        if touched:
            host.execute(text("SELECT 1"))
        put(store.join(host), grant())
        host.execute(text("INSERT INTO theirs VALUES (1)"))
        host.rollback()
        host.close()
        assert (grants(store), theirs(engine)) == ([], [])

    @pytest.mark.parametrize("touched", [True, False], ids=["after theirs", "first"])
    def test_the_hosts_commit_keeps_ours_with_theirs(
        self, pair: tuple[Store, Engine], open_host: Callable[[Engine], Session | Connection], *, touched: bool
    ) -> None:
        store, engine = pair
        host = open_host(engine)
        if touched:
            host.execute(text("INSERT INTO theirs VALUES (1)"))
        put(store.join(host), grant())
        host.commit()
        host.close()
        assert (grants(store), theirs(engine)) == (["grant-1"], [1] if touched else [])

    def test_closing_without_a_commit_keeps_nothing(
        self, pair: tuple[Store, Engine], open_host: Callable[[Engine], Session | Connection]
    ) -> None:
        store, engine = pair
        host = open_host(engine)
        put(store.join(host), grant())
        host.close()
        assert grants(store) == []

    def test_a_nested_transaction_of_the_host_takes_ours_with_it(
        self, pair: tuple[Store, Engine], open_host: Callable[[Engine], Session | Connection]
    ) -> None:
        store, engine = pair
        host = open_host(engine)
        put(store.join(host), grant("a"))
        nested = host.begin_nested()
        put(store.join(host), grant("b"))
        nested.rollback()
        nested = host.begin_nested()
        put(store.join(host), grant("c"))
        nested.commit()
        host.commit()
        host.close()
        assert grants(store) == ["a", "c"]

    def test_a_nested_transaction_kept_goes_with_the_outer_one(
        self, pair: tuple[Store, Engine], open_host: Callable[[Engine], Session | Connection]
    ) -> None:
        store, engine = pair
        host = open_host(engine)
        host.execute(text("INSERT INTO theirs VALUES (1)"))
        with host.begin_nested():
            put(store.join(host), grant())
        host.rollback()
        host.close()
        assert (grants(store), theirs(engine)) == ([], [])

    def test_a_failure_undoes_ours_and_leaves_theirs_to_the_host(
        self, pair: tuple[Store, Engine], open_host: Callable[[Engine], Session | Connection]
    ) -> None:
        store, engine = pair
        host = open_host(engine)
        host.execute(text("INSERT INTO theirs VALUES (1)"))
        with pytest.raises(InvariantError):
            put(store.join(host), grant(), grant())
        host.execute(text("INSERT INTO theirs VALUES (2)"))
        host.commit()
        host.close()
        assert (grants(store), theirs(engine)) == ([], [1, 2])

    def test_one_host_after_the_other_on_a_pooled_connection(
        self, pair: tuple[Store, Engine], open_host: Callable[[Engine], Session | Connection]
    ) -> None:
        store, engine = pair
        for number in range(3):
            host = open_host(engine)
            put(store.join(host), grant(str(number)))
            if number == 1:
                host.rollback()
            else:
                host.commit()
            host.close()
        assert grants(store) == ["0", "2"]


def test_autocommit_is_refused(pair: tuple[Store, Engine]) -> None:
    store, engine = pair
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as host:
        with pytest.raises(ValidationError, match="autocommit"):
            store.join(host)
        host.rollback()
    assert grants(store) == []


def test_a_connection_goes_back_to_its_pool_as_it_was(pair: tuple[Store, Engine]) -> None:
    store, engine = pair
    with engine.connect() as host:
        put(store.join(host), grant())
        host.rollback()
    with Session(engine) as session, session.begin():
        session.execute(text("INSERT INTO theirs VALUES (1)"))
    assert theirs(engine) == [1]


def test_the_recipe_for_savepoints_over_sqlite3_is_met(tmp_path: Path) -> None:
    # SQLAlchemy's documentation: take the driver's own beginning away, and begin when the facade does.
    engine = create_engine(f"sqlite:///{tmp_path / 'host.db'}")

    @event.listens_for(engine, "connect")
    def _stop_beginning(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    store = SqliteStore(tmp_path / "host.db")
    store.migrate()
    with Session(engine) as session:
        put(store.join(session), grant("a"))
        session.rollback()
        with session.begin_nested():
            put(store.join(session), grant("b"))
        session.rollback()
    with engine.connect() as connection:
        put(store.join(connection), grant("c"))
        connection.commit()
    assert grants(store) == ["c"]
    engine.dispose()
    store.close()


def test_a_session_that_must_be_rolled_back_is_refused(pair: tuple[Store, Engine]) -> None:
    store, engine = pair
    with Session(engine) as session:
        session.connection().close()
        with pytest.raises(StoreError, match="cannot go on"):
            store.join(session)


def test_a_session_that_has_no_database_of_its_own_is_refused(pair: tuple[Store, Engine]) -> None:
    store, _ = pair
    with Session() as session, pytest.raises(ValidationError, match="does not say by itself which database"):
        store.join(session)


def test_an_engine_has_no_transaction_to_join(pair: tuple[Store, Engine]) -> None:
    store, engine = pair
    with pytest.raises(ValidationError, match="cannot join"):
        store.join(engine)
