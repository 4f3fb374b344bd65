"""Deliveries, D2 to D8 and T25: none lost, none under another id or with another body, none marked by a late worker."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.core.storing.needs import ListNotices
from rewardkit.core.storing.rows import NoticeRow
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.testing.audit_outbox import outbox_violations
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.rows import notice
from rewardkit.testing.steps import ask, put

ROOT = Path(__file__).parents[2]
TENANT = "acme"
WORKERS = 4


@pytest.fixture(params=["memory", "SQLite", "PostgreSQL"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    texts = {"memory": ":memory:", "SQLite": f"sqlite:///{tmp_path / 'rewards.db'}"}
    store = open_store(texts.get(request.param) or request.getfixturevalue("postgres_dsn"))
    store.migrate()
    yield store
    store.close()


class KilledError(BaseException):
    """As a worker's death: nothing catches it, and nothing more is recorded."""


class Receiver:
    """Fails in every way that an endpoint can, and kills workers after it has what they tell."""

    def __init__(self, seed: int, *, kills: float) -> None:
        self.chance = random.Random(seed)
        self.kills = kills
        self.lock = threading.Lock()
        self.seen: dict[str, set[bytes]] = {}
        self.has: Counter[str] = Counter()
        self.killed: set[str] = set()

    def __call__(self, told: rk.Notice) -> rk.Outcome | None:
        with self.lock:
            draw, kill = self.chance.random(), self.chance.random() < self.kills
            self.seen.setdefault(told.id, set()).add(told.body)
            if draw < 0.1:
                raise ConnectionResetError("reset by peer")
            if draw < 0.2:
                return rk.RetryLater("429", after_seconds=self.chance.randrange(10_000))
            if draw < 0.21:
                return rk.FailedForGood("400")
            self.has[told.id] += 1
            if kill:
                self.killed.add(told.id)
                raise KilledError
            return None if draw < 0.5 else rk.Delivered()


def outbox(store: Store) -> list[NoticeRow]:
    rows: list[NoticeRow] = []
    after = None
    while page := ask(store, ListNotices(None, after, 1_000)):
        rows += page
        after = (page[-1].created_at, page[-1].id)
    return rows


def fill(store: Store, count: int, clock: FakeClock) -> dict[str, bytes]:
    rows = [
        notice(f"no_{number}", created_at=clock() + number, attempt_at=clock())._replace(body=b'{"n": %d}' % number)
        for number in range(count)
    ]
    for start in range(0, count, 1_000):
        put(store, *rows[start : start + 1_000], tenant=TENANT)
    return {row.id: row.body for row in rows}


def work(kit: rk.RewardKit) -> None:
    """Until nothing is due; a worker that is killed is followed by another."""
    while True:
        try:
            if not kit.deliver(limit=200).taken:
                return
        except KilledError:
            continue


