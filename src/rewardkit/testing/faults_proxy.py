"""A proxy before a PostgreSQL server that cuts a connection at its COMMIT: the client cannot tell what became of it."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_COMMIT = b"COMMIT\x00"


class CommitCutter:
    """Listens on a Unix socket in `folder`, which is the `host` to connect to.

    Set `cut` to `request` (the next COMMIT never reaches the server) or `reply` (its answer never reaches the client).

    Its connections are to be closed before it is.

    Args:
        server: the server's own Unix socket.
    """

    def __init__(self, server: Path) -> None:
        self._server = server
        self._held = ExitStack()
        self.folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="cut-")))
        self._threads: list[threading.Thread] = []
        self.cut: str | None = None

    def __enter__(self) -> Self:
        self._listener = self._held.enter_context(socket.socket(socket.AF_UNIX))
        self._listener.bind(str(self.folder / self._server.name))
        self._listener.listen()
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone would leave the thread in `accept`.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._held.close()

    def _start(self, target: Callable[..., None], *values: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=values, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(str(self._server))
            muted = threading.Event()
            replies = self._start(_relay, server, client, muted)
            while data := client.recv(65_536):
                if self.cut is None or _COMMIT not in data:
                    server.sendall(data)
                    continue
                cut, self.cut = self.cut, None
                if cut == "reply":
                    # The client hears of it, by the end of its connection, when the server has answered.
                    muted.set()
                    server.sendall(data)
                    replies.join(5)
                break
            # The other thread sits in `recv`, and closing alone would not let the server know.
            server.shutdown(socket.SHUT_RDWR)


def _relay(server: socket.socket, client: socket.socket, muted: threading.Event) -> None:
    """Pass replies on, until one side closes or there is one that is not to be passed on."""
    with suppress(OSError):
        while (data := server.recv(65_536)) and not muted.is_set():
            client.sendall(data)
