"""Inside a transaction of an asynchronous host, on each driver: as `test_host_drivers` and `test_host_sqlalchemy`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.faults import Step, WatchedStore

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
        self.driver, _, self._kind = name.partition(" ")
        self.store = store
        self.sync = rk.RewardKit(store)
        self.sync.migrate()
        self.sync.run(rk.DefineReward("disc"))
        self.sync.run(rk.DefineOffer("second", "disc", "Bought"))
        self.sync.run(rk.DefineCampaign("spring", "second", entry="Bought"))
        self.sync.run(rk.LaunchCampaign("spring"))
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
        if self._kind == "AsyncConnection":
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
        if self._kind == "connect":
            return engine.connect()
        if self._kind == "AsyncSession":
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
    statement = f"INSERT INTO theirs VALUES ({number})"
    await host.execute(statement if isinstance(host, psycopg.AsyncConnection) else text(statement))


def nested(host: Any) -> AbstractAsyncContextManager[Any]:
    """The host's savepoint: kept when its block ends, undone when it raises."""
    found: AbstractAsyncContextManager[Any] = (
        host.transaction() if isinstance(host, psycopg.AsyncConnection) else host.begin_nested()
    )
    return found


async def buy(kit: rk.AsyncRewardKit, host: object, user: str, id: str) -> rk.Recorded:
    return await kit.on(host).emit("Bought", user=user, id=id)