@pytest.mark.parametrize("kills", [0.0, 0.02])
def test_every_notice_arrives_under_its_id_with_its_body_or_is_a_dead_letter_that_says_why(
    store: Store, kills: float, scale: float, record_property: Callable[[str, object], None]
) -> None:
    clock = FakeClock()
    bodies = fill(store, max(400, round(20_000 * scale)), clock)
    receiver = Receiver(7, kills=kills)
    jitter = random.Random(8)
    kit = rk.RewardKit(store, clock=clock, tenant=TENANT, notifiers=[receiver], jitter=jitter.random)
    for _ in range(14 * 24):
        threads = [threading.Thread(target=work, args=(kit,)) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock.advance("1h")
        if not kit.ask(rk.Notices(status="pending", limit=1)).items:
            break
    rows = outbox(store)
    record_property("deliveries", sum(receiver.has.values()))
    assert {row.id: row.body for row in rows} == bodies
    assert {id: {body} for id, body in bodies.items()} == receiver.seen
    assert list(outbox_violations(rows, ())) == []
    status = Counter(row.status for row in rows)
    assert status["pending"] == 0
    assert {row.id for row in rows if row.status == "delivered"} <= receiver.has.keys()
    assert all("400" in row.error or row.attempts == 10 for row in rows if row.status == "dead")
    assert bool(receiver.killed) == bool(kills)
    # What a killed worker had told and not recorded is told again: at most its batch.
    assert receiver.has.total() - len(receiver.has) <= 50 * len(receiver.killed)


@pytest.mark.parametrize(
    "outcome", [rk.RetryLater("503"), rk.Delivered(), rk.FailedForGood("400"), rk.EndpointGone("x")]
)
def test_a_worker_that_wakes_after_its_lease_marks_nothing_of_the_newer_one(store: Store, outcome: rk.Outcome) -> None:
    clock = FakeClock()
    (id,) = fill(store, 1, clock)
    newer = rk.RewardKit(store, clock=clock, tenant=TENANT, notifiers=[_Answers("shop", lambda: outcome)])
    states: list[NoticeRow] = []

    def sleep() -> rk.Outcome:
        clock.advance("10m")
        newer.deliver()
        states.extend(outbox(store))
        return rk.Delivered()

    paused = rk.RewardKit(store, clock=clock, tenant=TENANT, notifiers=[_Answers("shop", sleep)])
    assert paused.deliver() == rk.Delivery(overtaken=1)
    assert outbox(store) == states
    assert (states[0].id, states[0].attempts, states[0].lease) == (id, 1, 2)


def test_a_worker_that_wakes_while_the_newer_one_is_telling_marks_nothing(store: Store) -> None:
    clock = FakeClock()
    fill(store, 1, clock)
    marks: list[rk.Delivery] = []
    told: list[str] = []

    def tell_while_the_first_wakes() -> rk.Outcome:
        told.append("second")
        return rk.RetryLater("503")

    second = rk.RewardKit(store, clock=clock, tenant=TENANT, notifiers=[_Answers("shop", tell_while_the_first_wakes)])

    def sleep() -> rk.Outcome:
        told.append("first")
        clock.advance("10m")
        marks.append(second.deliver())
        clock.advance("10m")
        return rk.Delivered()

    first = rk.RewardKit(store, clock=clock, tenant=TENANT, notifiers=[_Answers("shop", sleep)])
    assert first.deliver(limit=1) == rk.Delivery(overtaken=1)
    assert (told, marks) == (["first", "second"], [rk.Delivery(failed=1)])
    assert second.deliver() == rk.Delivery(failed=1)
    assert [row.attempts for row in outbox(store)] == [2]


def test_a_late_410_counts_although_its_worker_was_overtaken(store: Store) -> None:
    clock = FakeClock()
    fill(store, 1, clock)
    newer = rk.RewardKit(store, clock=clock, tenant=TENANT, notifiers=[_Answers("shop", rk.Delivered)])

    def sleep() -> rk.Outcome:
        clock.advance("10m")
        newer.deliver()
        return rk.EndpointGone("410")

    paused = rk.RewardKit(store, clock=clock, tenant=TENANT, notifiers=[_Answers("shop", sleep)])
    assert paused.deliver() == rk.Delivery(overtaken=1)
    assert [endpoint.status for endpoint in newer.ask(rk.Endpoints())] == ["gone"]


class _Answers:
    def __init__(self, endpoint: str, answer: Callable[[], rk.Outcome]) -> None:
        self.endpoint = endpoint
        self._answer = answer

    def __call__(self, _notice: rk.Notice) -> rk.Outcome:
        return self._answer()


TELL_AND_DIE = """
import os, signal, sys
import rewardkit as rk
from rewardkit.testing.clock import FakeClock

store, path, at, dies = sys.argv[1:]

def tell(notice):
    with open(path, "ab") as file:
        file.write(notice.id.encode() + b" " + notice.body + b"\\n")
        file.flush()
        os.fsync(file.fileno())
    if dies == "yes":
        os.kill(os.getpid(), signal.SIGKILL)

kit = rk.RewardKit(store, tenant="acme", clock=FakeClock(int(at)), notifiers=[tell])
print(kit.deliver().delivered)
"""


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_a_process_killed_between_the_receivers_success_and_its_record_repeats_under_the_same_id(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    text = f"sqlite:///{tmp_path / 'rewards.db'}" if kind == "SQLite" else request.getfixturevalue("postgres_dsn")
    store, clock, received = open_store(text), FakeClock(), tmp_path / "received"
    store.migrate()
    bodies = fill(store, 3, clock)

    def worker(at: int, dies: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", TELL_AND_DIE, text, str(received), str(at), dies],
            check=False,
            capture_output=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        )

    assert worker(clock(), "yes").returncode == -signal.SIGKILL
    assert worker(clock() + 1, "no").stdout == "0\n"
    assert worker(clock() + 3_600_000_000, "no").stdout == "3\n"
    lines = received.read_bytes().splitlines()
    assert lines[0] in lines[1:]
    assert sorted(set(lines)) == [f"{id} ".encode() + body for id, body in sorted(bodies.items())]
    assert len(lines) == 4
    store.close()
