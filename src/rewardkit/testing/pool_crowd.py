"""Many processes at one pool, and somebody who reads it all the while."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any, Self

from rewardkit.core.pools.queries import PoolStatus
from rewardkit.errors import StoreError
from rewardkit.kit import RewardKit
from rewardkit.testing.audit_rows import Connection


class PoolCrowd:
    """Processes that are started once and given job after job, each of which all begin at the same instant.

    Args:
        command: starts a process that answers `ready`, and then each line of JSON with one.
        environment: of the process.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - what the test itself names
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(environment)
        )
        if self._line() != "ready\n":
            raise RuntimeError("the processes did not start")

    def run(self, **job: object) -> list[dict[str, Any]]:
        """What each of the job's `workers` has come to."""
        if self._process.stdin is None:
            raise RuntimeError("the processes cannot be told anything")
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answers: list[dict[str, Any]] = json.loads(self._line())
        return answers

    def close(self) -> None:
        """Let them end."""
        self._process.communicate(timeout=60)

    def _line(self) -> str:
        if self._process.stdout is None:
            raise RuntimeError("the processes cannot tell anything")
        return self._process.stdout.readline()


class PoolReadings:
    """Reads pools again and again while others take their codes, and keeps what cannot be.

    Args:
        connect: makes a connection of the reader's own, in autocommit.
        kit: of the same tenant, which is asked too.
        tenant: whose pools.
        pools: the names of those that the kit is asked about.
    """

    def __init__(self, connect: Callable[[], Connection], kit: RewardKit, tenant: str, *pools: str) -> None:
        self._connect = connect
        self._kit = kit
        self._tenant = tenant
        self._pools = pools
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.count = 0
        """How many readings there were."""
        self.asked = 0
        """How often the kit was asked."""
        self.wrong: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        connection: Any = self._connect()
        with closing(connection):
            statement = _STATEMENT.replace("?", "%s" if hasattr(connection, "info") else "?")
            while not self._stop.wait(0.05) or not self.count:
                row = connection.execute(statement, (self._tenant,) * _STATEMENT.count("?")).fetchone()
                self._judge(*map(int, row))
                for name in self._pools:
                    # Among so many, one who waits may have to come again.
                    with suppress(StoreError):
                        self._ask(name)
                self.count += 1

    def _ask(self, name: str) -> None:
        pool = self._kit.ask(PoolStatus(name))
        self._judge_sum(pool.total, (pool.issued, pool.remaining, pool.inactive, pool.void))
        self.asked += 1

    def _judge(self, total: int, *counted: int) -> None:
        parts, codes, uses = counted[:4], counted[4:9], counted[9:]
        self._judge_sum(total, parts)
        if (total, *parts) != codes:
            self.wrong.append(f"C2: the counts {(total, *parts)} were seen, and the codes {codes}")
        if any(uses):
            self.wrong.append(f"C3, C7: {uses} codes were seen over their limit, and with other counts than their rows")

    def _judge_sum(self, total: int, parts: tuple[int, ...]) -> None:
        if sum(parts) != total or min(parts) < 0:
            self.wrong.append(f"C2: the counts {parts} were seen under the total {total}")


_STATEMENT = """SELECT s.*, c.*, r.* FROM
    (SELECT coalesce(sum("total"), 0), coalesce(sum("issued"), 0), coalesce(sum("remaining"), 0),
            coalesce(sum("inactive"), 0), coalesce(sum("void"), 0)
        FROM "rewardkit_slice" WHERE "tenant" = ?) AS s,
    (SELECT count(*), coalesce(sum(CASE WHEN "status" = 'issued' THEN 1 ELSE 0 END), 0),
            coalesce(sum(CASE WHEN "status" = 'unissued' AND "active" = 1 THEN 1 ELSE 0 END), 0),
            coalesce(sum(CASE WHEN "status" = 'unissued' AND "active" = 0 THEN 1 ELSE 0 END), 0),
            coalesce(sum(CASE WHEN "status" = 'void' THEN 1 ELSE 0 END), 0)
        FROM "rewardkit_code" WHERE "tenant" = ?) AS c,
    (SELECT coalesce(sum(CASE WHEN c."redemptions" + c."reserved" > c."limit" THEN 1 ELSE 0 END), 0),
            coalesce(sum(CASE WHEN c."redemptions" <> coalesce(t."taken", 0) THEN 1 ELSE 0 END), 0)
        FROM "rewardkit_code" AS c LEFT JOIN
            (SELECT "key", count(*) AS "taken" FROM "rewardkit_redemption"
                WHERE "tenant" = ? AND "rolled_back_at" IS NULL GROUP BY "key") AS t ON t."key" = c."key"
        WHERE c."tenant" = ?) AS r
"""
