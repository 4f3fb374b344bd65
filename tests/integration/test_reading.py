"""Queries read what was committed, and wait for nobody who writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

import rewardkit as rk
from rewardkit.core.decide import _QUERIES
from rewardkit.core.entrance.definition_checks import DefinitionChecks
from rewardkit.core.storing.seen_needs import InForce
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.storage.tables import TABLES
from rewardkit.testing import FakeClock

BLOCKED_SECONDS = 0.2
"""After which a statement that waits fails: nothing that is asked here may come near it."""


class Shop:
    """A kit with something of everything in it, and somebody else who can hold all of it."""

    def __init__(self, store: rk.Store, another: rk.Store, hold: AbstractContextManager[object]) -> None:
        self.store, self.another = store, another
        self.hold = hold
        clock = FakeClock()
        self.kit = rk.RewardKit(store, clock=clock)
        self.kit.migrate()
        self._define()
        self.code = self._happen()
        clock.advance("40d")

    def _define(self) -> None:
        run = self.kit.run
        run(rk.CreatePool("codes"))
        run(rk.ImportCodes("codes", ("CODE-1", "CODE-2")))
        run(rk.DefineReward("five", {"amount": "5.00"}))
        run(rk.DefineReward("coupon", issues={"pool": "codes"}))
        run(rk.DefineOffer("third", "coupon", "purchase*2", expires_after="30d"))
        run(rk.DefineReferralProgram("friends", "five", "five", "purchase", expires_after="30d", sender_cap=3))
        run(rk.DefineCampaign("spring", "third", entry="purchase", audience="purchase in last 5d", cap=5))
        run(rk.DefineCampaign("always", program="friends"))
        run(rk.DefineCampaign("double", program="friends", sender="purchase"))
        for name in ("spring", "always", "double"):
            run(rk.LaunchCampaign(name))

    def _happen(self) -> str:
        kit = self.kit
        code = kit.run(rk.GiveReferralCode("sue")).code
        kit.run(rk.EnterReferralCode(code, "rob"))
        kit.run(rk.EnterReferralCode(code, "rod"))  # expires, unnoticed
        for user, number in (("sue", 3), ("rob", 1), ("tom", 1)):  # what `tom` was offered expires, unnoticed
            for place in range(number):
                kit.emit("purchase", user=user, order=place)
        return code

    def queries(self) -> Iterator[rk.Query[Any]]:
        """Every query, each asked so that it finds something."""
        (coupon,) = (one for one in self.kit.ask(rk.Grants("sue")).items if one.reward.name == "coupon")
        (friend,) = self.kit.ask(rk.Grants("rob")).items
        for name in ("spring", "double"):
            yield rk.LaunchChecks(name)
            yield rk.Preview("tom", name)
        yield DefinitionChecks((rk.DefineCampaign("spring", "third", entry="visit"),))
        yield rk.Grants()
        for one in (coupon, friend):
            yield rk.GrantHistory(one.id)
            yield rk.Explain(one.id)
        for status in (None, "expired"):
            yield rk.UserOffers(status=status)
            yield rk.Referrals(status=status)
        yield from (rk.Notices(), rk.Campaigns(), rk.CampaignReport("spring"), rk.ReferralReport("friends"))
        yield from (rk.SenderTerms("sue"), rk.ReferralPrograms(), rk.ReferralCampaigns())
        yield from (rk.Endpoints(), rk.RegisteredEndpoints(), rk.Pools(), rk.PoolStatus("codes"))
        yield from (rk.CodeStatus(coupon.code), rk.Codes("codes"), rk.Issuances(), rk.Redemptions())
        yield rk.CodeOdds("codes", 10)


@pytest.fixture
def sqlite_shop(tmp_path: Path) -> Iterator[Shop]:
    path = tmp_path / "rewards.db"

    @contextmanager
    def hold() -> Iterator[object]:
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM rewardkit_notice")
            yield writer
            writer.execute("ROLLBACK")

    store = SqliteStore(path, timeout_seconds=BLOCKED_SECONDS)
    yield Shop(store, SqliteStore(path), hold())
    store.close()


@pytest.fixture
def postgres_shop(postgres_dsn: str) -> Iterator[Shop]:
    @contextmanager
    def hold() -> Iterator[object]:
        with psycopg.connect(postgres_dsn) as writer:
            for table in TABLES:
                writer.execute(f"SELECT 1 FROM rewardkit_{table.name} FOR UPDATE".encode())
            writer.execute("DELETE FROM rewardkit_notice")
            yield writer
            writer.rollback()

    store = PostgresStore(postgres_dsn, lock_timeout_seconds=BLOCKED_SECONDS)
    yield Shop(store, PostgresStore(postgres_dsn), hold())
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> Shop:
    found: Shop = request.getfixturevalue(f"{request.param}_shop")
    return found


def test_every_query_answers_while_somebody_else_writes(shop: Shop) -> None:
    queries = list(shop.queries())
    assert set(_QUERIES) == {type(query) for query in queries}
    before = [shop.kit.ask(query) for query in queries]
    with shop.hold:
        with pytest.raises(rk.StoreError, match="another transaction"):
            shop.kit.emit("purchase", user="sue")
        assert before == [shop.kit.ask(query) for query in queries]
    assert shop.kit.emit("purchase", user="sue").event_ids


def test_a_query_of_a_new_connection_answers_while_somebody_else_writes(shop: Shop) -> None:
    before = shop.kit.ask(rk.Grants())
    shop.kit.close()
    with shop.hold:
        assert before == shop.kit.ask(rk.Grants())


def test_a_transaction_that_reads_sees_one_state_whatever_others_commit(shop: Shop) -> None:
    looking, other = shop.store, rk.RewardKit(shop.another, clock=FakeClock("2026-03-01T00:00:00Z"))
    with looking.transaction("default", reading=True) as transaction:
        before = transaction.ask(InForce())
        other.run(rk.DefineReward("six"))
        assert before == transaction.ask(InForce())
    with looking.transaction("default", reading=True) as transaction:
        assert before != transaction.ask(InForce())
    other.close()
