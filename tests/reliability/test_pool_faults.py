"""Commands about pools, with a fault at every step, and two at once in every pair, step by step."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rewardkit.core.storing.pool_rows import CodeRow, IssuanceRow
from rewardkit.errors import Refused, StoreError
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_in
from rewardkit.testing.faults import Fault, Step, WatchedStore, lost
from rewardkit.testing.faults_stage import Stage
from rewardkit.testing.faults_world import NOW, kit_at
from rewardkit.testing.pool_outcomes import (
    KEY,
    TENANT,
    fresh_world,
    make_move,
    outcome,
    pool_move_names,
    seen,
    serial_outcomes,
    told,
)
from rewardkit.testing.pool_world import build_pools, pool_moves

NAMES = pool_move_names()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_the_pools_has_something_to_do(name: str) -> None:
    after, answer = outcome(name, 1)
    assert outcome(name, 0).state != after
    assert answer[0].isupper() or name == "guess promo code"


def fails_safely(store: Store, tenant: str, name: str, at: int) -> bool:
    """Whether the fault was hit: nothing or everything was kept, and repeating it converges."""
    fault = Fault(at, lost)
    watched = WatchedStore(store, fault)
    moves = pool_moves(kit_at(store, tenant, NOW), tenant)
    kept = 1
    try:
        got: object = kit_at(watched, tenant, NOW).attempt(moves[name], key=KEY)
    except StoreError:
        assert fault.hit is not None
        kept = fault.hit == Step("commit", "after")
    else:
        assert fault.hit is None
        assert told(got) == outcome(name, 1).answer
    assert seen(store, tenant) == outcome(name, kept).state
    assert make_move(store, name, tenant) == outcome(name, kept + 1).answer
    assert seen(store, tenant) == outcome(name, kept + 1).state
    return fault.hit is not None


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_at_any_step_leaves_nothing_or_everything_in_memory(name: str) -> None:
    hits = sum(itertools.takewhile(bool, (fails_safely(fresh_world(), TENANT, name, at) for at in itertools.count(1))))
    assert hits >= 4


@pytest.fixture(scope="module")
def built_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pools") / "rewards.db"
    with closing(SqliteStore(path)) as store:
        build_pools(store, TENANT)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_at_any_step_leaves_nothing_or_everything_in_sqlite(
    name: str, built_file: Path, tmp_path: Path, scale: float
) -> None:
    steps = range(1, 40) if scale >= 1 else sorted(random.Random(name).sample(range(1, 14), 4))
    for at in steps:
        path = tmp_path / f"{at}.db"
        shutil.copy(built_file, path)
        with closing(SqliteStore(path)) as store:
            fails_safely(store, TENANT, name, at)


def test_a_fault_at_a_random_step_leaves_nothing_or_everything_in_postgresql(postgres_dsn: str, scale: float) -> None:
    store = PostgresStore(postgres_dsn)
    store.migrate()
    chance = random.Random(7)
    hits = 0
    for name in NAMES:
        for at in sorted(chance.sample(range(1, 15), max(1, round(14 * scale)))):
            tenant = f"{name} {at}"
            build_pools(store, tenant)
            hits += fails_safely(store, tenant, name, at)
    assert hits >= len(NAMES) / 3
    store.close()


@pytest.fixture(scope="module")
def stage_dsn(_create_postgres_database: Callable[[], str]) -> str:
    return _create_postgres_database()


@pytest.fixture(scope="module")
def stage(stage_dsn: str) -> Iterator[Stage]:
    settings = [
        make_conninfo(stage_dsn, application_name=f"pool actor {number}", options="-c deadlock_timeout=20ms")
        for number in range(3)
    ]
    stores = [PostgresStore(dsn, lock_timeout_seconds=20) for dsn in settings]
    stores[0].migrate()
    with psycopg.connect(stage_dsn, autocommit=True) as monitor:

        def waits(number: int) -> bool:
            text = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
            return monitor.execute(text, (f"pool actor {number}",)).fetchone() is not None

        stage = Stage(stores, waits)
        yield stage
        stage.close()


def play(stage: Stage, dsn: str, names: tuple[str, ...], seed: int) -> None:
    """One schedule, drawn by the seed, in a tenant of its own."""
    tenant = f"{'+'.join(names)} {seed}"
    chance = random.Random(seed)
    schedule: list[int] = []
    while len(schedule) < 40:
        schedule += [chance.randrange(len(names))] * chance.choice((1, 1, 2, 3, 5))
    with closing(open_store(dsn)) as store:
        build_pools(store, tenant)
        moves = pool_moves(kit_at(store, tenant, NOW), tenant)
        tasks = [lambda store, name=name: kit_at(store, tenant, NOW).attempt(moves[name]) for name in names]
        answers = stage.play(tasks, schedule)
        errors = [one for one in answers if isinstance(one, BaseException) and not isinstance(one, Refused)]
        assert [] == errors
        found = seen(store, tenant), tuple(map(told, answers))
    assert found in serial_outcomes(names), f"{names} {seed}: {found}"


PAIRS = tuple(itertools.combinations_with_replacement(NAMES, 2))
TELLING = (
    ("issue last", "issue last"),
    ("issue last", "issue to nobody"),
    ("issue last", "issue this"),
    ("issue last", "void"),
    ("issue last", "stop issuing"),
    ("redeem", "redeem too"),
    ("redeem", "reserve"),
    ("redeem", "stop redeeming"),
    ("redeem", "void issued"),
    ("confirm", "confirm"),
    ("confirm", "release"),
    ("redeem shared", "reserve shared"),
    ("roll back", "roll back"),
    ("roll back", "redeem shared"),
    ("redeem borne", "redeem borne"),
    ("raise threshold", "issue last"),
    ("create", "create"),
    ("import", "import"),
)


def test_pairs_that_want_the_same_come_to_what_an_order_comes_to(stage: Stage, stage_dsn: str, scale: float) -> None:
    before = stage.waits
    for seed, names in itertools.product(range(max(4, round(30 * scale))), TELLING):
        play(stage, stage_dsn, names, seed)
    assert stage.waits - before > len(TELLING) / 2


def test_pairs_of_commands_come_to_what_an_order_comes_to(stage: Stage, stage_dsn: str, scale: float) -> None:
    pairs = random.Random(2).sample(PAIRS, len(PAIRS))
    for seed, names in zip(range(max(40, round(1_500 * scale))), itertools.cycle(pairs)):
        play(stage, stage_dsn, names, seed)


def test_three_commands_come_to_what_an_order_comes_to(stage: Stage, stage_dsn: str, scale: float) -> None:
    chance = random.Random(3)
    for seed in range(max(15, round(500 * scale))):
        play(stage, stage_dsn, tuple(chance.choices(NAMES, k=3)), seed)


@pytest.mark.parametrize("broken", ["two issuees of one code", "counts that differ"])
def test_the_audit_notices(broken: str, tmp_path: Path) -> None:
    path = tmp_path / "rewards.db"
    with closing(SqliteStore(path)) as store:
        build_pools(store, TENANT)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert () == violations(snapshot_in(connection, TENANT))
        if broken == "two issuees of one code":
            names = ", ".join(f'"{name}"' for name in IssuanceRow._fields if name not in ("id", "number", "issuee"))
            connection.execute(
                f'INSERT INTO rewardkit_issuance ("tenant", "id", "number", "issuee", {names}) '
                f"SELECT \"tenant\", 99, 2, 'thief', {names} FROM rewardkit_issuance WHERE \"key\" = 'UANN'"
            )
            expected = "C1"
        else:
            assert "status" in CodeRow._fields
            connection.execute("UPDATE rewardkit_code SET status = 'issued' WHERE \"key\" = 'U1AST'")
            expected = "C2"
        assert expected in {one[:2] for one in violations(snapshot_in(connection, TENANT))}
