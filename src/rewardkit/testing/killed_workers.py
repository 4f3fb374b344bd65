"""A server whose workers die: loaded once, workers forked from it, each killed by SIGKILL at a point of its own plan.

What it tells goes to its standard output: its port, and then a line of JSON for each worker that was killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final, NoReturn

BEFORE: Final = "before the order is written"
BETWEEN: Final = "between the order and the commit"
AFTER: Final = "after the commit"


class Executioner:
    """Kills this process at a step, or after a time, that is drawn from the seed.

    Every fifth is killed by a commit: the time after one is short, and chance alone would miss it in a small run.

    Args:
        seed: of all workers.
        worker: which of them, from 1.
        modes: how often of ten each is drawn: `call` and `statement` by a count of steps, `time` by a clock.
        steps: about as many as two or three orders take, by mode.
    """

    def __init__(self, seed: str, worker: int, modes: Mapping[str, int], steps: Mapping[str, int]) -> None:
        chance = random.Random(f"{seed} {worker}")  # noqa: S311 - a plan is to be repeatable
        self.mode = chance.choices(tuple(modes), tuple(modes.values()))[0] if worker % 5 else "commit"
        self.kill_at = chance.randint(1, steps["call" if self.mode == "call" else "statement"])
        self.wait_seconds = chance.uniform(0.001, 0.1)
        self.count = 0
        self.phase = BEFORE

    def begin(self) -> None:
        """From the first order on, so that no worker dies without having had one."""
        if self.mode == "time":
            threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        time.sleep(self.wait_seconds)
        self.kill("anywhere")

    def step(self, where: str) -> None:
        """One step of those that its mode counts."""
        self.count += 1
        if self.count == self.kill_at:
            self.kill(where)

    def committed(self) -> None:
        """The order of this phase has been committed."""
        self.phase = AFTER
        if self.mode == "commit":
            self.kill("after COMMIT")

    def kill(self, where: str) -> NoReturn:
        """Tell where, and die."""
        tell({"at a": self.mode, "phase": self.phase, "where": where})
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("a killed process goes on")


def tell(line: Any) -> None:
    """Write a line of JSON in one piece."""
    os.write(1, f"{json.dumps(line)}\n".encode())


def serve_by_workers(serve: Callable[[socket.socket, int], NoReturn]) -> None:
    """Listen, and fork one worker after the other, until SIGTERM; a worker that ends in any other way ends it all.

    Args:
        serve: serves what comes in, as the worker of that number, from 1.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    # Waited for and not handled: a handler's signal that comes right before a wait is not heard by the wait.
    awaited = {signal.SIGTERM, signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, lambda *_: None)  # left at its default, it may be dropped while it is blocked
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    tell(listening.getsockname()[1])
    for number in count(1):
        worker = os.fork()
        if worker == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, awaited)
            serve(listening, number)
        ended = signal.sigwait(awaited) == signal.SIGTERM
        if ended:
            os.kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
        if ended:
            return
        if not os.WIFSIGNALED(status):
            tell({"failed": status})
            sys.exit(1)
