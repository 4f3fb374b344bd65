"""Registered endpoints while several workers deliver, and while one of them dies."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.notices.outbox import Attempt, Leased, LeaseOutbox, Marked, MarkOutbox
from rewardkit.core.storing.needs import ListRegisteredEndpoints, Need
from rewardkit.core.values.limits import ENDPOINTS
from rewardkit.ports import Transaction
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.endpoints import endpoint_kit, happen

URL = "https://shop.example/"
NOTICES, WORKERS = 60, 4


class Webhooks:
    """Takes all in, and counts what each endpoint was told."""

    def __init__(self, fail: Callable[[], None] = lambda: None) -> None:
        self.told: Counter[tuple[str, str]] = Counter()
        self.fail = fail
        self._lock = threading.Lock()

    def admit(self, _url: rk.Secret) -> None: ...

    def tell(self, notice: rk.Notice, endpoint: rk.RegisteredEndpoint, _tenant: str) -> None:
        with self._lock:
            self.told[endpoint.name, notice.id] += 1
        self.fail()

    def secret(self, endpoint: rk.RegisteredEndpoint, _tenant: str) -> rk.Secret:
        return rk.Secret(endpoint.name)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[rk.Store]:
    lite = request.param == "SQLite"
    text = f"sqlite:///{tmp_path / 'shop.db'}" if lite else request.getfixturevalue("postgres_dsn")
    store = open_store(text, prefix="rewardkit_")
    store.migrate()
    yield store
    store.close()


def test_workers_beside_each_other_tell_each_endpoint_each_notice_once(store: rk.Store) -> None:
    webhooks = Webhooks()
    kit = endpoint_kit(store, webhooks, FakeClock())
    for name in ("a", "b", "c"):
        kit.run(rk.RegisterEndpoint(name, URL))
    happen(kit, NOTICES)
    with ThreadPoolExecutor(WORKERS) as workers:

        def work(_number: int) -> rk.Delivery:
            total = rk.Delivery()
            while (done := kit.deliver(limit=7)).taken:
                total += done
            return total

        done = sum(workers.map(work, range(WORKERS)), rk.Delivery())
    assert kit.deliver() == rk.Delivery()
    assert done == rk.Delivery(delivered=NOTICES * 4)
    assert set(webhooks.told.values()) == {1}
    assert Counter(name for name, _ in webhooks.told) == {"a": NOTICES, "b": NOTICES, "c": NOTICES}
    assert violations(snapshot_of(store, "default")) == ()


def test_a_worker_that_dies_after_its_lease_has_left_one_copy_and_no_other_makes_more(store: rk.Store) -> None:
    clock, webhooks = FakeClock(), Webhooks()
    kit = endpoint_kit(store, webhooks, clock)
    kit.run(rk.RegisterEndpoint("a", URL))
    happen(kit)
    leased: Leased = kit.run(LeaseOutbox(9, 60))
    assert ([row.endpoint for row in leased.rows], leased.copied) == ([""], 1)
    kit.run(rk.RegisterEndpoint("b", URL))
    clock.advance("2m")
    assert kit.deliver() == rk.Delivery(delivered=2)
    assert [name for name, _ in webhooks.told] == ["a"]


def test_a_worker_that_dies_between_the_answer_and_its_record_repeats_under_the_same_id(store: rk.Store) -> None:
    clock, dies = FakeClock(), [True]

    def die() -> None:
        if dies.pop():
            raise KeyboardInterrupt

    webhooks = Webhooks(die)
    kit = endpoint_kit(store, webhooks, clock)
    kit.run(rk.RegisterEndpoint("a", URL))
    kit.run(rk.SendTestNotice("a"))
    with pytest.raises(KeyboardInterrupt):
        kit.deliver()
    assert kit.deliver() == rk.Delivery()
    clock.advance("2m")
    dies.append(False)
    assert kit.deliver() == rk.Delivery(delivered=1)
    assert list(webhooks.told.values()) == [2]


def test_a_paused_worker_marks_nothing_over_a_newer_lease(store: rk.Store) -> None:
    clock = FakeClock()
    kit = endpoint_kit(store, Webhooks(), clock)
    kit.run(rk.RegisterEndpoint("a", URL))
    kit.run(rk.SendTestNotice("a"))
    paused: Leased = kit.run(LeaseOutbox(9, 60))
    clock.advance("2m")
    kit.run(LeaseOutbox(9, 60))
    (row,) = paused.rows
    late = Attempt(row.id, row.lease, {"a": rk.Delivered()}, since=paused.registered[0].since)
    assert kit.run(MarkOutbox((late,))) == Marked(overtaken=1)
    assert kit.ask(rk.Notices()).items[0].status == "pending"


class Pondering:
    """A store that takes its time after it has listed the registered endpoints, so that others may come in between."""

    joined = False

    def __init__(self, store: rk.Store) -> None:
        self.store = store

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[Transaction]:
        with self.store.transaction(tenant, reading=reading) as transaction:
            listed = transaction.ask

            def ask(need: Need[Any]) -> Any:
                answer = listed(need)
                if isinstance(need, ListRegisteredEndpoints):
                    time.sleep(0.3)
                return answer

            transaction.ask = ask  # type: ignore[method-assign]
            yield transaction


def test_registering_at_the_limit_from_many_sides_lets_one_in(store: rk.Store) -> None:
    kit = endpoint_kit(store, Webhooks(), FakeClock())
    for number in range(ENDPOINTS - 1):
        kit.run(rk.RegisterEndpoint(f"shop {number}", URL))
    slow: Any = Pondering(store)
    pondering = rk.RewardKit(slow, webhooks=Webhooks())
    barrier = threading.Barrier(3)

    def register(number: int) -> bool:
        barrier.wait()
        return isinstance(pondering.attempt(rk.RegisterEndpoint(f"late {number}", URL)), rk.RegisteredEndpoint)

    with ThreadPoolExecutor(3) as workers:
        assert sum(workers.map(register, range(3))) == 1
    assert len(kit.ask(rk.RegisteredEndpoints())) == ENDPOINTS
