"""X1: the same random history of commands gives the same answers on memory, SQLite and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.notices.outbox import Attempt, LeaseOutbox, MarkOutbox
from rewardkit.core.notices.outcomes import Delivered, RetryLater
from rewardkit.core.requests.commands import Backfill, Command
from rewardkit.core.requests.queries import Query
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.random_commands import USERS, RandomCommands

SCALE = int(os.environ.get("REWARDKIT_SCALE", "1"))
FIRST = int(os.environ.get("REWARDKIT_SEED", "0"))
SEEDS = range(FIRST, FIRST + 5 * SCALE)
STEPS = 50

QUERIES: tuple[Query[Any], ...] = (
    rk.Grants(),
    rk.Grants("bea", limit=1),
    rk.Grants(status="ready"),
    rk.UserOffers(),
    rk.UserOffers("amanda", status="active"),
    rk.UserOffers(campaign="c1", status="expired", limit=2),
    rk.Notices(),
    rk.Notices(status="pending", limit=3),
    rk.Campaigns(),
)


@pytest.fixture
def stores(tmp_path: Path, postgres_dsn: str) -> Iterator[dict[str, Store]]:
    texts = {"memory": ":memory:", "SQLite": f"sqlite:///{tmp_path / 'rewards.db'}", "PostgreSQL": postgres_dsn}
    opened = {name: open_store(text, prefix="rewardkit_") for name, text in texts.items()}
    for store in opened.values():
        store.migrate()
    yield opened
    for store in opened.values():
        store.close()


class Kits:
    """One kit a store; what is asked of one is asked of all, and they have to agree."""

    def __init__(self, stores: dict[str, Store], tenant: str) -> None:
        self.stores = stores
        self.tenant = tenant
        self.clock = FakeClock()
        self.restart()

    def restart(self) -> None:
        self.kits = {
            name: rk.RewardKit(store, clock=self.clock, tenant=self.tenant) for name, store in self.stores.items()
        }

    def run(self, command: Command[Any], key: str | None = None) -> Any:
        return self._agreed(command, {name: _attempt(kit, command, key) for name, kit in self.kits.items()})

    def ask(self, query: Query[Any]) -> Any:
        return self._agreed(query, {name: kit.ask(query) for name, kit in self.kits.items()})

    def _agreed(self, asked: object, answers: dict[str, Any]) -> Any:
        expected = answers["memory"]
        for name, actual in answers.items():
            assert _shown(actual) == _shown(expected), (name, asked)
        return expected

    def snapshots_agree(self) -> None:
        found = {name: snapshot_of(store, self.tenant, USERS) for name, store in self.stores.items()}
        for name, snapshot in found.items():
            assert snapshot == found["memory"], name


def _attempt(kit: rk.RewardKit, command: Command[Any], key: str | None) -> Any:
    try:
        return kit.attempt(command, key=key)
    except rk.RewardKitError as error:
        return error


def _shown(answer: Any) -> Any:
    return (type(answer), str(answer)) if isinstance(answer, Exception) else answer


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_commands_have_the_same_answers(seed: int, stores: dict[str, Store]) -> None:
    kits = Kits(stores, f"company {seed}")
    draw = RandomCommands(seed, kits.clock())
    steps = [*draw.opening(), *(("next", None) for _ in range(STEPS))]
    for number, (opened, given) in enumerate(steps):
        kind, body = (opened, given) if opened != "next" else draw.step()
        if kind == "wait":
            kits.clock.set(kits.clock() + body)
        elif kind == "restart":
            kits.restart()
        elif kind == "backfill":
            kits.run(Backfill())
            kits.run(Backfill(dry_run=False))
        else:
            for command in body if kind == "all" else (body,):
                key = f"key {number}" if draw.chance.random() < 0.3 else None
                answer = kits.run(command, key)
                if key is not None and not isinstance(answer, Exception):
                    assert kits.run(command, key) == answer
        offers = kits.ask(rk.UserOffers()).items
        draw.user_offers = [offer.id for offer in offers]
        draw.grants = [grant.id for grant in kits.ask(rk.Grants()).items]
        kits.ask(draw.chance.choice(QUERIES))
        _deliver_some(kits, fails=draw.chance.random() < 0.5)
    for grant in draw.grants:
        kits.ask(rk.Explain(grant))
    kits.snapshots_agree()


def _deliver_some(kits: Kits, *, fails: bool) -> None:
    leased = kits.run(LeaseOutbox(2, 3)).rows
    outcome = RetryLater("no answer") if fails else Delivered()
    kits.run(MarkOutbox(tuple(Attempt(row.id, row.lease, {"shop": outcome}) for row in leased)))
