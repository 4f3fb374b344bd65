"""Webhooks to receivers that fail in every way, by workers that are killed: D2 to D8, T21 and T25, over real HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

import rewardkit as rk
from rewardkit.core.notices.notice import settled_in
from rewardkit.core.notices.outbox import SCHEDULE_SECONDS
from rewardkit.core.storing.needs import ListNotices
from rewardkit.core.storing.rows import NoticeRow
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.testing.audit_outbox import outbox_violations
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.hostility import GONE, Hostility
from rewardkit.testing.receiver import Receiver, Request, answer
from rewardkit.testing.rows import notice
from rewardkit.testing.steps import ask, put
from rewardkit.webhooks import generate_secret, verify

ROOT = Path(__file__).parents[2]
TENANT = "acme"
SEED = 20_261
WORKERS = 6
PATIENCE_SECONDS = 0.15
SECRET = generate_secret()
LEAVING_KINDS = ("offer.made",)
"""What the receiver that answers 410 one day is told; the other one is told everything."""


class Slot:
    """A place for one worker: when it has died, another takes it."""

    def __init__(self, number: int, job: dict[str, Any]) -> None:
        self._number, self._job = number, job
        self.killed_at: list[int] = []
        self.counts: Counter[str] = Counter()
        self._worker = self._start()

    def _start(self) -> subprocess.Popen[str]:
        job = self._job | {"seed": f"{SEED} {self._number} {len(self.killed_at)}"}
        return subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("delivery_worker.py")), json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        )

    def deliver(self, at: int, deaths: float) -> None:
        """Have all delivered that is due, by as many workers as it takes."""
        while not self.delivers(at, deaths):
            self.replace(at)

    def replace(self, at: int) -> None:
        """Put a new worker where one has died."""
        self.killed_at.append(at)
        self._worker = self._start()

    def delivers(self, at: int, deaths: float) -> bool:
        """Whether the worker that is there lived to say what it delivered."""
        stdin, stdout = self._worker.stdin, self._worker.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{at} {deaths}\n")
        stdin.flush()
        line = stdout.readline()
        if line:
            self.counts.update(dict(zip(("delivered", "failed", "overtaken"), json.loads(line), strict=True)))
            return True
        self._worker.communicate()
        assert self._worker.returncode == -signal.SIGKILL
        return False

    def signal(self, number: int) -> None:
        """To the worker that is there."""
        self._worker.send_signal(number)

    def close(self) -> None:
        if self._worker.poll() is None:
            self._worker.communicate(timeout=30)


@attrs.frozen
class Storm:
    """A store with notices, receivers by the names of their endpoints, and the workers between them."""

    store: Store
    clock: FakeClock
    bodies: dict[str, bytes]
    hostilities: dict[str, Hostility]
    slots: list[Slot]

    def rows(self) -> list[NoticeRow]:
        rows: list[NoticeRow] = []
        after = None
        while page := ask(self.store, ListNotices(None, after, 1_000), TENANT):
            rows += page
            after = (page[-1].created_at, page[-1].id)
        return rows

    def rage(self, deaths: float = 0.0) -> None:
        """Until nothing is pending: hour by hour for a day, then every four hours, for two weeks at most."""
        with ThreadPoolExecutor(len(self.slots)) as pool:
            for wait in (*["1h"] * 24, *["4h"] * 6 * 13):
                list(pool.map(lambda slot: slot.deliver(self.clock(), deaths), self.slots))
                self.clock.advance(wait)
                if not ask(self.store, ListNotices("pending", None, 1), TENANT):
                    break


@contextmanager
def slots_for(text: str, count: int, receivers: dict[str, Receiver]) -> Iterator[list[Slot]]:
    """Workers for a store and its receivers."""
    endpoints = {
        name: {"url": receiver.url, "port": receiver.port, "kinds": LEAVING_KINDS if name == "leaving" else None}
        for name, receiver in receivers.items()
    }
    job = {
        "store": text,
        "tenant": TENANT,
        "secret": SECRET.reveal(),
        "endpoints": endpoints,
        "timeout_seconds": PATIENCE_SECONDS,
    }
    slots = [Slot(number, job) for number in range(count)]
    try:
        yield slots
    finally:
        for slot in slots:
            slot.close()


def fill(store: Store, count: int, clock: FakeClock) -> dict[str, bytes]:
    """Notices with bodies that no writer of JSON would write again as they are."""
    rows = [
        notice(f"no_{number:05}", created_at=clock() + number, attempt_at=clock())._replace(
            kind="grant.ready" if number % 5 else LEAVING_KINDS[0],
            body=b'{"n":  %d, "note": "f\xc3\xbcr Zo\xc3\xab", "twice": 1, "twice": 1.00}\n' % number,
        )
        for number in range(count)
    ]
    for start in range(0, count, 1_000):
        put(store, *rows[start : start + 1_000], tenant=TENANT)
    return {row.id: row.body for row in rows}


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def text(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path / 'rewards.db'}"
    return str(request.getfixturevalue("postgres_dsn"))


@pytest.fixture
def storm(text: str, scale: float) -> Iterator[Storm]:
    # Of a small share most is the start of its workers.
    count = round(20_000 * scale) if scale >= 0.1 else 400
    clock = FakeClock()
    hostilities = {
        "staying": Hostility(SEED, PATIENCE_SECONDS),
        "leaving": Hostility(SEED + 1, PATIENCE_SECONDS, gone_after=count // 10),
    }
    with ExitStack() as stack:
        store = stack.enter_context(closing(open_store(text)))
        store.migrate()
        receivers = {
            name: stack.enter_context(Receiver(hostility, shuts=hostility.shuts))
            for name, hostility in hostilities.items()
        }
        slots = stack.enter_context(slots_for(text, WORKERS, receivers))
        yield Storm(store, clock, fill(store, count, clock), hostilities, slots)


def test_none_is_lost_or_altered_or_told_after_410_and_every_dead_letter_says_whom_it_did_not_reach(
    storm: Storm, record_property: Callable[[str, object], None]
) -> None:
    began = time.monotonic()
    storm.rage(deaths=0.002 + 4 / len(storm.bodies))
    killed_at, rows = [at for slot in storm.slots for at in slot.killed_at], storm.rows()
    tell(storm, rows, len(killed_at), time.monotonic() - began, record_property)
    assert killed_at != []
    assert {row.id: row.body for row in rows} == storm.bodies
    assert list(outbox_violations(rows, ())) == []
    assert Counter(row.status for row in rows)["pending"] == 0
    for name, hostility in storm.hostilities.items():
        untouched(storm, hostility)
        accounted_for(name, hostility, rows)
    left_alone_as_asked(storm.hostilities["staying"], {at // 1_000_000 for at in killed_at})
    silent_after_410(storm.hostilities["leaving"])
    nothing_more(storm)
    replayed(storm, rows)


def tell(
    storm: Storm, rows: list[NoticeRow], killed: int, seconds: float, record: Callable[[str, object], None]
) -> None:
    """For the documentation."""
    found: dict[str, object] = {
        "seed": SEED,
        "seconds": round(seconds),
        "notices": len(rows),
        "workers killed": killed,
        "statuses": dict(Counter(row.status for row in rows)),
        "attempts recorded": sum(row.attempts for row in rows),
    }
    for name, hostility in storm.hostilities.items():
        answered = Counter(seen.way for seen in hostility.seen)
        found[name] = {"requests": len(hostility.seen), "shut": hostility.shut, **dict(sorted(answered.items()))}
    print(f"\n{json.dumps(found)}")
    for what, figure in found.items():
        record(what, figure)


def untouched(storm: Storm, hostility: Hostility) -> None:
    """Each request has the id, the body and a signature of the notice it is about."""
    for request, _ in hostility.seen:
        told = verify(request.body, request.headers, SECRET, now=int(request.headers["webhook-timestamp"]))
        assert storm.bodies[told.id] == request.body == told.body


def wants(name: str, row: NoticeRow) -> bool:
    return name == "staying" or row.kind in LEAVING_KINDS


def accounted_for(name: str, hostility: Hostility, rows: list[NoticeRow]) -> None:
    """Who counts as having a notice was told it and said so; who does not is named in the dead letter, with why."""
    told, had = hostility.told(), hostility.had()
    for row in rows:
        settled = settled_in(row)
        if not wants(name, row):
            assert row.id not in told
        elif settled.get(name) == "":
            assert row.id in had
        else:
            assert row.status == "dead"
            assert f"{name}: " in row.error
            assert row.attempts == len(SCHEDULE_SECONDS) + 1 or f"answered {GONE}" in settled[name]


def left_alone_as_asked(hostility: Hostility, killed_at: set[int]) -> None:
    """No attempt before `Retry-After` is over, but where a killed worker could not record it, or one did not wait.

    On a busy machine a worker's patience may be over before it reads an answer; where none is heeded nearly all are.
    """
    until: dict[str, int] = {}
    asked = early = 0
    for request, way in hostility.seen:
        id, now = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
        early += now < until.get(id, 0)
        wait = 0 if now in killed_at else hostility.retry_after_seconds(way)
        asked += wait > 0
        until[id] = now + wait
    assert asked > 0
    assert early <= asked / 4


def silent_after_410(hostility: Hostility) -> None:
    """What others had leased before it was recorded may be told, once by each, and nothing that is leased later."""
    said = [number for number, seen in enumerate(hostility.seen) if seen.way == GONE]
    gone_at = hostility.seen[said[0]].request.headers["webhook-timestamp"]
    after = hostility.seen[said[0] + 1 :]
    assert {seen.request.headers["webhook-timestamp"] for seen in after} <= {gone_at}
    assert len(after) <= 2 * (WORKERS - 1)


def nothing_more(storm: Storm) -> None:
    """What is delivered or dead is not told again, however much time passes."""
    before = [len(hostility.seen) for hostility in storm.hostilities.values()]
    storm.clock.advance("30d")
    storm.rage()
    assert [len(hostility.seen) for hostility in storm.hostilities.values()] == before


def replayed(storm: Storm, rows: list[NoticeRow]) -> None:
    """Dead letters go out under the ids and with the bodies that they had, and only to those who had them not."""
    for hostility in storm.hostilities.values():
        hostility.relent()
    dead = {row.id: settled_in(row) for row in rows if row.status == "dead"}
    before = {name: hostility.had() for name, hostility in storm.hostilities.items()}
    counts = {name: len(hostility.seen) for name, hostility in storm.hostilities.items()}
    kit = rk.RewardKit(storm.store, tenant=TENANT, clock=storm.clock)
    kit.run(rk.EnableEndpoint("leaving"))
    revived = 0
    while some := kit.run(rk.ReplayDeadLetters(500)):
        revived += some
    assert revived == len(dead) > 0
    storm.rage()
    assert {row.status for row in storm.rows()} == {"delivered"}
    for name, hostility in storm.hostilities.items():
        untouched(storm, hostility)
        again = {seen.request.headers["webhook-id"] for seen in hostility.seen[counts[name] :]}
        assert again == {row.id for row in rows if wants(name, row) and dead.get(row.id, {name: ""}).get(name) != ""}
        assert before[name] | again == {row.id for row in rows if wants(name, row)}


def test_a_process_killed_after_the_receivers_success_repeats_under_the_same_id_and_with_the_same_body(
    text: str,
) -> None:
    clock = FakeClock()
    with (
        closing(open_store(text)) as store,
        Receiver() as receiver,
        slots_for(text, 1, {"staying": receiver}) as (slot,),
    ):
        store.migrate()
        bodies = fill(store, 3, clock)
        assert not slot.delivers(clock(), deaths=1)
        slot.replace(clock())
        (first,) = receiver.received
        slot.deliver(clock() + 1, deaths=0)
        assert len(receiver.received) == 1
        slot.deliver(clock() + 3_600_000_000, deaths=0)
        told = Counter((request.headers["webhook-id"], request.body) for request in receiver.received)
    assert slot.counts == {"delivered": 3, "failed": 0, "overtaken": 0}
    assert set(told) == set(bodies.items())
    assert told[first.headers["webhook-id"], first.body] == 2
    assert told.total() == 4


def test_a_process_that_is_paused_until_its_lease_is_over_marks_nothing_of_the_newer_one(text: str) -> None:
    clock, told = FakeClock(), threading.Event()
    with (
        closing(open_store(text)) as store,
        Receiver() as receiver,
        slots_for(text, 2, {"staying": receiver}) as (paused, other),
        ThreadPoolExecutor(1) as pool,
    ):
        store.migrate()
        fill(store, 3, clock)

        def pause(connection: socket.socket, request: Request) -> None:
            receiver.behaviour = answer(500)
            paused.signal(signal.SIGSTOP)
            answer()(connection, request)
            told.set()

        receiver.behaviour = pause
        first = pool.submit(paused.deliver, clock(), 0.0)
        try:
            assert told.wait(60)
            # It fails, so that what it had is still to be told when the first wakes up.
            other.deliver(clock() + 3_600_000_000, deaths=0)
            after = ask(store, ListNotices(None, None, 9), TENANT)
        finally:
            paused.signal(signal.SIGCONT)
        first.result(60)
        assert ask(store, ListNotices(None, None, 9), TENANT) == after
    assert [(row.status, row.attempts, row.lease) for row in after] == [("pending", 1, 2)] * 3
    assert paused.counts == {"delivered": 0, "failed": 0, "overtaken": 3}
