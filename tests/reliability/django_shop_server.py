"""The Django example behind a server as in production: loaded once, workers forked from it, each killed by its plan.

Run as a script in the example's folder: the seed, and `torn` for a shop that gives its rewards after the commit.
It prints its port, and then a line of JSON for each worker that was killed: by what, and how far its order was.
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
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from rewardkit import Condition, Recorded

CALLS = 30_000
"""That a profiler is told of for two or three orders."""
AROUND = frozenset({"execute", "commit", "emit_many", "deliver"})
"""Calls around which much can go wrong, and which are few among all."""
STATEMENTS = 150
"""Of those calls for as many orders."""

BEFORE = "before the order is written"
BETWEEN = "between the order and the commit"
AFTER = "after the commit"


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """One line for each of thousands of orders would tell nobody anything."""


class Executioner:
    """Kills this process at a call, or after a time, that is drawn from the seed.

    Every fifth is killed by a commit: the time after one is short, and chance alone would miss it in a small run.
    """

    def __init__(self, seed: str, worker: int) -> None:
        chance = random.Random(f"{seed} {worker}")
        self.mode = chance.choices(("call", "statement", "time"), (4, 4, 2))[0] if worker % 5 else "commit"
        self.kill_at = chance.randint(1, CALLS if self.mode == "call" else STATEMENTS)
        self.wait_seconds = chance.uniform(0.001, 0.1)
        self.count = 0
        self.phase = BEFORE

    def begin(self) -> None:
        """From the first order on, so that no worker dies without having had one."""
        if self.mode == "time":
            threading.Thread(target=self._wait, daemon=True).start()
        sys.setprofile(self._watch)

    def _wait(self) -> None:
        time.sleep(self.wait_seconds)
        self._kill("anywhere")

    def _watch(self, frame: FrameType, event: str, argument: Any) -> None:
        name = argument.__name__ if event.startswith("c_") else frame.f_code.co_name
        self._look(frame, event, name)
        if self.mode == "call" or (self.mode == "statement" and name in AROUND):
            self.count += 1
            if self.count == self.kill_at:
                self._kill(f"{event} {name}")

    def _look(self, frame: FrameType, event: str, name: str) -> None:
        """Whether the order is in its table, and whether that is committed."""
        if name == "take_order" and event == "call":
            self.phase = BEFORE
        elif self.phase == BEFORE and (event, name) == ("return", "_execute"):
            if str(frame.f_locals.get("sql", "")).startswith('INSERT INTO "shop_order"'):
                self.phase = BETWEEN
        elif self.phase == BETWEEN and (event, name) == ("return", "commit"):
            self.phase = AFTER
            if self.mode == "commit":
                self._kill("after COMMIT")

    def _kill(self, where: str) -> NoReturn:
        tell({"at a": self.mode, "phase": self.phase, "where": where})
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("a killed process goes on")


def tell(line: Any) -> None:
    os.write(1, f"{json.dumps(line)}\n".encode())


def load(*, torn: bool) -> Any:
    """The example as its own settings make it."""
    sys.path.insert(0, str(Path.cwd()))
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    from shop import views  # type: ignore[import-not-found] # in the folder of the example

    # Every worker would read the grammar of conditions for its first order, and take as long for it as for a hundred.
    Condition.parse("A")

    if torn:
        views.kit = AfterTheCommit(views.kit)
    return application


class AfterTheCommit:
    """A kit as it is often wired: what the order earns is decided once the order is committed."""

    def __init__(self, kit: Any) -> None:
        self._kit = kit
        self.deliver = kit.deliver

    def on(self, _connection: object) -> AfterTheCommit:
        return self

    def emit_many(self, events: Any) -> Any:
        from django.db import transaction

        transaction.on_commit(lambda: self._kit.emit_many(events))
        return Recorded()


def serve(application: Any, listening: socket.socket, executioner: Executioner) -> NoReturn:
    """One order after the other, until it is killed."""

    def begun(environ: Any, start_response: Any) -> Any:
        if sys.getprofile() is None:
            executioner.begin()
        return application(environ, start_response)

    server = WSGIServer(listening.getsockname(), Quiet, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.server_name, server.server_port = listening.getsockname()
    server.setup_environ()
    server.set_app(begun)
    while True:
        server.handle_request()


def main(seed: str, *, torn: bool) -> None:
    application = load(torn=torn)
    listening = socket.create_server(("127.0.0.1", 0))
    # Waited for and not handled: a handler's signal that comes right before a wait is not heard by the wait.
    awaited = {signal.SIGTERM, signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, lambda *_: None)  # left at its default, it may be dropped while it is blocked
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    tell(listening.getsockname()[1])
    for generation in count(1):
        worker = os.fork()
        if worker == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, awaited)
            serve(application, listening, Executioner(seed, generation))
        ended = signal.sigwait(awaited) == signal.SIGTERM
        if ended:
            os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
        if ended:
            return


if __name__ == "__main__":
    main(sys.argv[1], torn="torn" in sys.argv[2:])
