"""The Django example behind a server as in production: loaded once, workers forked from it, each killed by its plan.

Run as a script in the example's folder: the seed, and `torn` for a shop that gives its rewards after the commit.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from rewardkit import Condition, Recorded
from rewardkit.testing.killed_workers import BEFORE, BETWEEN, Executioner, serve_by_workers

CALLS = 30_000
"""That a profiler is told of for two or three orders."""
AROUND = frozenset({"execute", "commit", "emit_many", "deliver"})
"""Calls around which much can go wrong, and which are few among all."""
STATEMENTS = 150
"""Of those calls for as many orders."""


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """One line for each of thousands of orders would tell nobody anything."""


class CallExecutioner(Executioner):
    """Is told of every call by the interpreter."""

    def __init__(self, seed: str, worker: int) -> None:
        super().__init__(seed, worker, {"call": 4, "statement": 4, "time": 2}, {"call": CALLS, "statement": STATEMENTS})

    def begin(self) -> None:
        """See `Executioner`."""
        super().begin()
        sys.setprofile(self._watch)

    def _watch(self, frame: FrameType, event: str, argument: Any) -> None:
        name = argument.__name__ if event.startswith("c_") else frame.f_code.co_name
        self._look(frame, event, name)
        if self.mode == "call" or (self.mode == "statement" and name in AROUND):
            self.step(f"{event} {name}")

    def _look(self, frame: FrameType, event: str, name: str) -> None:
        """Whether the order is in its table, and whether that is committed."""
        if name == "take_order" and event == "call":
            self.phase = BEFORE
        elif self.phase == BEFORE and (event, name) == ("return", "_execute"):
            if str(frame.f_locals.get("sql", "")).startswith('INSERT INTO "shop_order"'):
                self.phase = BETWEEN
        elif self.phase == BETWEEN and (event, name) == ("return", "commit"):
            self.committed()


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
    serve_by_workers(lambda listening, worker: serve(application, listening, CallExecutioner(seed, worker)))


if __name__ == "__main__":
    main(sys.argv[1], torn="torn" in sys.argv[2:])
