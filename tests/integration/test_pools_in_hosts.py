"""Pools inside the transaction of a host: what the host rolls back was never issued."""

from __future__ import annotations

import sqlite3
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


PUBLIC = (
    rk.RedeemCode("only", public=True),
    rk.ReserveCode("only", public=True),
    rk.CheckCode("only"),
    rk.EnterPromoCode("only", "ann"),
    rk.EnterPromoCode("only", "ann", public=False),
    rk.EnterReferralCode("only", "ann", public=True),
)


@pytest.mark.parametrize("command", PUBLIC, ids=lambda command: type(command).__name__)
def test_attempts_that_a_host_could_roll_back_are_refused_and_reserving_outside_is_the_way(
    command: rk.Command[object], tmp_path: Path
) -> None:
    database = tmp_path / "host.db"
    with rk.RewardKit(f"sqlite:///{database}") as kit:
        kit.run(rk.CreatePool("coupons", bearer=True))
        kit.run(rk.ImportCodes("coupons", ["only"]))
        with closing(sqlite3.connect(database, isolation_level=None)) as host:
            host.execute("BEGIN")
            with pytest.raises(rk.ValidationError, match="make them by the kit that `on` was called on"):
                kit.on(host).run(command)
            host.execute("ROLLBACK")
            kit.run(rk.ReserveCode("only", reservation="order", public=True, subject="ann"))
            host.execute("BEGIN")
            kit.on(host).run(rk.ConfirmReservation("order"))
            host.execute("COMMIT")
        assert kit.ask(rk.CodeStatus("only")).redemptions.total == 1
