"""A pool of 20,000 codes under 8 and 32 workers, and the last use of a code under 64, again and again.

`REWARDKIT_SCALE=1 pytest tests/reliability/test_pool_storms.py` runs all of it; without, a share.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from rewardkit import CreatePool, GenerateCodes, ImportCodes, IssueCode, RewardKit
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_in

ROOT = Path(__file__).parents[2]
CODES, STORMS = 20_000, 100
LOW = 100
PROCESSES = 8


class PoolReadings:
    """Reads a pool's counts and its codes, in one statement, again and again while others take codes."""

    def __init__(self, connect: Callable[[], Any], tenant: str) -> None:
        self._connect = connect
        self._tenant = tenant
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.found: list[tuple[int, ...]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        with closing(self._connect()) as connection:
            mark = "%s" if hasattr(connection, "info") else "?"
            text = f"""SELECT p.*, c.* FROM
                (SELECT sum("total"), sum("issued"), sum("remaining"), sum("inactive"), sum("void")
                    FROM "rewardkit_slice" WHERE "tenant" = {mark}) AS p,
                (SELECT count(*), coalesce(sum(CASE WHEN "status" = 'issued' THEN 1 ELSE 0 END), 0)
                    FROM "rewardkit_code" WHERE "tenant" = {mark}) AS c
            """
            while not self._stop.wait(0.01):
                self.found.append(tuple(map(int, connection.execute(text, (self._tenant,) * 2).fetchone())))

    def wrong(self) -> list[tuple[int, ...]]:
        """Readings in which the counts do not add up, or are not those of the codes. C2."""
        return [
            reading
            for reading in self.found
            if reading[0] != sum(reading[1:5]) or min(reading) < 0 or (reading[0], reading[1]) != reading[5:]
        ]


class Workers:
    """Eight processes, started once and given job after job."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("pool_worker.py"))]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
            for _ in range(PROCESSES)
        ]
        assert ["ready"] * PROCESSES == [self._line(process).strip() for process in self._processes]

    def run(self, store: str, tenant: str, threads: int, **work: object) -> list[dict[str, Any]]:
        """The same work for all, at once; what each answers."""
        begin = time.time() + 0.05
        for number, process in enumerate(self._processes):
            job = {"store": store, "tenant": tenant, "worker": number, "threads": threads, "begin": begin, **work}
            assert process.stdin is not None
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
        return [json.loads(self._line(process)) for process in self._processes]

    def close(self) -> None:
        for process in self._processes:
            process.communicate(timeout=30)

    @staticmethod
    def _line(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline()


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    workers = Workers()
    yield workers
    workers.close()


def storm(workers: Workers, name: str, connect: Callable[[], Any], threads: int, count: int) -> None:
    """As many issuances as there are codes, and a few more, by `8 * threads` workers."""
    tenant = f"storm {threads}"
    store = open_store(name)
    kit = RewardKit(store, tenant=tenant)
    kit.run(CreatePool("pool", low_threshold=LOW))
    for _ in range(0, count, 5_000):
        kit.run(GenerateCodes("pool", min(count, 5_000)))
    each = count // (PROCESSES * threads) + 2
    with PoolReadings(connect, tenant) as readings:
        answers = workers.run(name, tenant, threads, issue=each)
    codes = [code for answer in answers for code in answer["codes"]]
    refusals = [answer["refusals"] for answer in answers]
    assert len(codes) == len(set(codes)) == count
    assert sum(one.get("pool_exhausted", 0) for one in refusals) == each * PROCESSES * threads - count
    assert {key for one in refusals for key in one} == {"pool_exhausted"}
    assert readings.found
    assert [] == readings.wrong()
    with closing(connect()) as connection:
        snapshot = snapshot_in(connection, tenant)
    assert () == violations(snapshot)
    assert [1] == [row.crossings for row in snapshot.stock.slices if row.crossings]
    assert {code.code for code in snapshot.stock.codes} == set(codes)
    store.close()


def last_uses(workers: Workers, name: str, connect: Callable[[], Any], storms: int) -> None:
    """64 workers redeem, or reserve and confirm, one code that can be redeemed once more."""
    store = open_store(name)
    kit = RewardKit(store, tenant="last")
    kit.run(CreatePool("pool", distribution="multi", redemption_limit=1))
    kit.run(ImportCodes("pool", [f"last-{number}" for number in range(storms)]))
    for number in range(storms):
        code = kit.run(IssueCode("pool", f"issuee {number}")).code
        answers = workers.run(name, "last", 8, redeem=code)
        won = [one for answer in answers for one in answer["codes"]]
        lost = [reason for answer in answers for reason in answer["refusals"]]
        assert won == [code]
        assert set(lost) <= {"code_spent", "code_reserved"}
        assert sum(sum(answer["refusals"].values()) for answer in answers) == 63
    with closing(connect()) as connection:
        assert () == violations(snapshot_in(connection, "last"))
    store.close()


def sqlite_path(folder: Path) -> tuple[str, Callable[[], Any]]:
    path = folder / "pools.db"
    return f"sqlite:///{path}", lambda: sqlite3.connect(path, isolation_level=None, timeout=30)


def postgres_name(dsn: str) -> tuple[str, Callable[[], Any]]:
    with closing(open_store(dsn)) as store:
        store.migrate()
    return dsn, lambda: psycopg.connect(dsn, autocommit=True)


@pytest.mark.parametrize("threads", [1, 4])
def test_every_code_goes_to_one_under_many_workers_on_sqlite(
    workers: Workers, tmp_path: Path, scale: float, threads: int
) -> None:
    storm(workers, *sqlite_path(tmp_path), threads, max(400, round(CODES * scale)))


@pytest.mark.parametrize("threads", [1, 4])
def test_every_code_goes_to_one_under_many_workers_on_postgresql(
    workers: Workers, postgres_dsn: str, scale: float, threads: int
) -> None:
    storm(workers, *postgres_name(postgres_dsn), threads, max(400, round(CODES * scale)))


def test_the_last_use_of_a_code_is_taken_once_by_64_workers_on_sqlite(
    workers: Workers, tmp_path: Path, scale: float
) -> None:
    last_uses(workers, *sqlite_path(tmp_path), max(2, round(STORMS * scale)))


def test_the_last_use_of_a_code_is_taken_once_by_64_workers_on_postgresql(
    workers: Workers, postgres_dsn: str, scale: float
) -> None:
    last_uses(workers, *postgres_name(postgres_dsn), max(2, round(STORMS * scale)))
