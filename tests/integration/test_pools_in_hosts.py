"""Pools inside the transaction of a host: what the host rolls back was never issued."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.async_places import HOSTS, Place, play


@pytest.fixture(params=HOSTS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param.startswith("aiosqlite"):
        return Place(request.param, f"sqlite:///{tmp_path / 'host.db'}")
    return Place(request.param, request.getfixturevalue("postgres_dsn"))


def test_an_asynchronous_host_fills_issues_reserves_and_redeems_in_its_transaction(place: Place) -> None:
    async def story(kit: rk.AsyncRewardKit) -> None:
        async with place.open() as host:
            mine = kit.on(host)
            pool = await mine.run(rk.CreatePool("coupons", low_threshold=3))
            assert (await mine.run(rk.ImportCodes(pool.id, ["one", "two", "ONE"]))).added == 2
            assert (await mine.run(rk.GenerateCodes("coupons", 3))).added == 3
            issued = await mine.run(rk.IssueCode("coupons", "ann"), key="once")
            assert await mine.run(rk.IssueCode("coupons", "ann"), key="once") == issued
            assert (await mine.run(rk.IssueCode(pool.id, "ann"))).code == issued.code
            assert (await mine.run(rk.IssueCode("coupons"))).code != issued.code
            await mine.run(rk.ReserveCode(issued.code, reservation="order"))
            redeemed = await mine.run(rk.ConfirmReservation("order"))
            await mine.run(rk.RollBackRedemption(redeemed.id))
            await mine.run(rk.VoidCode("two"))
            assert (await mine.ask(rk.PoolStatus("coupons"))).total == 5
            await host.commit()
        async with place.open() as host:
            await kit.on(host).run(rk.IssueCode("coupons", "bob"))
            await host.rollback()
        found = await kit.ask(rk.PoolStatus("coupons"))
        assert found.issued + found.remaining + found.void == 5
        assert (await kit.ask(rk.Issuances(external_issuee_id="bob"))).items == ()
        assert [notice.kind for notice in (await kit.ask(rk.Notices())).items].count("pool.low") == 1

    play(place, story)


def test_what_a_host_rolls_back_was_never_issued(postgres_dsn: str) -> None:
    with closing(open_store(postgres_dsn)) as store:
        store.migrate()
    with rk.RewardKit(postgres_dsn) as kit, psycopg.connect(postgres_dsn) as host:
        kit.run(rk.CreatePool("coupons"))
        kit.run(rk.ImportCodes("coupons", ["only"]))
        assert kit.on(host).run(rk.IssueCode("coupons", "ann")).code == "only"
        host.rollback()
        assert kit.ask(rk.PoolStatus("coupons")).remaining == 1
        assert kit.run(rk.IssueCode("coupons", "bob")).code == "only"
