"""Caps of 1, 10 and 1,000 under 16 processes that make offers in every way, earn them, and take them back.

So for places under a cap, for places in a year, and for money. The whole of it, 64 workers and 20,000 attempts:
`REWARDKIT_WORKERS=64 REWARDKIT_SCALE=1 pytest tests/reliability/test_caps.py`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

import psycopg
import pytest

from rewardkit import (
    CancelUserOffer,
    DefineCampaign,
    DefineOffer,
    DefineReward,
    LaunchCampaign,
    MakeOffer,
    Refused,
    RewardKit,
)
from rewardkit.language.event import moment
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import Snapshot, violations
from rewardkit.testing.audit_rows import snapshot_in, snapshot_of
from rewardkit.testing.faults_world import BEGAN_AT, kit_at
from rewardkit.testing.read_then_write import ReadThenWrite

T = TypeVar("T")
WORKERS = int(os.environ.get("REWARDKIT_WORKERS", "16"))
ATTEMPTS = 20_000
"""Of a whole run, on each database."""
CAPS = (1, 10, 1_000)


class Limit(NamedTuple):
    """A kind of limit, of so many offers."""

    counter: str
    unit: int
    terms: Callable[[int], dict[str, Any]]


YEAR = f"campaign/capped/year/{moment(BEGAN_AT).year}-01-01"
LIMITS = {
    "places": Limit("campaign/capped", 1, lambda cap: {"cap": cap}),
    "places in a year": Limit(YEAR, 1, lambda cap: {"caps_per": {"year": cap}}),
    "money": Limit("budget/capped", 50_000, lambda cap: {"budget": f"{5 * cap}.00"}),
}
PLACES = LIMITS["places"]
CASES = [(PLACES, cap) for cap in CAPS]
CASES += [(limit, cap) for limit in LIMITS.values() if limit != PLACES for cap in (1, 10)]
ROOT = Path(__file__).parents[2]


class Readings:
    """Reads how many places are taken, by counters and by rows, again and again while others write."""

    def __init__(self, connect: Callable[[], Any], tenant: str) -> None:
        self._connect = connect
        self._tenant = tenant
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.found: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        with closing(self._connect()) as connection:
            mark = "%s" if hasattr(connection, "info") else "?"
            text = f"""SELECT
                (SELECT coalesce(max("reserved" + "confirmed"), 0) FROM "rewardkit_counter" WHERE "tenant" = {mark}),
                (SELECT count(*) FROM "rewardkit_user_offer"
                    WHERE "tenant" = {mark} AND "status" IN ('active', 'earned'))
            """
            while not self._stop.wait(0.005):
                self.found.append(tuple(connection.execute(text, (self._tenant,) * 2).fetchone()))


def cap_violations(snapshot: Snapshot, cap: int, readings: Sequence[tuple[int, int]] = (), unit: int = 1) -> list[str]:
    """What speaks against the cap having held: the check that the sabotaged claim has to fail."""
    taken = sum(row.status in ("active", "earned") for row in snapshot.user_offers)
    found = [
        f"{most} places were taken at one time under the cap {cap}"
        for taken, rows in readings
        if (most := max(taken / unit, rows)) > cap
    ]
    found += [f"counter and rows were seen to differ: {pair}" for pair in readings if pair[0] != pair[1] * unit]
    if taken > cap:
        found.append(f"{taken} places are taken in the end under the cap {cap}")
    return [*found, *violations(snapshot)]


def define(kit: RewardKit, cap: int, limit: Limit = PLACES) -> None:
    kit.run(DefineReward("gift", {"amount": "5.00"}))
    kit.run(DefineOffer("activate", "gift", "Activated", expires_after="1d"))
    kit.run(DefineCampaign("capped", "activate", entry="Signed", code="CAP", **limit.terms(cap)))
    kit.run(LaunchCampaign("capped"))


def fill(kit: RewardKit, places: int) -> None:
    """Take places at once, so that a short run contends for the last ones."""
    kit.emit_many({"name": "Signed", "user": f"early-{number}", "id": "signed"} for number in range(places))


class Crowd:
    """Sixteen processes, started once and given job after job."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("cap_worker.py"))]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        self._workers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
            for _ in range(WORKERS)
        ]
        assert ["ready"] * WORKERS == [self._line(worker).strip() for worker in self._workers]

    def run(self, store: str, tenant: str, attempts: int, *, undo: bool) -> dict[str, int]:
        """All at once; the sums of what they counted."""
        job = {"store": store, "tenant": tenant, "seed": 1, "at": BEGAN_AT, "attempts": attempts, "undo": undo}
        begin = time.time() + 0.1
        for number, worker in enumerate(self._workers):
            assert worker.stdin is not None
            worker.stdin.write(json.dumps(job | {"worker": number, "begin": begin}) + "\n")
            worker.stdin.flush()
        answers = [json.loads(self._line(worker)) for worker in self._workers]
        return {name: sum(answer[name] for answer in answers) for name in answers[0]}

    def close(self) -> None:
        for worker in self._workers:
            worker.communicate(timeout=30)
        assert [0] * WORKERS == [worker.returncode for worker in self._workers]

    @staticmethod
    def _line(worker: subprocess.Popen[str]) -> str:
        assert worker.stdout is not None
        return worker.stdout.readline()


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    crowd = Crowd()
    yield crowd
    crowd.close()