@pytest.fixture(params=HOSTS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param.startswith("aiosqlite"):
        return Place(request.param, f"sqlite:///{tmp_path / 'host.db'}")
    return Place(request.param, request.getfixturevalue("postgres_dsn"))


postgresql = pytest.mark.parametrize("place", POSTGRESQL, indirect=True)


def play(place: Place, story: Callable[[rk.AsyncRewardKit], Coroutine[Any, Any, None]]) -> None:
    """Tell a story of one kit, and audit what it leaves."""

    async def told() -> None:
        async with rk.AsyncRewardKit(place.store) as kit:
            await story(kit)

    asyncio.run(told())
    store = open_store(place.store)
    assert violations(snapshot_of(store, "default", ["amanda", "bea"])) == ()
    store.close()
    place.sync.close()


class _TakeBackError(Exception):
    pass


class TestTransaction:
    @pytest.mark.parametrize("touched", [True, False], ids=["after theirs", "first"])
    def test_the_hosts_rollback_takes_ours_with_it(self, place: Place, *, touched: bool) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                if touched:
                    await add(host, 1)
                await buy(kit, host, "amanda", "1")
                await buy(kit, host, "amanda", "2")
                await add(host, 2)
                await host.rollback()
            assert place.left() == ([], [], [])

        play(place, story)

    @pytest.mark.parametrize("touched", [True, False], ids=["after theirs", "first"])
    def test_the_hosts_commit_keeps_ours_with_theirs(self, place: Place, *, touched: bool) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                if touched:
                    await add(host, 1)
                await buy(kit, host, "amanda", "1")
                assert len((await buy(kit, host, "amanda", "2")).earned) == 1
                assert [grant.user for grant in await kit.on(host).ready()] == ["amanda"]
                assert place.left() == ([], [], [])
                await host.commit()
            assert place.left() == ([1] if touched else [], ["1", "2"], ["amanda"])

        play(place, story)

    def test_closing_without_a_commit_keeps_nothing(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                await buy(kit, host, "amanda", "1")
            assert place.left() == ([], [], [])

        play(place, story)

    def test_one_transaction_after_the_other(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                for number in range(4):
                    await buy(kit, host, "amanda", str(number))
                    await (host.rollback() if number == 1 else host.commit())
            assert place.left() == ([], ["0", "2", "3"], ["amanda"])

        play(place, story)

    def test_a_savepoint_of_the_host_takes_ours_with_it(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                await buy(kit, host, "amanda", "1")
                with suppress(_TakeBackError):
                    async with nested(host):
                        await add(host, 1)
                        await buy(kit, host, "amanda", "2")
                        raise _TakeBackError
                async with nested(host):
                    await buy(kit, host, "bea", "3")
                await host.commit()
            assert place.left() == ([], ["1", "3"], [])

        play(place, story)

    def test_a_savepoint_that_is_kept_goes_with_the_transaction(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                await add(host, 1)
                async with nested(host):
                    await buy(kit, host, "amanda", "1")
                await host.rollback()
            assert place.left() == ([], [], [])

        play(place, story)

    def test_a_tenants_kit_stays_inside(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                acme = kit.on(host).tenant("acme")
                assert (await acme.emit("Bought", user="amanda", id="1")).entered == ()
                await host.rollback()
            assert place.left() == ([], [], [])

        play(place, story)

    def test_what_belongs_outside_is_refused_inside(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                inside = kit.on(host)
                with pytest.raises(rk.ValidationError, match="after the commit"):
                    await inside.deliver()
                with pytest.raises(rk.ValidationError, match="notifiers"):
                    await inside.deliver_forever()
                with pytest.raises(rk.ValidationError, match="rewardkit migrate"):
                    await inside.migrate()
                await inside.close()
                await inside.emit("Bought", user="amanda", id="1")
                await host.commit()
            assert (await kit.emit("Bought", user="amanda", id="2")).duplicate == ()

        play(place, story)


def refuse_cleo(place: Place) -> None:
    """Make the database itself refuse the events of one user."""
    with closing(place.connect()) as connection:
        if place.driver == "aiosqlite":
            connection.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON rewardkit_event WHEN NEW.user = 'cleo' "
                "BEGIN SELECT RAISE(ABORT, 'not her'); END"
            )
        else:
            connection.execute("ALTER TABLE rewardkit_event ADD CONSTRAINT refuse CHECK (\"user\" <> 'cleo')")
        connection.commit()


def admit_cleo(place: Place) -> None:
    if place.driver != "aiosqlite":
        with closing(place.connect()) as connection:
            connection.execute("ALTER TABLE rewardkit_event DROP CONSTRAINT refuse")
            connection.commit()


class TestFailures:
    def test_the_host_goes_on_after_a_refusal(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                await add(host, 1)
                with pytest.raises(rk.Refused):
                    await kit.on(host).run(rk.CancelUserOffer("uo_none"))
                assert isinstance(await kit.on(host).attempt(rk.CancelUserOffer("uo_none")), rk.Refused)
                await add(host, 2)
                await buy(kit, host, "amanda", "1")
                await host.commit()
            assert place.left() == ([1, 2], ["1"], [])

        play(place, story)

    def test_the_host_goes_on_after_an_error_of_the_database(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                await add(host, 1)
                await buy(kit, host, "amanda", "1")
                with pytest.raises(rk.RewardKitError, match="the database refused a row"):
                    await kit.on(host).emit_many(
                        [{"name": "Bought", "user": user, "id": "2"} for user in ("amanda", "cleo")]
                    )
                await add(host, 2)
                await buy(kit, host, "amanda", "3")
                await host.commit()
            assert place.left() == ([1, 2], ["1", "3"], ["amanda"])

        refuse_cleo(place)
        try:
            play(place, story)
        finally:
            admit_cleo(place)

    def test_a_call_cancelled_at_any_step_leaves_nothing_or_all_and_the_host_goes_on(self, place: Place) -> None:
        steps: list[Step] = []
        cancel_at = 0

        def watch(step: Step) -> None:
            steps.append(step)
            if len(steps) == cancel_at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()

        async def story(_kit: rk.AsyncRewardKit) -> None:
            nonlocal cancel_at
            kit = rk.AsyncRewardKit(WatchedStore(open_store(place.store), watch))
            kept = []
            async with place.open() as host:
                while True:
                    cancel_at += 1
                    steps.clear()
                    user, id = ("amanda", "bea")[cancel_at % 2], f"{cancel_at:02}"
                    try:
                        await buy(kit, host, user, id)
                        await asyncio.sleep(0)
                    except asyncio.CancelledError:
                        pass
                    if len(steps) < cancel_at:
                        break
                    if ("write", "after") in steps:
                        kept.append(id)
                    await add(host, cancel_at)
                    await host.commit()
                await host.rollback()
            await kit.close()
            assert cancel_at > 8
            assert place.left()[:2] == (list(range(1, cancel_at)), kept)

        play(place, story)

    def test_two_calls_at_once_are_refused(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                await add(host, 1)
                calls = [buy(kit, host, "amanda", str(number)) for number in range(3)]
                done = await asyncio.gather(*calls, return_exceptions=True)
                failed = [one for one in done if isinstance(one, BaseException)]
                assert [type(one) for one in failed] == [rk.StoreError, rk.StoreError]
                assert "await one before the next" in str(failed[0])
                await host.commit()
            assert len(place.left()[1]) == 1

        if place._kind == "scoped":
            pytest.skip("a scoped session is another one in each task")
        play(place, story)


@postgresql
class TestWaiting:
    """For a row that somebody else holds."""

    async def _cancelled(
        self, place: Place, kit: rk.AsyncRewardKit, cancel: Callable[[asyncio.Task[Any]], Any]
    ) -> None:
        await kit.emit("Bought", user="amanda", id="0")
        with closing(place.connect()) as other:
            other.execute("SELECT * FROM rewardkit_member FOR UPDATE")
            async with place.open() as host:
                await add(host, 1)
                task = asyncio.current_task()
                assert task is not None
                asyncio.get_running_loop().call_later(0.2, cancel, task)
                with pytest.raises(asyncio.CancelledError):
                    await buy(kit, host, "amanda", "1")
                while task.uncancel():
                    pass
                other.rollback()
                await add(host, 2)
                await buy(kit, host, "amanda", "2")
                await host.commit()
        assert place.left() == ([1, 2], ["0", "2"], ["amanda"])

    def test_a_cancelled_call_leaves_a_transaction_that_goes_on(self, place: Place) -> None:
        play(place, lambda kit: self._cancelled(place, kit, asyncio.Task.cancel))

    def test_a_call_that_is_cancelled_again_and_again_leaves_a_transaction_that_goes_on(self, place: Place) -> None:
        def cancel(task: asyncio.Task[Any], times: int = 50) -> None:
            # As anyio does until its scope has been left.
            if times and (times == 50 or task.cancelling()):
                task.cancel()
                asyncio.get_running_loop().call_soon(cancel, task, times - 1)

        play(place, lambda kit: self._cancelled(place, kit, cancel))

    def test_a_timeout_is_one_and_the_loop_goes_on_meanwhile(self, place: Place) -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        async def story(kit: rk.AsyncRewardKit) -> None:
            await kit.emit("Bought", user="amanda", id="0")
            ticking = asyncio.create_task(tick())
            with closing(place.connect()) as other:
                other.execute("SELECT * FROM rewardkit_member FOR UPDATE")
                async with place.open() as host:
                    await add(host, 1)
                    with pytest.raises(TimeoutError):
                        async with asyncio.timeout(0.3):
                            await buy(kit, host, "amanda", "1")
                    await host.commit()
            ticking.cancel()
            assert ticks >= 5
            assert place.left() == ([1], ["0"], [])

        play(place, story)

    def test_a_lock_that_is_not_given_is_a_transient_refusal(self, place: Place) -> None:
        async def story(kit: rk.AsyncRewardKit) -> None:
            await kit.emit("Bought", user="amanda", id="0")
            with closing(place.connect()) as other:
                other.execute("SELECT * FROM rewardkit_member FOR UPDATE")
                async with place.open() as host:
                    await add(host, 1)
                    setting = "SET LOCAL lock_timeout = '100ms'"
                    await host.execute(setting if place._kind == "AsyncConnection" else text(setting))
                    with pytest.raises(rk.StoreError) as caught:
                        await buy(kit, host, "amanda", "1")
                    assert (caught.value.transient, caught.value.outcome) == (True, "not_applied")
                    await host.commit()
            assert place.left() == ([1], ["0"], [])

        play(place, story)

    def test_a_connection_that_is_lost_is_refused_and_nothing_is_left(self, place: Place) -> None:
        async def lose(kit: rk.AsyncRewardKit) -> None:
            async with place.open() as host:
                await add(host, 1)
                await buy(kit, host, "amanda", "1")
                with closing(place.connect()) as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND state = 'idle in transaction' "
                        "AND pid <> pg_backend_pid()"
                    )
                with pytest.raises(rk.StoreError) as caught:
                    await buy(kit, host, "amanda", "2")
                lost.append(caught.value)

        async def story(kit: rk.AsyncRewardKit) -> None:
            with suppress(SQLAlchemyError):  # it says so once more, where it would roll back
                await lose(kit)
            assert place.left() == ([], [], [])

        lost: list[rk.StoreError] = []
        play(place, story)
        assert [error.outcome for error in lost] == ["not_applied"]
        assert lost[0].transient or "closed" in str(lost[0])
