"""Workers killed by SIGKILL at random steps: what they had acknowledged is there, nothing is torn, repeats converge.

Each round forks two workers on one store. Each draws its plan and its kill point from the seed, tells over a pipe what
has been acknowledged, and dies: at a step of what it asks of the store, or whenever the parent's signal meets it.
The parent audits what is left, then repeats everything under the same keys, twice.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import attrs
import psycopg
import pytest

from rewardkit import (
    Backfill,
    CancelUserOffer,
    ClaimGrants,
    EnterOfferCode,
    FailGrant,
    FulfilGrant,
    MakeOffer,
    Refused,
    ReverseGrant,
    RunDue,
)
from rewardkit.core.entrance import wire
from rewardkit.core.requests import commands
from rewardkit.core.requests.commands import Command, Emit
from rewardkit.core.storing.effects import Effect
from rewardkit.ports import Store, Transaction
from rewardkit.storage import open_store
from rewardkit.testing.audit import Snapshot, violations
from rewardkit.testing.audit_rows import snapshot_in
from rewardkit.testing.faults import Step, WatchedStore
from rewardkit.testing.faults_world import BEGAN_AT, HOUR, event, grant_of, kit_at, user_offer_of

SEED = 20_260
ROUNDS_A_TENANT = 12
"""A round audits everything that its tenant has, so tenants are kept small."""
PLAN_LENGTH = 14
USERS = 8
STEPS = ("begin", "Recall", "Accept", "Members", "Claims", "write", "commit")
"""Kill points that every run must hit, before and after; others come up rarely."""


@attrs.frozen
class Task:
    """A command, when it is made, and under which key; an emit's event ids do the same without one."""

    at: int
    command: Command[Any]
    key: str | None


def define(store: Any, tenant: str) -> None:
    kit = kit_at(store, tenant, BEGAN_AT)
    kit.run(commands.DefineReward("gift"))
    kit.run(commands.DefineOffer("activate", "gift", "Activated", expires_after="2h"))
    kit.run(commands.DefineOffer("twice", "gift", "Bought*2"))
    kit.run(commands.DefineCampaign("capped", "activate", entry="Signed", code="CAP", cap=20, user_cap=100))
    kit.run(commands.DefineCampaign("buyers", "twice", entry="Signed"))
    kit.run(commands.LaunchCampaign("capped"))
    kit.run(commands.LaunchCampaign("buyers"))


def plan(tenant: str, run: int) -> list[Task]:
    """What one worker is to do: the same for the same run."""
    chance = random.Random(f"{SEED} {tenant} {run}")
    at = BEGAN_AT + run * HOUR // 4
    found = []
    for number in range(PLAN_LENGTH):
        name = f"{run}-{number}"
        command = _command(chance, tenant, name, at)
        keyed = not isinstance(command, Emit) or chance.random() < 0.5
        found.append(Task(at, command, name if keyed else None))
    return found


def _command(chance: random.Random, tenant: str, name: str, at: int) -> Command[Any]:
    user = f"user {chance.randrange(USERS)}"
    entry = chance.randint(1, 4)
    grant = grant_of(tenant, chance.choice(("capped", "buyers")), user, chance.choice((1, 1, entry)))
    match chance.choices(range(10), (8, 3, 3, 2, 2, 2, 2, 1, 2, 1))[0]:
        case 0:
            kinds = chance.choices(("Signed", "Activated", "Bought", "Looked"), k=chance.choice((1, 1, 2, 5)))
            return Emit(
                tuple(
                    event(kind, f"user {chance.randrange(USERS)}", f"{name}-{index}", at)
                    for index, kind in enumerate(kinds)
                )
            )
        case 1:
            return MakeOffer("capped", user)
        case 2:
            return EnterOfferCode("cap", user)
        case 3:
            return CancelUserOffer(user_offer_of(tenant, "capped", user, entry))
        case 4:
            return ClaimGrants(3, 1)
        case 5:
            return FulfilGrant(grant)
        case 6:
            return RunDue(5)
        case 7:
            return FailGrant(grant, "no answer", retry_after="1s")
        case 8:
            return ReverseGrant(grant, "refunded", amount=chance.choice((None, "1.00")))
        case _:
            return Backfill(dry_run=False)


