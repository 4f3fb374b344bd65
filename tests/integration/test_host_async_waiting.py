"""Asynchronous hosts on PostgreSQL whose call waits for a row of somebody else, or whose connection is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import rewardkit as rk
from rewardkit.testing.async_places import POSTGRESQL, Place, add, buy, play


@pytest.fixture(params=POSTGRESQL)
def place(request: pytest.FixtureRequest, postgres_dsn: str) -> Place:
    return Place(request.param, postgres_dsn)


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
                    await host.execute(setting if place.kind == "AsyncConnection" else text(setting))
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
