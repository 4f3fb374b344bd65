"""Every command, with a fault at the N-th step of what it asks of the store, for every N until none is hit."""

from __future__ import annotations

import copy
import itertools
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from rewardkit.core.notices.outbox import LeaseOutbox, MarkOutbox
from rewardkit.errors import Conflict, Refused, StoreError
from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.audit import Snapshot, violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.campaign_world import USERS, build, moves
from rewardkit.testing.faults import Fault, Step, WatchedStore, lost
from rewardkit.testing.faults_world import kit_at

TENANT = "acme"
NAMES = tuple(moves(TENANT))


class Interrupted(BaseException):
    """Something that is no error, such as Ctrl-C."""


def interrupted(step: Step) -> BaseException:
    return Interrupted(step)


def transient(step: Step) -> StoreError:
    """Met by a shell that tries again."""
    if step.call == "commit":
        return lost(step)
    return StoreError(f"injected: deadlock {step.when} `{step.call}`", transient=True)


def seen(store: Store, tenant: str) -> Snapshot:
    found = snapshot_of(store, tenant, USERS)
    assert () == violations(found)
    return found


def make(store: Store, tenant: str, name: str) -> object:
    at, command = moves(tenant)[name]
    key = None if isinstance(command, LeaseOutbox | MarkOutbox) else "once"
    try:
        return kit_at(store, tenant, at).attempt(command, key=key)
    except Conflict as conflict:
        return str(conflict)


@cache
def built_in_memory(tenant: str) -> MemoryStore:
    store = MemoryStore()
    build(store, tenant)
    return store


def world_in_memory(tenant: str) -> MemoryStore:
    store = MemoryStore()
    store._tenants = copy.deepcopy(built_in_memory(tenant)._tenants)
    return store


@cache
def expected(tenant: str, name: str) -> tuple[Snapshot, Snapshot, object]:
    """Before, after, and the answer, where nothing fails."""
    store = world_in_memory(tenant)
    before = seen(store, tenant)
    answer = make(store, tenant, name)
    return before, seen(store, tenant), answer


def fails_safely(store: Store, tenant: str, name: str, at: int, error: Callable[[Step], BaseException]) -> bool:
    """Whether the fault was hit; checked: nothing or everything was kept, and repeating it converges."""
    before, after, answer = expected(tenant, name)
    fault = Fault(at, error)
    try:
        got = make(WatchedStore(store, fault), tenant, name)
    except (StoreError, Interrupted) as failure:
        assert fault.hit is not None
        committed = fault.hit == Step("commit", "after")
        assert (after if committed else before) == seen(store, tenant)
        outcome = "unknown" if fault.hit.call == "commit" else "not_applied"
        assert getattr(failure, "outcome", outcome) == outcome  # noqa: PT017 - which of the two depends on the step
    else:
        assert fault.hit is None or error is transient
        assert answer == got
        assert after == seen(store, tenant)
    if "outbox" not in name:  # a worker does not repeat a lease: it runs out, and an attempt is marked once
        assert answer == make(store, tenant, name)
        assert after == seen(store, tenant)
    assert kit_at(store, tenant).emit("Looked", user="dan", id="afterwards").duplicate == ()
    seen(store, tenant)
    return fault.hit is not None


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_the_world_has_something_to_do(name: str) -> None:
    before, after, answer = expected(TENANT, name)
    assert not isinstance(answer, Refused | str)
    assert before != after


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_at_any_step_leaves_nothing_or_everything_in_memory(name: str) -> None:
    for error in (lost, interrupted, transient):
        hits = sum(
            itertools.takewhile(
                bool, (fails_safely(world_in_memory(TENANT), TENANT, name, at, error) for at in itertools.count(1))
            )
        )
        assert hits >= 4


@pytest.fixture(scope="module")
def built_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world") / "rewards.db"
    store = SqliteStore(path)
    build(store, TENANT)
    store.close()
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_at_any_step_leaves_nothing_or_everything_in_sqlite(
    name: str, built_file: Path, tmp_path: Path
) -> None:
    hit = True
    hits = 0
    while hit:
        path = tmp_path / f"{hits}.db"
        shutil.copy(built_file, path)
        store = SqliteStore(path)
        hit = fails_safely(store, TENANT, name, hits + 1, lost)
        hits += hit
        store.close()
    assert hits >= 4


def test_a_fault_at_a_random_step_leaves_nothing_or_everything_in_postgresql(postgres_dsn: str, scale: float) -> None:
    store = PostgresStore(postgres_dsn)
    store.migrate()
    chance = random.Random(7)
    hits = 0
    for name in NAMES:
        for at in sorted(chance.sample(range(1, 17), min(16, max(2, round(16 * scale))))):
            tenant = f"{name} {at}"
            build(store, tenant)
            hits += fails_safely(store, tenant, name, at, lost)
    assert hits >= len(NAMES)
    store.close()
