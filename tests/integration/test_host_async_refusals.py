"""What an asynchronous kit cannot join, said where the host is named; and what of a host's own does not reach us."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import rewardkit as rk


class Places:
    """A file and a database, both with tables of ours."""

    def __init__(self, path: Path, dsn: str) -> None:
        self.path, self.dsn = path, dsn
        self.file, self.database = rk.AsyncRewardKit(f"sqlite:///{path}"), rk.AsyncRewardKit(dsn)
        self.over_file = f"sqlite+aiosqlite:///{path}"
        self.over_asyncpg = dsn.replace("postgresql", "postgresql+asyncpg", 1)
        self.over_psycopg = dsn.replace("postgresql", "postgresql+psycopg", 1)


@pytest.fixture
def places(tmp_path: Path, postgres_dsn: str) -> Iterator[Places]:
    found = Places(tmp_path / "host.db", postgres_dsn)

    async def migrate() -> None:
        await found.file.migrate()
        await found.database.migrate()

    async def close() -> None:
        await found.file.close()
        await found.database.close()

    asyncio.run(migrate())
    yield found
    asyncio.run(close())


@pytest.mark.parametrize("host", [None, 1, "sqlite:///x.db", object(), [], sqlite3])
def test_what_is_no_host_is_refused_with_the_choices(places: Places, host: object) -> None:
    with pytest.raises(rk.ValidationError, match=r"cannot join .* psycopg's `AsyncConnection`, or SQLAlchemy's"):
        places.database.on(host)


def test_a_memory_kit_joins_nobody() -> None:
    async def story() -> None:
        async with rk.AsyncRewardKit() as kit:
            with pytest.raises(rk.ValidationError, match="memory store"):
                kit.on(AsyncSession())

    asyncio.run(story())


def test_blocking_objects_are_refused_by_the_asynchronous_kit(places: Places) -> None:
    engine = create_engine(f"sqlite:///{places.path}")
    with (
        closing(sqlite3.connect(places.path)) as plain,
        psycopg.connect(places.dsn) as server,
        Session(engine) as session,
    ):
        for kit, host in ((places.file, plain), (places.database, server), (places.file, session)):
            with pytest.raises(rk.ValidationError, match="is blocking; join it with a `RewardKit`"):
                kit.on(host)
    engine.dispose()


def test_asynchronous_objects_are_refused_by_the_blocking_kit(places: Places) -> None:
    async def story() -> None:
        engine = create_async_engine(places.over_file)
        async with (
            await psycopg.AsyncConnection.connect(places.dsn) as server,
            aiosqlite.connect(places.path) as file,
            AsyncSession(engine) as session,
            engine.connect() as connection,
        ):
            for host in (server, file, session, connection):
                with pytest.raises(rk.ValidationError, match="is asynchronous, and this kit is not; join it with an"):
                    blocking.on(host)
            with pytest.raises(rk.ValidationError, match="`AsyncSession` or `AsyncConnection` to an `AsyncRewardKit`"):
                blocking.on(session.sync_session)
        await engine.dispose()

    with rk.RewardKit(f"sqlite:///{places.path}") as blocking:
        asyncio.run(story())


def test_drivers_by_themselves_are_refused(places: Places) -> None:
    async def story() -> None:
        server = await asyncpg.connect(places.dsn)
        async with (
            aiosqlite.connect(places.path) as file,
            asyncpg.create_pool(places.dsn, min_size=1) as pool,
            pool.acquire() as pooled,
        ):
            for kit, host in ((places.file, file), (places.database, server), (places.database, pooled)):
                with pytest.raises(rk.ValidationError, match="by itself; give psycopg's `AsyncConnection`, or"):
                    kit.on(host)
        await server.close()

    asyncio.run(story())


def test_what_has_no_transaction_is_refused(places: Places) -> None:
    async def story() -> None:
        engine = create_async_engine(places.over_file)
        with pytest.raises(rk.ValidationError, match=r"cannot join the transaction of a `sqlalchemy\.AsyncEngine`"):
            places.file.on(engine)
        with pytest.raises(rk.ValidationError, match="has not been opened; `await` it"):
            places.file.on(engine.connect())
        async with AsyncSession() as session:
            with pytest.raises(rk.ValidationError, match="does not say by itself which database"):
                places.file.on(session)
        await engine.dispose()

    asyncio.run(story())


def test_another_database_is_refused(places: Places) -> None:
    async def story() -> None:
        over_file, over_asyncpg = create_async_engine(places.over_file), create_async_engine(places.over_asyncpg)
        async with AsyncSession(over_file) as file, AsyncSession(over_asyncpg) as server:
            with pytest.raises(rk.ValidationError, match=r"over `sqlite\+aiosqlite`: .*`postgresql\+asyncpg`"):
                places.database.on(file)
            with pytest.raises(rk.ValidationError, match=r"over `postgresql\+asyncpg`: .*`sqlite\+aiosqlite`"):
                places.file.on(server)
        async with await psycopg.AsyncConnection.connect(places.dsn) as connection:
            with pytest.raises(rk.ValidationError, match=r"`psycopg\.AsyncConnection`: this kit .* in SQLite"):
                places.file.on(connection)
        await over_file.dispose()
        await over_asyncpg.dispose()

    asyncio.run(story())


def test_autocommit_is_refused_where_the_connection_is_named(places: Places) -> None:
    async def story() -> None:
        async with await psycopg.AsyncConnection.connect(places.dsn, autocommit=True) as connection:
            with pytest.raises(rk.ValidationError, match="autocommit"):
                places.database.on(connection)
            async with connection.transaction(force_rollback=True):
                await places.database.on(connection).emit("A", user="amanda", id="1")
            async with connection.transaction():
                await places.database.on(connection).emit("A", user="amanda", id="2")
        assert (await places.database.emit("A", user="amanda", id="1")).duplicate == ()
        assert (await places.database.emit("A", user="amanda", id="2")).duplicate == ("2",)

    asyncio.run(story())


@pytest.mark.parametrize("over", ["over_file", "over_asyncpg", "over_psycopg"])
def test_autocommit_through_sqlalchemy_is_refused_at_the_first_call(places: Places, over: str) -> None:
    kit = places.file if over == "over_file" else places.database

    async def story() -> None:
        engine = create_async_engine(getattr(places, over), isolation_level="AUTOCOMMIT")
        async with AsyncSession(engine) as session:
            with pytest.raises(rk.ValidationError, match="autocommit"):
                await kit.on(session).emit("A", user="amanda", id="1")
        await engine.dispose()
        assert (await kit.emit("A", user="amanda", id="1")).duplicate == ()

    asyncio.run(story())


@pytest.mark.parametrize("over", ["over_asyncpg", "over_psycopg"])
def test_a_broken_transaction_is_refused(places: Places, over: str) -> None:
    async def story() -> None:
        engine = create_async_engine(getattr(places, over))
        async with engine.connect() as host:
            with pytest.raises(Exception, match="nowhere"):
                await host.execute(text("SELECT * FROM nowhere"))
            with pytest.raises(rk.StoreError, match="can only be rolled back"):
                await places.database.on(host).emit("A", user="amanda", id="1")
            await host.rollback()
            await places.database.on(host).emit("A", user="amanda", id="1")
            await host.commit()
        await engine.dispose()

    asyncio.run(story())


def test_a_broken_or_closed_connection_of_psycopg_is_refused(places: Places) -> None:
    async def story() -> None:
        host = await psycopg.AsyncConnection.connect(places.dsn)
        with pytest.raises(psycopg.errors.UndefinedTable):
            await host.execute("SELECT * FROM nowhere")
        with pytest.raises(rk.StoreError, match="can only be rolled back"):
            places.database.on(host)
        await host.close()
        with pytest.raises(rk.StoreError, match="closed"):
            places.database.on(host)

    asyncio.run(story())


def test_a_connection_of_psycopg_needs_the_extra(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with await psycopg.AsyncConnection.connect(places.dsn) as host:
            monkeypatch.setitem(sys.modules, "greenlet", None)
            with pytest.raises(rk.ExtraNotInstalled, match=r"pip install 'rewardkit\[async\]'"):
                places.database.on(host)

    asyncio.run(story())


def test_a_database_without_tables_is_refused_and_the_transaction_goes_on(places: Places) -> None:
    async def story() -> None:
        other = rk.AsyncRewardKit(places.dsn, prefix="other_")
        engine = create_async_engine(places.over_asyncpg)
        async with engine.connect() as host:
            with pytest.raises(rk.SchemaError, match="rewardkit migrate"):
                await other.on(host).emit("A", user="amanda", id="1")
            await places.database.on(host).emit("A", user="amanda", id="1")
            await host.commit()
        await engine.dispose()
        await other.close()

    asyncio.run(story())


def test_factories_and_loaders_of_psycopg_do_not_reach_us(places: Places) -> None:
    class Upper(psycopg.adapt.Loader):
        def load(self, data: Any) -> str:
            return bytes(data).decode().upper()

    class UpperBinary(Upper):
        format = psycopg.pq.Format.BINARY

    async def story() -> None:
        async with await psycopg.AsyncConnection.connect(places.dsn, row_factory=dict_row) as host:
            for name in ("text", "int8", "bytea"):
                host.adapters.register_loader(name, Upper)
                host.adapters.register_loader(name, UpperBinary)
            inside = places.database.on(host)
            await inside.emit("A", user="amanda", id="1")
            assert (await inside.emit("A", user="amanda", id="1")).duplicate == ("1",)

    asyncio.run(story())


def test_factories_of_aiosqlite_do_not_reach_us_and_stay(places: Places) -> None:
    async def story() -> None:
        engine = create_async_engine(places.over_file)
        async with engine.connect() as host:
            driver = (await host.get_raw_connection()).driver_connection
            assert driver is not None
            driver.row_factory, driver.text_factory = _as_mapping, bytes
            inside = places.file.on(host)
            await inside.emit("A", user="amanda", id="1")
            assert (await inside.emit("A", user="amanda", id="1")).duplicate == ("1",)
            assert (driver.row_factory, driver.text_factory) == (_as_mapping, bytes)
            driver.row_factory, driver.text_factory = None, str
        await engine.dispose()

    asyncio.run(story())


def _as_mapping(_cursor: object, row: tuple[Any, ...]) -> Any:
    return {"row": row}


@pytest.mark.parametrize("over", ["over_asyncpg", "over_psycopg"])
def test_it_leaves_the_hosts_settings(places: Places, over: str) -> None:
    settings = text("SELECT name, setting FROM pg_settings ORDER BY name")

    async def story() -> None:
        engine = create_async_engine(getattr(places, over))
        async with engine.connect() as host:
            before = (await host.execute(settings)).fetchall()
            await places.database.on(host).emit("A", user="amanda", id="1")
            assert (await host.execute(settings)).fetchall() == before
        await engine.dispose()

    asyncio.run(story())


def test_a_first_savepoint_over_aiosqlite_rolls_back_with_sqlalchemys_recipe(places: Places) -> None:
    async def story() -> None:
        engine = create_async_engine(places.over_file)

        @event.listens_for(engine.sync_engine, "connect")
        def _leave_beginning_to_sqlalchemy(connection: Any, _record: object) -> None:
            connection.isolation_level = None

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        async with AsyncSession(engine) as session:
            async with session.begin_nested():
                await places.file.on(session).emit("A", user="amanda", id="1")
            await session.rollback()
            await places.file.on(session).emit("A", user="amanda", id="2")
            await session.commit()
        await engine.dispose()
        assert (await places.file.emit("A", user="amanda", id="1")).duplicate == ()
        assert (await places.file.emit("A", user="amanda", id="2")).duplicate == ("2",)

    asyncio.run(story())


def test_a_connection_opened_by_awaiting_it_is_joined(places: Places) -> None:
    async def story() -> None:
        engine = create_async_engine(places.over_file)
        host: AsyncConnection = await engine.connect()
        await places.file.on(host).emit("A", user="amanda", id="1")
        await host.commit()
        await host.close()
        await engine.dispose()
        assert (await places.file.emit("A", user="amanda", id="1")).duplicate == ("1",)

    asyncio.run(story())
