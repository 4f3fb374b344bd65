"""A client killed by SIGKILL at every step of every command about pools, grants that carry codes and promo codes.

Also its connection ended by the server at every step. After each, nothing or everything is kept, every promise holds,
and repeats under the same key converge. `REWARDKIT_SCALE=1 pytest -s tests/reliability/test_pool_kills.py` runs all
steps on both databases; without, a share.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rewardkit.core.requests.commands import Command
from rewardkit.errors import StoreError
from rewardkit.kit import RewardKit
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.faults import Step, WatchedStore
from rewardkit.testing.faults_world import NOW, kit_at
from rewardkit.testing.pool_outcomes import KEY, TENANT, fresh_world, make_move, outcome, pool_move_names, seen, told
from rewardkit.testing.pool_world import build_pools, pool_moves

NAMES = pool_move_names()
MOST_STEPS = 80
"""More than any command takes."""
ENDED = " ended"

forked = pytest.mark.skipif(not hasattr(os, "fork"), reason="clients are forked")


@cache
def step_count(name: str) -> int:
    """How many steps a move has where nothing goes wrong."""
    steps: list[Step] = []
    store = fresh_world()
    kit_at(WatchedStore(store, steps.append), TENANT, NOW).attempt(
        pool_moves(kit_at(store, TENANT, NOW), TENANT)[name], key=KEY
    )
    return len(steps)


def steps_of(name: str, scale: float, *, least: int = 1) -> list[int]:
    """All, and more than there are, or some of them."""
    if scale >= 1:
        return list(range(1, MOST_STEPS))
    count = step_count(name.removesuffix(ENDED))
    return sorted(random.Random(name).sample(range(1, count + 1), min(count, max(least, round(count * scale)))))


def killed(name: str, tenant: str, at: int, open_it: Callable[[], Store]) -> str:
    """Where a process that makes a move was killed, as by itself at that step; empty where it came to the end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        left = at

        def watch(step: Step) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.write(writing, f"{step.when} {step.call}".encode())
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            store = open_it()
            command = pool_moves(kit_at(store, tenant, NOW), tenant)[name]
            kit_at(WatchedStore(store, watch), tenant, NOW).attempt(command, key=KEY)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        place = pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == bool(place)
    return place


def converges(store: Store, name: str, tenant: str, *, kept: bool) -> None:
    """What is left is whole; the move is made again, and again."""
    assert seen(store, tenant) == outcome(name, kept).state
    for times in (kept + 1, kept + 2):
        assert make_move(store, name, tenant) == outcome(name, times).answer
        assert seen(store, tenant) == outcome(name, times).state


def enough(tally: Counter[str], scale: float, record: Callable[[str, object], None]) -> None:
    """Fail a run that proves nothing; keep its figures."""
    record("kills", dict(tally))
    print(f"\n{tally.total()} kills at {len(tally)} different steps: {dict(sorted(tally.items()))}")
    assert tally.total() >= len(NAMES)
    if scale >= 1:
        assert min(tally[f"{when} {step}"] for when in ("before", "after") for step in ("begin", "commit")) >= len(
            NAMES
        )
        for step in ("TakeCode", "LockCode", "LockSlices", "AddCodes", "TakeAttempts", "GrantsToSupply", "write"):
            assert tally[f"before {step}"]
            assert tally[f"after {step}"]


@forked
def test_a_client_that_is_killed_at_any_step_leaves_nothing_or_everything_on_sqlite(
    tmp_path: Path, scale: float, record_property: Callable[[str, object], None]
) -> None:
    built, tally = tmp_path / "built.db", Counter[str]()
    with closing(SqliteStore(built)) as store:
        build_pools(store, TENANT)
    path = tmp_path / "rewards.db"
    for name in NAMES:
        for at in steps_of(name, scale, least=3):
            for old in tmp_path.glob("rewards.db*"):
                old.unlink()
            shutil.copy(built, path)
            place = killed(name, TENANT, at, lambda: SqliteStore(path))
            if not place:
                break
            tally[place] += 1
            with closing(SqliteStore(path)) as store:
                converges(store, name, TENANT, kept=place == "after commit")
    enough(tally, scale, record_property)


@pytest.fixture
def postgres_store(postgres_dsn: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(postgres_dsn)) as store:
        store.migrate()
        yield store


@forked
def test_a_client_that_is_killed_at_any_step_leaves_nothing_or_everything_on_postgresql(
    postgres_store: PostgresStore, postgres_dsn: str, scale: float, record_property: Callable[[str, object], None]
) -> None:
    tally = Counter[str]()
    for name in NAMES:
        for at in steps_of(name, scale):
            tenant = f"{name} {at}"
            build_pools(postgres_store, tenant)
            place = killed(name, tenant, at, lambda: open_store(postgres_dsn))
            if not place:
                break
            tally[place] += 1
            converges(postgres_store, name, tenant, kept=place == "after commit")
    enough(tally, scale, record_property)


class Ended:
    """A watch that has the server end the client's connection at a step, once.

    Args:
        at: at which step, from 1.
        dsn: of the server.
    """

    def __init__(self, at: int, dsn: str) -> None:
        self._left = at
        self._dsn = dsn
        self.place = ""
        self.first = Step("begin", "before")
        """What the client would have asked next, and found out by."""

    def __call__(self, step: Step) -> None:
        self._left -= 1
        if self._left == 0:
            self.place = f"{step.when} {step.call}"
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                text = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'victim'"
                connection.execute(text).fetchall()
        if (self._left == 0 and step.when == "before") or self._left == -1:
            self.first = step


def told_of(kit: RewardKit, command: Command[Any]) -> str:
    """What a command answers, or what may have become of one that the store could not."""
    try:
        return told(kit.attempt(command, key=KEY))
    except StoreError as error:
        return error.outcome


def test_a_connection_that_the_server_ends_at_any_step_is_made_good_or_told(
    postgres_store: PostgresStore, postgres_dsn: str, scale: float, record_property: Callable[[str, object], None]
) -> None:
    tally = Counter[str]()
    with closing(PostgresStore(make_conninfo(postgres_dsn, application_name="victim"))) as victim:
        for name in NAMES:
            for at in steps_of(name + ENDED, scale):
                tenant = f"{name} {at}{ENDED}"
                build_pools(postgres_store, tenant)
                watch = Ended(at, postgres_dsn)
                kit = kit_at(WatchedStore(victim, watch), tenant, NOW)
                answer = told_of(kit, pool_moves(kit_at(victim, tenant, NOW), tenant)[name])
                # Nobody who has asked for the commit, and lost the connection, knows what became of it.
                kept = watch.first != Step("commit", "before")
                assert answer == (outcome(name, 1).answer if kept else "unknown")
                converges(postgres_store, name, tenant, kept=kept)
                if not watch.place:
                    break
                tally[watch.place] += 1
    enough(tally, scale, record_property)
