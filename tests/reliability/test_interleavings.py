"""Two and three commands at once, step by step: whatever PostgreSQL lets through comes to what some order comes to.

A command stops before each call to the store until the schedule lets it go on; one that waits for a lock is passed
over until it has it. On SQLite and in memory a transaction has the store to itself: there, the other one is told so.
"""

from __future__ import annotations

import copy
import itertools
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import attrs
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rewardkit.core.notices.outbox import Leased, LeaseOutbox, MarkOutbox
from rewardkit.core.requests.answers import Claimed
from rewardkit.core.requests.commands import Backfill, RunDue
from rewardkit.errors import Conflict, Refused, StoreError
from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.audit import Snapshot, violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.campaign_world import USERS, build, moves, rivals
from rewardkit.testing.faults import Step, WatchedStore
from rewardkit.testing.faults_stage import Stage, Task
from rewardkit.testing.faults_world import LATER, NOW, kit_at

TENANT = "acme"
NAMES = tuple(moves(TENANT))
SKIPPING = frozenset({"due", "claim", "claim checks", "lease outbox"})
"""These pass over what others hold, and find it the next time."""
PAIRS = tuple(itertools.combinations_with_replacement(NAMES, 2))


def perform(store: Store, tenant: str, name: str, key: str | None) -> object:
    at, command = {**moves(tenant), **rivals(tenant)}[name]
    try:
        return kit_at(store, tenant, at).attempt(command, key=key)
    except Conflict as conflict:
        return f"conflict: {conflict}"


def settled(store: Store, tenant: str, names: Sequence[str]) -> Snapshot:
    """What is there, once those that pass over what is held have been run again."""
    if "due" in names:
        kit_at(store, tenant, LATER).run(RunDue(100))
    if {"due", "backfill"} & set(names):
        # Who was passed over, or written meanwhile, is left to the next one; all shall be folded under the newest.
        kit_at(store, tenant, LATER if "due" in names else NOW).run(Backfill(dry_run=False))
    found = snapshot_of(store, tenant, USERS)
    assert () == violations(found)
    # What the last claim got is nobody's state; leases fall differently when some were passed over.
    counters = tuple(row._replace(granted=0) for row in found.counters)
    grants, notices = found.grants, found.notices
    if SKIPPING & set(names):
        grants = tuple(row._replace(lease=0, lease_until=0) for row in grants)
        notices = tuple(row._replace(lease=0, attempt_at=0) for row in notices)
    # Whoever has done nothing is the same under all definitions, and was met before or after they changed.
    members = tuple(row if row.state else row._replace(epoch=0) for row in found.members)
    return attrs.evolve(found, members=members, counters=counters, grants=grants, notices=notices)


@lru_cache(4)
def built(tenant: str) -> MemoryStore:
    store = MemoryStore()
    build(store, tenant)
    return store


@lru_cache(4)
def orders(tenant: str, names: tuple[str, ...], keys: tuple[str | None, ...]) -> list[Snapshot]:
    """What the commands come to one after the other, in every order."""
    found = []
    for order in itertools.permutations(zip(names, keys, strict=True)):
        store = MemoryStore()
        store._tenants = copy.deepcopy(built(tenant)._tenants)
        for name, key in order:
            perform(store, tenant, name, key)
        found.append(settled(store, tenant, names))
    return found


def task(tenant: str, name: str, key: str | None) -> Task:
    return lambda store: perform(store, tenant, name, key)


def drawn(seed: int, actors: int) -> list[int]:
    """A schedule: long runs of one actor are as interesting as alternation."""
    chance = random.Random(seed)
    schedule: list[int] = []
    while len(schedule) < 40:
        schedule += [chance.randrange(actors)] * chance.choice((1, 1, 2, 3, 5))
    return schedule


def check(
    stage: Stage,
    store: Store,
    names: tuple[str, ...],
    keys: tuple[str | None, ...],
    seed: int,
    schedule: Sequence[int] = (),
) -> None:
    """Play one schedule, given or drawn by the seed, in a tenant of its own."""
    tenant = f"{'+'.join(names)} {keys} {seed}"
    build(store, tenant)
    schedule = schedule or drawn(seed, len(names))
    answers = stage.play([task(tenant, name, key) for name, key in zip(names, keys, strict=True)], schedule)
    assert [] == [answer for answer in answers if isinstance(answer, BaseException) and not isinstance(answer, Refused)]
    if len(set(keys)) == len(keys):
        assert [1] == sorted({1, *Counter(leased(answers)).values()})
    found = settled(store, tenant, names)
    if not any(found == order for order in orders(tenant, names, keys)):
        raise AssertionError(_difference(found, orders(tenant, names, keys)[0], stage))


def leased(answers: Sequence[object]) -> Iterator[str]:
    """What workers were given to pay or to tell: each to one of them."""
    for answer in answers:
        if isinstance(answer, Claimed):
            yield from (grant.id for grant in answer.grants)
        if isinstance(answer, Leased):
            yield from (row.id for row in answer.rows)


