"""Workers that deliver until they are stopped: they wake by what is committed, and survive a store that is away."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import rewardkit as rk
from rewardkit.errors import SchemaError, StoreError
from rewardkit.ports import Hear, Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.postgres import PostgresStore

PATIENCE_SECONDS = 30.0
LONG_SECONDS = 600.0
"""Between looks: nobody who only polls would see anything in time."""


def define(kit: rk.RewardKit) -> None:
    kit.migrate()
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineOffer("o", "disc", "A"))
    kit.run(rk.DefineCampaign("c", "o", user_cap=100))
    kit.run(rk.LaunchCampaign("c"))


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@contextmanager
def working(kit: rk.RewardKit, poll_seconds: float) -> Iterator[list[rk.Delivery]]:
    stop, done = threading.Event(), list[rk.Delivery]()
    thread = threading.Thread(target=lambda: done.append(kit.deliver_forever(stop, poll_seconds=poll_seconds)))
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


@pytest.mark.parametrize("kind", ["memory", "SQLite", "PostgreSQL"])
def test_what_comes_is_delivered_as_it_comes(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    texts = {"memory": ":memory:", "SQLite": f"sqlite:///{tmp_path / 'rewards.db'}"}
    told: list[rk.Notice] = []
    kit = rk.RewardKit(texts.get(kind) or request.getfixturevalue("postgres_dsn"), notifiers=[told.append])
    define(kit)
    kit.run(rk.MakeOffer("c", "early"))
    with working(kit, 0.05) as done:
        until(lambda: len(told) == 1)
        kit.run(rk.MakeOffer("c", "late"))
        until(lambda: len(told) == 2)
    assert done == [rk.Delivery(delivered=2)]
    kit.close()


def test_on_postgresql_a_worker_hears_of_its_tenants_commits_and_of_no_roll_back(postgres_dsn: str) -> None:
    told: list[rk.Notice] = []
    kit = rk.RewardKit(postgres_dsn, notifiers=[told.append])
    define(kit)
    define(kit.tenant("other"))
    with PostgresStore(postgres_dsn).listening("default") as hear, psycopg.connect(postgres_dsn) as host:
        kit.tenant("other").run(rk.MakeOffer("c", "amanda"))
        kit.on(host).run(rk.MakeOffer("c", "amanda"))
        assert not hear(0.3)
        host.rollback()
        assert not hear(0.3)
        kit.on(host).run(rk.MakeOffer("c", "amanda"))
        host.commit()
        assert hear(PATIENCE_SECONDS)
    with working(kit, LONG_SECONDS):
        until(lambda: len(told) == 1)
        kit.run(rk.MakeOffer("c", "bea"))
        until(lambda: len(told) == 2)
    kit.close()


class Away(MemoryStore):
    """A store that cannot be reached at first, or ever."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)

    @contextmanager
    def listening(self, tenant: str) -> Iterator[Hear]:
        if self.errors:
            raise self.errors.pop(0)
        with super().listening(tenant) as hear:
            yield hear


def test_a_worker_survives_a_store_that_is_away_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    told: list[rk.Notice] = []
    kit = rk.RewardKit(Away(StoreError("no route"), StoreError("still none")), notifiers=[told.append])
    define(kit)
    kit.run(rk.MakeOffer("c", "amanda"))
    with caplog.at_level(logging.WARNING, "rewardkit.notices"), working(kit, 0.01):
        until(lambda: len(told) == 1)
    assert [record.getMessage() for record in caplog.records] == [
        "nothing is delivered for now: no route",
        "nothing is delivered for now: still none",
    ]


def test_a_worker_on_a_store_that_can_never_be_reached_ends_with_its_error() -> None:
    kit = rk.RewardKit(Away(SchemaError("run `rewardkit migrate`")), notifiers=[print])
    with pytest.raises(SchemaError):
        kit.deliver_forever(threading.Event())


def test_a_server_that_ends_the_connection_of_a_listener_is_listened_to_again(
    postgres_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[rk.Notice] = []
    kit = rk.RewardKit(postgres_dsn, notifiers=[told.append])
    define(kit)
    with working(kit, 0.2), psycopg.connect(postgres_dsn, autocommit=True) as other:
        find = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'"
        until(lambda: other.execute(find).fetchall() == [(True,)])
        until(lambda: "no longer hears" in caplog.text)
        kit.run(rk.MakeOffer("c", "amanda"))
        until(lambda: len(told) == 1)
    kit.close()


def test_a_worker_that_is_stopped_records_what_it_told_and_gives_the_rest_back() -> None:
    stop, told = threading.Event(), list[rk.Notice]()

    def tell(notice: rk.Notice) -> None:
        told.append(notice)
        stop.set()

    kit = rk.RewardKit(notifiers=[tell])
    define(kit)
    for _ in range(3):
        kit.run(rk.MakeOffer("c", "amanda"))
    assert kit.deliver_forever(stop) == rk.Delivery(delivered=1)
    assert len(told) == 1
    assert kit.deliver() == rk.Delivery(delivered=2)


def test_a_worker_needs_notifiers_and_a_store_of_its_own(postgres_dsn: str) -> None:
    with pytest.raises(rk.ValidationError, match="no notifiers"):
        rk.RewardKit().deliver_forever(threading.Event())
    kit = rk.RewardKit(postgres_dsn, notifiers=[print])
    kit.migrate()
    with psycopg.connect(postgres_dsn) as host:
        joined = kit.on(host)
        with pytest.raises(rk.ValidationError, match="after the commit"):
            joined.deliver_forever(threading.Event())
    kit.close()


def test_an_asynchronous_worker_ends_with_its_task() -> None:
    async def main() -> None:
        told: list[rk.Notice] = []
        async with rk.AsyncRewardKit(notifiers=[told.append]) as kit:
            await kit.run(rk.DefineReward("disc"))
            await kit.run(rk.DefineOffer("o", "disc", "A"))
            await kit.run(rk.DefineCampaign("c", "o"))
            await kit.run(rk.LaunchCampaign("c"))
            task = asyncio.create_task(kit.deliver_forever(poll_seconds=0.05))
            await kit.run(rk.MakeOffer("c", "amanda"))
            await asyncio.to_thread(until, lambda: bool(told))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [notice.status for notice in (await kit.ask(rk.Notices())).items] == ["delivered"]

    asyncio.run(asyncio.wait_for(main(), PATIENCE_SECONDS))


def test_a_joined_store_hears_of_nothing(postgres_dsn: str) -> None:
    store: Store = PostgresStore(postgres_dsn)
    store.migrate()
    with psycopg.connect(postgres_dsn) as host, pytest.raises(rk.ValidationError, match="hears of no notices"):
        store.join(host).listening("default")
    store.close()
