"""Asynchronous hosts of every kind, for tests of what joins their transactions; needs the development extra."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)

from rewardkit.async_kit import AsyncRewardKit
from rewardkit.core.requests.answers import Recorded
from rewardkit.core.requests.commands import DefineCampaign, DefineOffer, DefineReward, LaunchCampaign
from rewardkit.kit import RewardKit
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of

HOSTS = [
    "psycopg AsyncConnection",
    "psycopg AsyncSession",
    "psycopg connect",
    "asyncpg AsyncSession",
    "asyncpg connect",
    "aiosqlite AsyncSession",
    "aiosqlite connect",
    "asyncpg scoped",
]
POSTGRESQL = [name for name in HOSTS if not name.startswith("aiosqlite")]


class Place:
    """A database with definitions and a table of the host's, and a way to open the host's transaction there."""

    def __init__(self, name: str, store: str) -> None:
        self.driver, _, self.kind = name.partition(" ")
        self.store = store
        kit = RewardKit(store)
        kit.migrate()
        kit.run(DefineReward("disc"))
        kit.run(DefineOffer("second", "disc", "Bought"))
        kit.run(DefineCampaign("spring", "second", entry="Bought"))
        kit.run(LaunchCampaign("spring"))
        kit.close()
        with closing(self.connect()) as connection:
            connection.execute("DROP TABLE IF EXISTS theirs")
            connection.execute("CREATE TABLE theirs (n INTEGER)")
            connection.commit()

    def connect(self) -> Any:
        """A blocking connection of somebody else."""
        if self.store.startswith("sqlite"):
            return sqlite3.connect(self.store.removeprefix("sqlite:///"))
        return psycopg.connect(self.store)

    @property
    def url(self) -> str:
        dialect, _, rest = self.store.partition(":")
        return f"{dialect}+{self.driver}:{rest}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Any]:
        if self.kind == "AsyncConnection":
            connection = await psycopg.AsyncConnection.connect(self.store)
            try:
                yield connection
            finally:
                await connection.close()
            return
        engine = create_async_engine(self.url)
        try:
            async with self._open_on(engine) as host:
                yield host
        finally:
            await engine.dispose()

    def _open_on(self, engine: AsyncEngine) -> AbstractAsyncContextManager[Any]:
        if self.kind == "connect":
            return engine.connect()
        if self.kind == "AsyncSession":
            return AsyncSession(engine)
        return scoped(engine)

    def left(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Their rows, the ids of our events, and the users of our grants, as another connection sees them."""
        with closing(self.connect()) as connection:
            theirs, events, grants = (
                [row[0] for row in connection.execute(query).fetchall()]
                for query in (
                    "SELECT n FROM theirs ORDER BY n",
                    "SELECT id FROM rewardkit_event ORDER BY id",
                    'SELECT "user" FROM rewardkit_grant ORDER BY "user"',
                )
            )
        return theirs, events, grants


@asynccontextmanager
async def scoped(engine: AsyncEngine) -> AsyncIterator[Any]:
    sessions = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)
    try:
        yield sessions
    finally:
        await sessions.remove()


async def add(host: Any, number: int) -> None:
    """A row of the host's own."""
    statement = f"INSERT INTO theirs VALUES ({number:d})"  # noqa: S608 - a number
    await host.execute(statement if isinstance(host, psycopg.AsyncConnection) else text(statement))


def nested(host: Any) -> AbstractAsyncContextManager[Any]:
    """The host's savepoint: kept when its block ends, undone when it raises."""
    found: AbstractAsyncContextManager[Any] = (
        host.transaction() if isinstance(host, psycopg.AsyncConnection) else host.begin_nested()
    )
    return found


async def buy(kit: AsyncRewardKit, host: object, user: str, id: str) -> Recorded:
    return await kit.on(host).emit("Bought", user=user, id=id)


def play(place: Place, story: Callable[[AsyncRewardKit], Coroutine[Any, Any, None]]) -> None:
    """Tell a story of one kit, and audit what it leaves."""

    async def told() -> None:
        async with AsyncRewardKit(place.store) as kit:
            await story(kit)

    asyncio.run(told())
    store = open_store(place.store)
    assert violations(snapshot_of(store, "default", ["amanda", "bea"])) == ()
    store.close()
