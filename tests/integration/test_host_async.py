"""Inside a transaction of an asynchronous host, on each driver: as `test_host_drivers` and `test_host_sqlalchemy`."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.async_places import HOSTS, Place, add, buy, nested, play
from rewardkit.testing.faults import Step, WatchedStore


@pytest.fixture(params=HOSTS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param.startswith("aiosqlite"):
        return Place(request.param, f"sqlite:///{tmp_path / 'host.db'}")
    return Place(request.param, request.getfixturevalue("postgres_dsn"))


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

        if place.kind == "scoped":
            pytest.skip("a scoped session is another one in each task")
        play(place, story)