def contend(crowd: Crowd, name: str, connect: Callable[[], Any], share: float) -> None:
    """Every cap, first only doing, then doing and undoing."""
    store = open_store(name)
    undone = earned = 0
    for number, (limit, cap) in enumerate(CASES):
        for undo in (False, True):
            tenant = f"cap {number} {undo}"
            define(kit_at(store, tenant, BEGAN_AT), cap, limit)
            # All places that are left have to go: there are more attempts than places.
            left = max(min(cap, 20), round(cap * min(1.0, share)))
            fill(kit_at(store, tenant, BEGAN_AT), cap - left)
            attempts = max(2, 2 * left // WORKERS + 1, round(ATTEMPTS * share / len(CASES) / 2 / WORKERS))
            with Readings(connect, tenant) as readings:
                counts = crowd.run(name, tenant, attempts, undo=undo)
            with closing(connect()) as connection:
                snapshot = snapshot_in(connection, tenant)
            assert [] == cap_violations(snapshot, cap, readings.found, limit.unit)
            assert readings.found
            assert attempts * WORKERS == counts["made"] + counts["refused"]
            if undo:
                undone += counts["cancelled"] + counts["expired"]
            else:
                assert left == counts["made"]
                assert cap * limit.unit == sum(row.reserved + row.confirmed for row in snapshot.counters)
            assert counts["earned"] == len(snapshot.grants)
            earned += counts["earned"]
    assert undone > 10
    assert earned > 10
    store.close()


def test_caps_hold_under_sixteen_workers_on_sqlite(crowd: Crowd, tmp_path: Path, scale: float) -> None:
    path = tmp_path / "rewards.db"
    contend(crowd, f"sqlite:///{path}", lambda: sqlite3.connect(path, isolation_level=None, timeout=30), scale)


def test_caps_hold_under_sixteen_workers_on_postgresql(crowd: Crowd, postgres_dsn: str, scale: float) -> None:
    store = open_store(postgres_dsn)
    store.migrate()
    store.close()
    contend(crowd, postgres_dsn, lambda: psycopg.connect(postgres_dsn, autocommit=True), scale)


@pytest.mark.parametrize("cap", [1, 2, 3, 4])
def test_offers_made_and_earned_in_one_call_take_one_place_each(cap: int) -> None:
    store = MemoryStore()
    kit = kit_at(store, "acme", BEGAN_AT)
    define(kit, cap)
    names = ("Signed", "Activated")
    recorded = kit.emit_many(
        {"name": name, "user": f"user {user}", "id": name, "at": BEGAN_AT + at}
        for user in range(3)
        for at, name in enumerate(names)
    )
    assert (min(cap, 3), 3 - min(cap, 3)) == (len(recorded.earned), len(recorded.capped))
    snapshot = snapshot_of(store, "acme")
    assert [] == cap_violations(snapshot, cap)
    assert [min(cap, 3)] == [row.confirmed for row in snapshot.counters]


def race(store: Store, cap: int, limit: Limit, *, sabotaged: bool) -> None:
    """The last place is taken while another call is between its reading and its writing."""
    tenant = f"race {cap}"
    define(kit_at(store, tenant, BEGAN_AT), cap, limit)
    honest = kit_at(store, tenant, BEGAN_AT)
    for number in range(cap - 1):
        honest.run(MakeOffer("capped", f"early-{number}"))
    first = honest.run(MakeOffer("capped", "gone"))
    honest.run(CancelUserOffer(first.id))

    def between() -> None:
        honest.run(MakeOffer("capped", "quick"))

    if sabotaged:
        kit_at(ReadThenWrite(store, limit.counter, between), tenant, BEGAN_AT).run(MakeOffer("capped", "slow"))
    else:
        between()
        with pytest.raises(Refused):
            honest.run(MakeOffer("capped", "slow"))


@pytest.mark.parametrize("cap", CAPS[:2])
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("sabotaged", [True, False])
def test_the_check_catches_a_claim_that_reads_and_then_writes_on_sqlite(
    cap: int,
    limit: str,
    sabotaged: bool,  # noqa: FBT001 - a parameter of cases
    tmp_path: Path,
) -> None:
    path = tmp_path / "rewards.db"
    store = open_store(f"sqlite:///{path}")
    race(store, cap, LIMITS[limit], sabotaged=sabotaged)
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert sabotaged == bool(cap_violations(snapshot_in(connection, f"race {cap}"), cap))


@pytest.mark.parametrize("cap", CAPS[:2])
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("sabotaged", [True, False])
def test_the_check_catches_a_claim_that_reads_and_then_writes_on_postgresql(
    cap: int,
    limit: str,
    sabotaged: bool,  # noqa: FBT001 - a parameter of cases
    postgres_dsn: str,
) -> None:
    store = open_store(postgres_dsn)
    store.migrate()
    race(store, cap, LIMITS[limit], sabotaged=sabotaged)
    store.close()
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        assert sabotaged == bool(cap_violations(snapshot_in(connection, f"race {cap}"), cap))