def digest(answer: object) -> str:
    """Tells answers apart; a refusal is not remembered, and may become an answer."""
    return "refused" if isinstance(answer, Refused) else blake2b(wire.dump(answer).encode(), digest_size=8).hexdigest()


Wrap: TypeAlias = Callable[[Store], Store]


def as_it_is(store: Store) -> Store:
    return store


def work(name: str, tenant: str, run: int, kill_at: int, pipe: int, wrap: Wrap) -> NoReturn:
    """What a worker does: its plan, with a line down the pipe for each answer, until it is killed."""
    count = 0

    def watch(step: Step) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.write(pipe, f"{json.dumps(['killed', *step])}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        store = wrap(WatchedStore(open_store(name), watch))
        for index, task in enumerate(plan(tenant, run)):
            answer = kit_at(store, tenant, task.at).attempt(task.command, key=task.key)
            os.write(pipe, f"{json.dumps(['acknowledged', index, digest(answer)])}\n".encode())
    except BaseException as error:  # noqa: BLE001 - told to the parent, whatever it is
        os.write(pipe, f"{json.dumps(['failed', repr(error)])}\n".encode())
    os._exit(0)


class Worker:
    """A forked process; `read` gives what it told before it died."""

    def __init__(self, name: str, tenant: str, run: int, chance: random.Random, wrap: Wrap) -> None:
        self.tenant, self.run = tenant, run
        # One in five is killed from outside, wherever it happens to be: inside a statement, or inside a commit.
        self._outside = chance.random() < 0.2
        self._wait = chance.uniform(0.002, 0.05)
        kill_at = 10**9 if self._outside else chance.randint(1, 90)
        self._pipe, pipe = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            os.close(self._pipe)
            work(name, tenant, run, kill_at, pipe, wrap)
        os.close(pipe)

    def read(self, tally: Counter[str]) -> dict[int, str]:
        """The digests of acknowledged answers, by their place in the plan; the tally counts how it ended."""
        with os.fdopen(self._pipe) as pipe:
            first = pipe.readline()
            if self._outside and first:
                time.sleep(self._wait)
                os.kill(self._process, signal.SIGKILL)
            told = [json.loads(line) for line in [first, *pipe] if line.endswith("\n")]
        _, status = os.waitpid(self._process, 0)
        tally["kills"] += os.WIFSIGNALED(status)
        assert [] == [line for line in told if line[0] == "failed"]
        if self._outside:
            tally["killed from outside"] += os.WIFSIGNALED(status)
        tally.update(f"{line[2]} {line[1]}" for line in told if line[0] == "killed")
        found = {line[1]: line[2] for line in told if line[0] == "acknowledged"}
        tally["acknowledged"] += len(found)
        return found


class Aftermath:
    """What the parent checks when two workers of a tenant have died."""

    def __init__(self, name: str, tenant: str, connect: Callable[[], Any]) -> None:
        self._store = open_store(name)
        self._tenant = tenant
        self._connect = connect

    def check(self, runs: dict[int, dict[int, str]], tally: Counter[str]) -> None:
        left = self._snapshot()
        for run, acknowledged in runs.items():
            self._whole(left, run, acknowledged, tally)
        answers = {run: self._repeat(run, acknowledged) for run, acknowledged in runs.items()}
        after = self._snapshot()
        for run in runs:
            self._repeat(run, answers[run])
        final = self._snapshot()
        assert after.events == final.events
        assert set(after.answers) <= set(final.answers)
        self._store.close()

    def _snapshot(self) -> Snapshot:
        with closing(self._connect()) as connection:
            snapshot = snapshot_in(connection, self._tenant)
        assert () == violations(snapshot)
        return snapshot

    def _whole(self, left: Snapshot, run: int, acknowledged: dict[int, str], tally: Counter[str]) -> None:
        """K1 and K2: the events of a call are all there or none is, and with them the answer under its key."""
        events = {(row.user, row.id) for row in left.events}
        answers = {(row.operation, row.key) for row in left.answers}
        for index, task in enumerate(plan(self._tenant, run)):
            operation = type(task.command).__name__
            kept = task.key is not None and (operation, task.key) in answers
            accepted = acknowledged.get(index, "refused") != "refused"
            if isinstance(task.command, Emit):
                mine = {(one.user, one.id) for one in task.command.events}
                assert mine & events in (set(), mine)
                if task.key is not None:
                    assert kept == (mine <= events)
                kept = mine <= events
            assert kept or not accepted
            tally["committed, not acknowledged"] += kept and index not in acknowledged

    def _repeat(self, run: int, known: dict[int, str]) -> dict[int, str]:
        """Everything again under the same keys: an answer that was given is given again. K3."""
        found = {}
        for index, task in enumerate(plan(self._tenant, run)):
            answer = digest(kit_at(self._store, self._tenant, task.at).attempt(task.command, key=task.key))
            if task.key is not None:
                found[index] = answer
                # A refusal is not remembered: what was refused may be possible by now.
                assert known.get(index, "refused") in ("refused", answer)
        return found


def kill_and_check(name: str, connect: Callable[[], Any], kills: int, wrap: Wrap = as_it_is) -> Counter[str]:
    """Rounds of two workers until so many were killed."""
    tally: Counter[str] = Counter()
    chance = random.Random(SEED)
    number = 0
    while tally["kills"] < kills:
        tenant = f"tenant {number // ROUNDS_A_TENANT}"
        if number % ROUNDS_A_TENANT == 0:
            store = open_store(name)
            define(store, tenant)
            store.close()
        workers = [Worker(name, tenant, 2 * number + place, chance, wrap) for place in range(2)]
        runs = {worker.run: worker.read(tally) for worker in workers}
        Aftermath(name, tenant, connect).check(runs, tally)
        number += 1
    return tally


class Torn:
    """A store sabotaged as by a forgotten transaction: what is taken is committed before what is written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.joined = False
        self.join, self.migrate, self.close = store.join, store.migrate, store.close
        self.join_async = store.join_async
        self.listening = store.listening

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[Transaction]:  # noqa: ARG002 - torn all the same
        with self._store.transaction(tenant) as taking:
            later = TornTransaction(taking)
            yield later
        with self._store.transaction(tenant) as writing:
            writing.write(later.effects)


class TornTransaction:
    def __init__(self, transaction: Transaction) -> None:
        self.ask = transaction.ask
        self.effects: list[Effect] = []

    def write(self, effects: Sequence[Effect]) -> None:
        self.effects += effects


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
def test_the_check_catches_a_command_that_commits_twice(tmp_path: Path) -> None:
    path = tmp_path / "rewards.db"
    with pytest.raises(AssertionError, match=r"C7|K2|K6"):
        kill_and_check(f"sqlite:///{path}", lambda: sqlite3.connect(path, isolation_level=None), 200, Torn)


def told(tally: Counter[str], began: float, record: Callable[[str, object], None], kills: int) -> None:
    """Fail a run that proves nothing; keep its figures."""
    seconds = time.monotonic() - began
    print(f"\nseed {SEED}, {seconds:.0f} s: {json.dumps(dict(sorted(tally.items())))}")
    record("tally", dict(tally))
    assert tally["acknowledged"] >= tally["kills"]
    if kills >= 300:
        assert tally["killed from outside"] > kills / 20
        points = {f"{when} {step}" for step in STEPS for when in ("before", "after")}
        assert set() == points - tally.keys()
        assert tally["committed, not acknowledged"] > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
def test_nothing_acknowledged_is_lost_on_sqlite(
    tmp_path: Path, scale: float, record_property: Callable[[str, object], None]
) -> None:
    path = tmp_path / "rewards.db"
    began, kills = time.monotonic(), max(20, round(1_000 * scale))
    tally = kill_and_check(f"sqlite:///{path}", lambda: sqlite3.connect(path, isolation_level=None), kills)
    told(tally, began, record_property, kills)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
def test_nothing_acknowledged_is_lost_on_postgresql(
    postgres_dsn: str, scale: float, record_property: Callable[[str, object], None]
) -> None:
    store = open_store(postgres_dsn)
    store.migrate()
    store.close()
    began, kills = time.monotonic(), max(10, round(300 * scale))
    tally = kill_and_check(postgres_dsn, lambda: psycopg.connect(postgres_dsn, autocommit=True), kills)
    told(tally, began, record_property, kills)
