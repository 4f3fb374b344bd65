"""Inside a transaction of Django's connection, over sqlite3 and over psycopg."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connections, transaction
from psycopg.conninfo import conninfo_to_dict

from rewardkit.core.storing import needs
from rewardkit.errors import InvariantError, StoreError, ValidationError
from rewardkit.ports import Store
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.rows import grant
from rewardkit.testing.steps import ask, grants, put


@pytest.fixture(scope="module", autouse=True)
def _django() -> None:
    if not settings.configured:
        settings.configure(DATABASES={}, USE_TZ=True, LOGGING_CONFIG=None)
        django.setup()


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Any]]:
    """A store, and Django's connection to the same database."""
    store: Store
    if request.param == "sqlite":
        store = SqliteStore(tmp_path / "host.db", timeout_seconds=0.2)
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "host.db"}
    else:
        dsn = request.getfixturevalue("postgres_dsn")
        parts = conninfo_to_dict(dsn)
        store = PostgresStore(dsn)
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts["dbname"],
            "USER": parts["user"],
            "HOST": parts["host"],
        }
    store.migrate()
    connections.settings = connections.configure_settings({"default": database})
    host = connections["default"]
    with host.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS theirs")
        cursor.execute("CREATE TABLE theirs (n INTEGER)")
    yield store, host
    if not host.closed_in_transaction and host.is_usable() and not host.in_atomic_block:
        with host.cursor() as cursor:
            cursor.execute("DROP TABLE theirs")
    host.close()
    del connections["default"]
    store.close()


def theirs(host: Any) -> list[int]:
    with host.cursor() as cursor:
        cursor.execute("SELECT n FROM theirs ORDER BY n")
        return [row[0] for row in cursor.fetchall()]


def add(host: Any, number: int) -> None:
    with host.cursor() as cursor:
        cursor.execute("INSERT INTO theirs VALUES (%s)", [number])


class _TakeBackError(Exception):
    pass


@pytest.mark.parametrize("touched", [True, False], ids=["after theirs", "first"])
def test_an_atomic_block_that_raises_takes_ours_with_it(pair: tuple[Store, Any], *, touched: bool) -> None:
    store, host = pair
    with pytest.raises(_TakeBackError), transaction.atomic():  # noqa: PT012, the block is the case
        if touched:
            add(host, 1)
        put(store.join(host), grant())
        raise _TakeBackError
    assert (grants(store), theirs(host)) == ([], [])


@pytest.mark.parametrize("touched", [True, False], ids=["after theirs", "first"])
def test_an_atomic_block_that_ends_keeps_ours_with_theirs(pair: tuple[Store, Any], *, touched: bool) -> None:
    store, host = pair
    with transaction.atomic():
        if touched:
            add(host, 1)
        put(store.join(host), grant())
    assert (grants(store), theirs(host)) == (["grant-1"], [1] if touched else [])


def test_the_name_that_applications_import_is_joined_too(pair: tuple[Store, Any]) -> None:
    from django.db import connection

    store, _ = pair
    for _ in range(2):
        with transaction.atomic():
            put(store.join(connection), grant())
            transaction.set_rollback(True)
    assert grants(store) == []


def test_a_nested_block_takes_ours_with_it(pair: tuple[Store, Any]) -> None:
    store, host = pair
    with transaction.atomic():
        put(store.join(host), grant("a"))
        with pytest.raises(_TakeBackError), transaction.atomic():  # noqa: PT012, the block is the case
            put(store.join(host), grant("b"))
            raise _TakeBackError
        with transaction.atomic():
            put(store.join(host), grant("c"))
    assert grants(store) == ["a", "c"]


def test_a_nested_block_kept_goes_with_the_outer_one(pair: tuple[Store, Any]) -> None:
    store, host = pair
    with transaction.atomic():
        with transaction.atomic():
            put(store.join(host), grant())
        transaction.set_rollback(True)
    assert grants(store) == []


def test_a_failure_of_ours_does_not_break_the_block(pair: tuple[Store, Any]) -> None:
    store, host = pair
    with transaction.atomic():
        add(host, 1)
        with pytest.raises(InvariantError):
            put(store.join(host), grant(), grant())
        add(host, 2)
        put(store.join(host), grant("a"))
    assert (grants(store), theirs(host)) == (["a"], [1, 2])


def test_autocommit_is_refused(pair: tuple[Store, Any]) -> None:
    store, host = pair
    with pytest.raises(ValidationError, match="atomic"):
        store.join(host)
    with transaction.atomic():
        joined = store.join(host)
    with pytest.raises(ValidationError, match="atomic"):
        put(joined, grant())
    assert grants(store) == []


def test_a_block_that_is_broken_already_is_refused(pair: tuple[Store, Any]) -> None:
    store, host = pair
    with transaction.atomic():
        with pytest.raises(DatabaseError), transaction.atomic(savepoint=False):
            theirs_missing(host)
        with pytest.raises(StoreError, match="rolled back"):
            store.join(host)
        transaction.set_rollback(True)
    assert grants(store) == []


def theirs_missing(host: Any) -> None:
    with host.cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere")


@pytest.mark.parametrize("kept", [True, False])
def test_a_connection_without_autocommit_is_joined(pair: tuple[Store, Any], *, kept: bool) -> None:
    store, host = pair
    transaction.set_autocommit(False)
    try:
        put(store.join(host), grant())
        if kept:
            transaction.commit()
        else:
            transaction.rollback()
    finally:
        transaction.set_autocommit(True)
    assert grants(store) == (["grant-1"] if kept else [])


@pytest.mark.parametrize("pair", ["postgresql"], indirect=True)
def test_the_drivers_error_of_a_lock_is_a_transient_refusal(pair: tuple[Store, Any], postgres_dsn: str) -> None:
    store, host = pair
    put(store, grant())
    with psycopg.connect(postgres_dsn) as other:
        other.execute("SELECT * FROM rewardkit_grant FOR UPDATE")
        with transaction.atomic():
            add(host, 1)
            with host.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
            with pytest.raises(StoreError) as caught:
                ask(store.join(host), needs.GrantOf("grant-1"))
            assert (caught.value.transient, caught.value.outcome) == (True, "not_applied")
            add(host, 2)
        other.rollback()
    assert theirs(host) == [1, 2]
