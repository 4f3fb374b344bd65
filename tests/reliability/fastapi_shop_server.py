"""The FastAPI example under uvicorn: loaded once, workers forked from it, each killed by its plan.

Run as a script: the seed, and `torn` for a shop that gives its rewards by a transaction of their own.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import rewardkit as rk
from rewardkit.testing.killed_workers import BEFORE, BETWEEN, Executioner, serve_by_workers

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import fastapi_shop  # type: ignore[import-not-found] # in the folder of examples

STEPS = 60
"""Of the shop's statements and ours, for two or three orders and their notices."""
CALLS = 16_000
"""Of functions, for as many."""


class StatementExecutioner(Executioner):
    """Is told of statements: the shop's by SQLAlchemy, ours by the log."""

    def __init__(self, seed: str, worker: int) -> None:
        super().__init__(seed, worker, {"statement": 5, "call": 3, "time": 2}, {"call": CALLS, "statement": STEPS})
        self.begun = False

    def watch(self) -> None:
        """Be told from now on."""
        log = logging.getLogger("rewardkit.sql")
        log.setLevel(logging.DEBUG)
        log.addHandler(Overheard(lambda message: self._stated(f"before our {message[:11]}")))
        event.listen(Engine, "before_cursor_execute", self._executing)
        event.listen(Engine, "after_cursor_execute", self._executed)
        event.listen(Engine, "commit", lambda _connection: self._stated("before COMMIT"))
        event.listen(Session, "after_commit", self._after_commit)

    def begin(self) -> None:
        """See `Executioner`."""
        super().begin()
        self.begun = True
        if self.mode == "call":
            sys.setprofile(self._called)

    def _executing(self, *given: Any) -> None:
        if given[2].startswith("SELECT orders"):
            self.phase = BEFORE
            if not self.begun:
                self.begin()
        self._stated(f"before {given[2][:11]}")

    def _executed(self, *given: Any) -> None:
        if given[2].startswith("INSERT INTO orders"):
            self.phase = BETWEEN
        self._stated(f"after {given[2][:11]}")

    def _after_commit(self, _session: Session) -> None:
        self.committed()
        self._stated("after COMMIT")

    def _stated(self, where: str) -> None:
        if self.mode == "statement" and self.begun:
            self.step(where)

    def _called(self, frame: FrameType, kind: str, _argument: Any) -> None:
        self.step(f"{kind} {frame.f_code.co_name}")


class Overheard(logging.Handler):
    """Hands on each message, before what it tells of is done."""

    def __init__(self, told: Callable[[str], None]) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told(record.getMessage())


def serve(listening: socket.socket, executioner: StatementExecutioner) -> NoReturn:
    """The example as uvicorn serves it, until it is killed."""
    executioner.watch()
    uvicorn.Server(uvicorn.Config(fastapi_shop.create_app(), log_level="warning")).run(sockets=[listening])
    os._exit(0)


def main(seed: str, *, torn: bool) -> None:
    # Every worker would load the grammar and the frameworks for its first order, and take as long for it as for fifty.
    rk.Condition.parse("A")
    uvicorn.Config(fastapi_shop.create_app("sqlite:///never-opened.db")).load()
    fastapi_shop.tell = lambda _notice: None
    if torn:
        rk.AsyncRewardKit.on = lambda kit, _host: kit  # type: ignore[assignment, method-assign]
    serve_by_workers(lambda listening, worker: serve(listening, StatementExecutioner(seed, worker)))


if __name__ == "__main__":
    main(sys.argv[1], torn="torn" in sys.argv[2:])
