"""A pool of 20,000 codes under 8 and 32 processes, and the last use of everything under 64, again and again.

`REWARDKIT_SCALE=1 pytest -s tests/reliability/test_pool_storms.py` runs all of it on SQLite and PostgreSQL; without,
a share. The same checks fail for a store that looks first and writes later, on a database without unique indexes.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from rewardkit import ActivateCode, CreatePool, DeactivateCode, GenerateCodes, ImportCodes, RewardKit, VoidCode
from rewardkit.storage import open_store
from rewardkit.testing.audit import Snapshot, violations
from rewardkit.testing.audit_rows import snapshot_in
from rewardkit.testing.pool_crowd import PoolCrowd, PoolReadings
from rewardkit.testing.pool_last_uses import LAST_USES, MOST_WORKERS, LastUse

ROOT = Path(__file__).parents[2]
CODES, STORMS, LAST_WORKERS = 20_000, 100, MOST_WORKERS
LOW = 100
WITHDRAWN = 40

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")


class Database(NamedTuple):
    """Where a storm takes place."""

    name: str
    connect: Callable[[], Any]


@pytest.fixture(scope="module")
def crowd() -> Iterator[PoolCrowd]:
    script = str(Path(__file__).with_name("pool_worker.py"))
    crowd = PoolCrowd([sys.executable, script, str(LAST_WORKERS)], os.environ | {"PYTHONPATH": str(ROOT / "src")})
    yield crowd
    crowd.close()


def database(kind: str, folder: Path, dsn: Callable[[], str]) -> Database:
    if kind == "sqlite":
        path = folder / "pools.db"
        name = f"sqlite:///{path}"
        found = Database(name, lambda: sqlite3.connect(path, isolation_level=None, timeout=60))
    else:
        name = dsn()
        found = Database(name, lambda: psycopg.connect(name, autocommit=True))
    with closing(open_store(name)) as store:
        store.migrate()
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    return database(request.param, tmp_path, lambda: str(request.getfixturevalue("postgres_dsn")))


@pytest.fixture(params=["sqlite", "postgresql"])
def unguarded(request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]) -> Database:
    """Without the unique indexes of issuances and redemptions, and without the check of their limit."""
    found = database(request.param, tmp_path, fresh_postgres)
    with closing(found.connect()) as connection:
        for table in ("issuance", "redemption", "code"):
            if request.param == "postgresql":
                text = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('u', 'c')"
                for (name,) in connection.execute(text, (f'"rewardkit_{table}"',)).fetchall():
                    connection.execute(f'ALTER TABLE "rewardkit_{table}" DROP CONSTRAINT "{name}"')
            else:
                without_constraints(connection, f"rewardkit_{table}", keyed=table == "code")
    return found


def without_constraints(connection: sqlite3.Connection, table: str, *, keyed: bool) -> None:
    """Make a table of SQLite anew, with no constraint but that of its key, if any."""
    (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    unwanted = ("UNIQUE", "CHECK") if keyed else ("UNIQUE", "CHECK", "PRIMARY KEY")
    begin, *columns, end = text.splitlines()
    kept = [line.partition(" CHECK")[0].rstrip(",") for line in columns if not line.strip().startswith(unwanted)]
    connection.execute(f'DROP TABLE "{table}"')
    connection.execute("\n".join((begin, ",\n".join(kept), end)))


def job_of(where: Database, tenant: str, workers: int, *, broken: bool) -> dict[str, Any]:
    """What every job says."""
    return {"store": where.name, "tenant": tenant, "workers": workers, "broken": broken, "code": "", "as": "nobody"}


# --- a pool that is emptied ------------------------------------------------------------------------


class Emptied(NamedTuple):
    """What came of a storm of issuances."""

    answers: list[dict[str, Any]]
    attempts: int
    readings: PoolReadings
    snapshot: Snapshot

    @property
    def codes(self) -> list[str]:
        return [code for answer in self.answers for code in answer["won"]]


def emptied(
    crowd: PoolCrowd,
    where: Database,
    workers: int,
    count: int,
    *,
    broken: bool = False,
    meddle: bool = False,
    tenant: str = "storm",
    low: int = LOW,
) -> Emptied:
    """As many issuances as there are codes and a few more; somebody may withdraw codes meanwhile."""
    store = open_store(where.name)
    kit = RewardKit(store, tenant=tenant)
    kit.run(CreatePool("pool", low_threshold=low))
    for begin in range(0, count, 5_000):
        kit.run(GenerateCodes("pool", min(count - begin, 5_000)))
    if meddle:
        kit.run(ImportCodes("pool", [f"W-{number:03}" for number in range(WITHDRAWN)]))
    each = (count + WITHDRAWN * meddle) // workers + 2
    job = job_of(where, tenant, workers, broken=broken)
    with PoolReadings(where.connect, kit, tenant, "pool") as readings:
        if meddle:
            for number in range(WITHDRAWN):
                kit.run(DeactivateCode(f"W-{number:03}"))
        answers = crowd_beside(crowd, job | {"pool": "pool", "what": "issue", "turns": each}, kit if meddle else None)
    with closing(where.connect()) as connection:
        snapshot = snapshot_in(connection, tenant)
    store.close()
    return Emptied(answers, each * workers, readings, snapshot)


def crowd_beside(crowd: PoolCrowd, job: dict[str, Any], kit: RewardKit | None) -> list[dict[str, Any]]:
    """A job, beside which codes are activated, withdrawn and made void."""
    if kit is None:
        return crowd.run(**job)
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(crowd.run, **job)
        for number in range(WITHDRAWN):
            code = f"W-{number:03}"
            for move in (
                ActivateCode(code),
                DeactivateCode(code),
                VoidCode(code) if number % 2 else ActivateCode(code),
            ):
                kit.attempt(move)
        return running.result()


def faults_of(storm: Emptied) -> list[str]:
    """What speaks against every code having gone to exactly one: the check that what is sabotaged has to fail."""
    found = [*storm.readings.wrong, *violations(storm.snapshot)]
    found += [error for answer in storm.answers for error in answer["errors"]]
    found += [f"code {code} was issued {times} times" for code, times in Counter(storm.codes).items() if times > 1]
    left = {code.code for code in storm.snapshot.stock.codes if code.status == "unissued" and code.active}
    if left:
        found.append(f"{len(left)} codes were left, and somebody went without")
    refusals = sum((Counter(answer["refusals"]) for answer in storm.answers), Counter[str]())
    if refusals != Counter(pool_exhausted=storm.attempts - len(storm.codes)):
        found.append(f"{refusals} were refused of {storm.attempts}, and {len(storm.codes)} accepted")
    if [1] != [row.crossings for row in storm.snapshot.stock.slices if row.crossings]:
        found.append("C6: the pool fell to its threshold once, and that was not told once")
    if not storm.readings.count:
        found.append("nobody looked")
    return found


@pytest.mark.parametrize("workers", [8, 32])
def test_every_code_goes_to_one_under_many_workers(
    crowd: PoolCrowd, where: Database, scale: float, workers: int, record_property: Callable[[str, object], None]
) -> None:
    count, began = max(400, round(CODES * scale)), time.monotonic()
    storm = emptied(crowd, where, workers, count)
    assert [] == faults_of(storm)
    assert {code.code for code in storm.snapshot.stock.codes} == set(storm.codes)
    assert count == len(storm.codes)
    figures = {"codes": count, "readings": storm.readings.count, "seconds": round(time.monotonic() - began)}
    record_property("storm", figures)
    print(f"\n{workers} workers, {where.name.partition(':')[0]}: {figures}")


def test_codes_that_are_withdrawn_meanwhile_are_counted_apart(crowd: PoolCrowd, where: Database, scale: float) -> None:
    before = deadlocks_in(where)
    storm = emptied(crowd, where, 32, max(800, round(CODES * scale / 4)), meddle=True)
    assert [] == [fault for fault in faults_of(storm) if "somebody went without" not in fault and "C6" not in fault]
    kinds = Counter(code.status for code in storm.snapshot.stock.codes if code.code.startswith("W-"))
    assert kinds["void"] == WITHDRAWN // 2
    assert before == deadlocks_in(where)


def test_nobody_waits_in_a_circle_where_codes_run_out_beside_withdrawing(
    crowd: PoolCrowd, fresh_postgres: Callable[[], str], tmp_path: Path, scale: float
) -> None:
    # Most of each storm is its end, where slices are emptied between being seen and being locked.
    where = database("postgresql", tmp_path, fresh_postgres)
    for number in range(max(5, round(STORMS * scale))):
        storm = emptied(crowd, where, 32, 120, meddle=True, tenant=f"run out {number}", low=5)
        assert [] == [error for answer in storm.answers for error in answer["errors"]]
    assert 0 == deadlocks_in(where)


def deadlocks_in(where: Database) -> int:
    """How many times PostgreSQL ended a circle of those who waited for each other; SQLite knows none."""
    if where.name.startswith("sqlite"):
        return 0
    with closing(where.connect()) as connection:
        text = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(connection.execute(text).fetchone()[0])


def test_a_store_that_looks_first_and_issues_later_is_noticed(crowd: PoolCrowd, unguarded: Database) -> None:
    found = faults_of(emptied(crowd, unguarded, 8, 8, broken=True))
    assert [one for one in found if "was issued" in one]
    assert "C1" in {one[:2] for one in found}


def test_the_unique_index_alone_keeps_a_code_from_being_issued_twice(crowd: PoolCrowd, where: Database) -> None:
    found = faults_of(emptied(crowd, where, 8, 8, broken=True))
    assert not [one for one in found if "was issued" in one or one.startswith("C1")]
    assert [one for one in found if "unique" in one.lower()]


# --- the last use of everything --------------------------------------------------------------------


def faults_of_last_use(use: LastUse, answers: Sequence[dict[str, Any]]) -> list[str]:
    """What speaks against one success: the check that what is sabotaged has to fail."""
    won = [one for answer in answers for one in answer["won"]]
    found = [error for answer in answers for error in answer["errors"]]
    if len(set(won)) != 1 or (len(won) != 1 and not use.shared):
        found.append(f"{len(won)} had a success, {len(set(won))} of them different: {won}")
    refusals = sum((Counter(answer["refusals"]) for answer in answers), Counter[str]())
    if not set(refusals) <= use.refusals or refusals.total() != len(answers) - len(won):
        found.append(f"{refusals} were refused, {len(won)} of {len(answers)} accepted")
    return found


def last_uses(
    crowd: PoolCrowd, where: Database, use: LastUse, storms: int, *, workers: int = LAST_WORKERS, broken: bool = False
) -> list[str]:
    """Storms, in a tenant of theirs, and what is wrong with them."""
    tenant = f"last {use.name}"
    found: list[str] = []
    with closing(open_store(where.name)) as store:
        kit = RewardKit(store, tenant=tenant)
        use.define(kit)
        with PoolReadings(where.connect, kit, tenant) as readings:
            for number in range(storms):
                job = use.prepare(kit, number)
                job = job_of(where, tenant, workers, broken=broken) | {"turns": 1} | job
                found += faults_of_last_use(use, crowd.run(**job))
        with closing(where.connect()) as connection:
            snapshot = snapshot_in(connection, tenant)
        found += [*readings.wrong, *violations(snapshot), *use.left_wrong(snapshot, storms)]
    return found if readings.count else [*found, "nobody looked"]


@pytest.mark.parametrize("use", LAST_USES, ids=lambda use: use.name)
def test_the_last_use_is_taken_once_by_64_workers(
    crowd: PoolCrowd, where: Database, use: LastUse, scale: float, record_property: Callable[[str, object], None]
) -> None:
    storms, began = max(1, round(STORMS * scale / (1 if use.often else 5))), time.monotonic()
    assert [] == last_uses(crowd, where, use, storms)
    figures = {"storms": storms, "seconds": round(time.monotonic() - began)}
    record_property("last use", figures)
    print(f"\n{use.name}, {where.name.partition(':')[0]}: {figures}")


@pytest.mark.parametrize("use", [one for one in LAST_USES if one.by_asking], ids=lambda use: use.name)
def test_a_last_use_that_is_looked_for_first_and_taken_later_is_noticed(
    crowd: PoolCrowd, unguarded: Database, use: LastUse
) -> None:
    found = last_uses(crowd, unguarded, use, 1, workers=8, broken=True)
    assert [one for one in found if "had a success" in one]
    assert {one[:1] for one in found if one[1:2].isdigit()} >= {"C"}