def _difference(found: Snapshot, order: Snapshot, stage: Stage) -> str:
    lines = [f"{[step.call for step in actor.steps]} -> {actor.answer}" for actor in stage.actors]
    for field in attrs.fields(Snapshot):
        ours, theirs = getattr(found, field.name), getattr(order, field.name)
        if ours != theirs:
            lines.append(f"{field.name}: {ours}\n    in the first order: {theirs}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def stage_dsn(_create_postgres_database: object) -> str:
    assert callable(_create_postgres_database)
    dsn: str = _create_postgres_database()
    return dsn


@pytest.fixture(scope="module")
def stage(stage_dsn: str) -> Iterator[Stage]:
    # A deadlock is to be found at once, and what waits is to wait until the schedule comes to it.
    settings = [
        make_conninfo(stage_dsn, application_name=f"actor {number}", options="-c deadlock_timeout=20ms")
        for number in range(3)
    ]
    stores = [PostgresStore(dsn, lock_timeout_seconds=20) for dsn in settings]
    stores[0].migrate()
    with psycopg.connect(stage_dsn, autocommit=True) as monitor:

        def waits(number: int) -> bool:
            text = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
            return monitor.execute(text, (f"actor {number}",)).fetchone() is not None

        stage = Stage(stores, waits)
        yield stage
        stage.close()


def keys_for(names: tuple[str, ...]) -> tuple[str | None, ...]:
    return tuple(f"key {number}" if number % 2 else None for number, _ in enumerate(names))


def test_pairs_of_commands_on_postgresql_come_to_what_an_order_comes_to(
    stage: Stage, stage_dsn: str, scale: float
) -> None:
    store = PostgresStore(stage_dsn)
    pairs = random.Random(2).sample(PAIRS, len(PAIRS))
    schedules = max(100, round(2_000 * scale))
    for seed, names in zip(range(schedules), itertools.cycle(pairs)):
        check(stage, store, names, keys_for(names), seed)
    assert stage.waits > schedules / 20
    store.close()


def test_three_commands_on_postgresql_come_to_what_an_order_comes_to(
    stage: Stage, stage_dsn: str, scale: float
) -> None:
    store = PostgresStore(stage_dsn)
    chance = random.Random(3)
    for seed in range(max(30, round(1_000 * scale))):
        names = tuple(chance.choices(NAMES, k=3))
        check(stage, store, names, keys_for(names), seed)
    store.close()


REFERRALS = (
    ("complete", "listen"),  # two recipients of one sender, who can earn one reward
    ("refer", "enter referral code"),  # one recipient, two senders
    ("complete", "void"),
    ("refer", "refer"),
    ("complete", "define program"),
    ("refer", "define program"),
    ("complete", "due"),
    ("void", "due"),
    ("give code", "give code"),
    ("give code", "refer"),
)


@pytest.mark.parametrize("names", REFERRALS, ids="+".join)
def test_referrals_on_postgresql_come_to_what_an_order_comes_to(
    names: tuple[str, ...], stage: Stage, stage_dsn: str, scale: float
) -> None:
    store = PostgresStore(stage_dsn)
    # Each as far as it comes before the other begins, and then whatever chance says.
    for steps in range(1, 6):
        check(stage, store, names, (None, None), 7_000 + steps, [*[0] * steps, *[1] * 20])
    for seed in range(round(100 * scale)):
        check(stage, store, names, (None, None), 8_000 + seed)
    store.close()


CAMPAIGNS = (
    ("pause", "join"),
    ("pause", "offer promptly"),
    ("resume", "offer halted"),
    ("resume", "backfill"),
    ("end queued", "join"),
    ("end queued", "order"),
    ("launch later", "join"),
    ("launch later", "backfill"),
    ("replenish", "order"),
    ("replenish", "replenish"),
    ("replenish", "approve"),
    ("replenish stopping", "join"),
    ("join", "offer promptly"),
    ("cancel prompt", "join"),
    ("cancel prompt", "order"),
    ("approve", "fulfil reviewed"),
    ("approve", "deny"),
    ("deny", "fulfil reviewed"),
    ("deny", "join"),
    ("reverse reviewed", "approve"),
    ("reverse reviewed", "fulfil reviewed"),
    ("flag", "approve"),
    ("flag", "claim checks"),
    ("enter double", "refer"),
    ("enter double", "enter referral code"),
    ("enter double too", "complete"),
    ("enter double too", "void"),
    ("enter double", "refund sender"),
    ("enter double", "end doubled"),
    ("enter double", "define doubled"),
    ("enter double", "define double"),
    ("order", "order too"),
    ("order", "void double"),
    ("order", "define double"),
    ("order", "replenish", "approve"),
    ("enter double", "enter double too"),
    ("enter double", "replenish doubled"),
    ("enter double", "void double"),
    ("enter double", "order too"),
    ("buy", "buy too"),
    ("buy", "replenish patient"),
    ("enter double", "enter double too", "void double"),
    ("buy", "buy too", "replenish patient"),
    ("join", "offer promptly", "cancel prompt"),
    ("join", "pause", "offer promptly"),
    ("approve", "fulfil reviewed", "reverse reviewed"),
    ("enter double", "end doubled", "refund sender"),
    ("enter double", "enter referral code", "refer"),
    ("order", "order too", "void double"),
)
"""Those of campaigns that want the same."""


def test_campaigns_on_postgresql_come_to_what_an_order_comes_to(stage: Stage, stage_dsn: str, scale: float) -> None:
    store = PostgresStore(stage_dsn)
    before = stage.waits
    for number, names in enumerate(CAMPAIGNS):
        # Each as far as it comes before the others begin, and then whatever chance says.
        for steps in range(1, 6) if scale >= 1 else (2 + number % 3,):
            check(stage, store, names, (None,) * len(names), 9_000 + steps, [*[0] * steps, *[1, 2] * 20])
        for seed in range(round(60 * scale)):
            check(stage, store, names, (None,) * len(names), 10_000 + seed)
    assert stage.waits - before > len(CAMPAIGNS) / 2
    store.close()


CHANGES = tuple(name for name in NAMES if name.startswith(("define", "launch", "end")))


@pytest.mark.parametrize("emit", ["enter", "earn", "listen", "many", "order"])
@pytest.mark.parametrize("change", CHANGES)
def test_definitions_may_change_between_the_accepting_and_the_folding_of_an_event(
    emit: str, change: str, stage: Stage, stage_dsn: str
) -> None:
    store = PostgresStore(stage_dsn)
    # `begin` and `Accept` of the one, all of the other, the rest of the one.
    check(stage, store, (emit, change), (None, None), 5_000, [0, 0, *[1] * 20])
    assert ["begin", "Accept", "Members"] == [step.call for step in stage.actors[0].steps[:3]]
    store.close()


def test_the_check_catches_member_rows_that_are_not_locked(stage: Stage, stage_dsn: str) -> None:
    store = PostgresStore(stage_dsn)
    sabotaged = stage.actors[0].store
    assert isinstance(sabotaged, PostgresStore)
    texts = sabotaged.statements
    locked = texts.members
    texts.members = locked.replace(" FOR UPDATE", "")
    assert texts.members != locked
    schedule = [0, 0, 0, *[1] * 20]
    try:
        with pytest.raises(AssertionError):
            check(stage, store, ("earn", "make again"), (None, None), 6_000, schedule)
    finally:
        texts.members = locked
    check(stage, store, ("earn", "make again"), (None, None), 6_001, schedule)
    store.close()


@pytest.mark.parametrize(
    "name", [name for name in NAMES if not isinstance(moves(TENANT)[name][1], LeaseOutbox | MarkOutbox)]
)
def test_one_key_used_twice_at_once_on_postgresql_has_one_effect_and_one_answer(
    name: str, stage: Stage, stage_dsn: str, scale: float
) -> None:
    store = PostgresStore(stage_dsn)
    for seed in range(max(1, round(20 * scale))):
        check(stage, store, (name, name), ("one", "one"), 1_000 + seed)
        first, second = (actor.answer for actor in stage.actors[:2])
        assert first == second
    store.close()


@pytest.fixture(scope="module")
def built_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world") / "rewards.db"
    store = SqliteStore(path)
    build(store, TENANT)
    store.close()
    return path


class InTheMiddle:
    """A watch that has another command tried at the n-th step, once."""

    def __init__(self, at: int, store: Store, name: str) -> None:
        self._left = at
        self._store = store
        self._name = name
        self.step: Step | None = None
        self.error: StoreError | None = None

    def __call__(self, step: Step) -> None:
        self._left -= 1
        if self._left:
            return
        self.step = step
        try:
            with self._store.transaction(TENANT):
                pass
        except StoreError as error:
            self.error = error
        else:
            perform(self._store, TENANT, self._name, None)


@pytest.mark.parametrize("first", NAMES)
def test_a_command_in_the_middle_of_another_waits_or_comes_between_on_sqlite(
    first: str, built_file: Path, tmp_path: Path, scale: float
) -> None:
    chance = random.Random(first)
    seconds = [*NAMES] if scale >= 1 else chance.sample(NAMES, 1)
    for number, (second, at) in enumerate(itertools.product(seconds, range(1, 20))):
        path = tmp_path / f"{number}.db"
        shutil.copy(built_file, path)
        store, other = SqliteStore(path), SqliteStore(path, timeout_seconds=0)
        between = InTheMiddle(at, other, second)
        perform(WatchedStore(store, between), TENANT, first, None)
        if between.step is not None:
            outside = between.step in (Step("begin", "before"), Step("commit", "after"))
            assert outside == (between.error is None)
        if between.error is not None:
            assert ("not_applied", True) == (between.error.outcome, between.error.transient)
            perform(other, TENANT, second, None)
        if between.step is not None:
            assert settled(store, TENANT, (first, second)) in orders(TENANT, (first, second), (None, None))
        store.close()
        other.close()
        if between.step is None:
            break
