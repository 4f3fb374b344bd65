"""The FastAPI example under uvicorn: loaded once, workers forked from it, each killed by its plan.

Run as a script: the seed, and `torn` for a shop that gives its rewards by a transaction of their own.
It prints its port, and then a line of JSON for each worker that was killed: by what, and how far its order was.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import rewardkit as rk

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import fastapi_shop  # type: ignore[import-not-found] # in the folder of examples

STEPS = 60
"""Of the shop's statements and ours, for two or three orders and their notices."""
CALLS = 16_000
"""Of functions, for as many."""

BEFORE = "before the order is written"
BETWEEN = "between the order and the commit"
AFTER = "after the commit"


class Executioner(logging.Handler):
    """Kills this process at a statement, at a call or after a time, which it draws from the seed.

    Every fifth is killed by a commit: the time after one is short, and chance alone would miss it in a small run.
    """

    def __init__(self, seed: str, worker: int) -> None:
        super().__init__()
        chance = random.Random(f"{seed} {worker}")
        self.mode = chance.choices(("statement", "call", "time"), (5, 3, 2))[0] if worker % 5 else "commit"
        self.kill_at = chance.randint(1, CALLS if self.mode == "call" else STEPS)
        self.wait_seconds = chance.uniform(0.001, 0.1)
        self.count = 0
        self.phase = BEFORE
        self.begun = False

    def watch(self) -> None:
        """Be told of statements: the shop's by SQLAlchemy, ours by the log."""
        log = logging.getLogger("rewardkit.sql")
        log.setLevel(logging.DEBUG)
        log.addHandler(self)
        event.listen(Engine, "before_cursor_execute", self._executing)
        event.listen(Engine, "after_cursor_execute", self._executed)
        event.listen(Engine, "commit", lambda _connection: self._step("before COMMIT"))
        event.listen(Session, "after_commit", self._committed)

    def emit(self, record: logging.LogRecord) -> None:
        """A statement of ours, about to be executed."""
        self._step(f"before our {record.getMessage()[:11]}")

    def _begin(self) -> None:
        """From the first order on, so that no worker dies without having had one."""
        self.begun = True
        if self.mode == "time":
            threading.Thread(target=self._wait, daemon=True).start()
        if self.mode == "call":
            sys.setprofile(self._called)

    def _executing(self, *given: Any) -> None:
        if given[2].startswith("SELECT orders"):
            self.phase = BEFORE
            if not self.begun:
                self._begin()
        self._step(f"before {given[2][:11]}")

    def _executed(self, *given: Any) -> None:
        if given[2].startswith("INSERT INTO orders"):
            self.phase = BETWEEN
        self._step(f"after {given[2][:11]}")

    def _committed(self, _session: Session) -> None:
        self.phase = AFTER
        if self.mode == "commit":
            self._kill("after COMMIT")
        self._step("after COMMIT")

    def _wait(self) -> None:
        time.sleep(self.wait_seconds)
        self._kill("anywhere")

    def _step(self, where: str) -> None:
        if self.mode == "statement" and self.begun:
            self._count(where)

    def _called(self, frame: FrameType, kind: str, _argument: Any) -> None:
        self._count(f"{kind} {frame.f_code.co_name}")

    def _count(self, where: str) -> None:
        self.count += 1
        if self.count == self.kill_at:
            self._kill(where)

    def _kill(self, where: str) -> NoReturn:
        tell({"at a": self.mode, "phase": self.phase, "where": where})
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("a killed process goes on")


def tell(line: Any) -> None:
    os.write(1, f"{json.dumps(line)}\n".encode())


def serve(listening: socket.socket, executioner: Executioner) -> NoReturn:
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
    listening = socket.create_server(("127.0.0.1", 0))
    worker = 0

    def end(_number: int, _frame: object) -> NoReturn:
        os.kill(worker, signal.SIGKILL)
        os._exit(0)

    tell(listening.getsockname()[1])
    generation = 0
    while True:
        generation += 1
        worker = os.fork()
        if worker == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            serve(listening, Executioner(seed, generation))
        signal.signal(signal.SIGTERM, end)
        _, status = os.waitpid(worker, 0)
        if not os.WIFSIGNALED(status):
            tell({"failed": status})
            sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1], torn="torn" in sys.argv[2:])
