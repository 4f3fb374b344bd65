"""A receiver of webhooks on this machine, as friendly or hostile as a test wants it."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self, TypeAlias

from rewardkit.notify.url_guard import UrlGuard


class Request(NamedTuple):
    """What came in as a whole; the headers' names are in lower case."""

    line: str
    headers: Mapping[str, str]
    body: bytes


Behaviour: TypeAlias = Callable[[socket.socket, Request], None]
"""Answers a request, or does not; the connection is closed when it returns."""


def answer(status: int = 204, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Behaviour:
    """An ordinary answer."""
    lines = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    content = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    return lambda connection, _: connection.sendall(content)


def reset(connection: socket.socket, _: Request) -> None:
    """Cut the connection off without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drip(content: bytes, seconds: float, *, head: bytes = b"") -> Behaviour:
    """An answer that comes byte by byte, with a pause after each; its head comes at once."""

    def behave(connection: socket.socket, _: Request) -> None:
        connection.sendall(head)
        for number in range(len(content)):
            connection.sendall(content[number : number + 1])
            time.sleep(seconds)

    return behave


def flood(head: bytes, most: int = 64 * 2**20) -> Behaviour:
    """A head, and then as much as is taken, up to `most` bytes."""

    def behave(connection: socket.socket, _: Request) -> None:
        connection.sendall(head)
        for _number in range(most // 65_536):
            connection.sendall(b"x" * 65_536)

    return behave


class Receiver:
    """Listens on a port of the loopback while its block is open; each connection has a thread of its own.

    Args:
        behaviour: what it does with a request; may be replaced at any time.
        tls: speaks TLS with this context, as the host `localhost`.
        shuts: asked at each connection, whether it is closed before anything is read.
    """

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        shuts: Callable[[], bool] = lambda: False,
    ) -> None:
        self.behaviour = answer() if behaviour is None else behaviour
        self._shuts = shuts
        self.received: list[Request] = []
        self.server_names: list[str | None] = []
        """That clients of TLS asked for."""
        self._tls = tls
        if tls is not None:
            tls.sni_callback = lambda _sock, name, _context: self.server_names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, with a path that may be a token."""
        return f"http{'s' if self._tls else ''}://localhost:{self.port}/hook?token=path-canary"

    @property
    def guard(self) -> UrlGuard:
        """A guard that lets webhooks through to it, whatever their host is called."""
        return UrlGuard(
            allow_http=self._tls is None,
            allowed_ports=frozenset({self.port}),
            allowed_networks=("127.0.0.0/8",),
            resolver=lambda _host, _port: ["127.0.0.1"],
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone does not wake up a thread that accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._shuts():
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # Clients that give up are what many tests are about.
        with suppress(OSError), connection:
            connection.settimeout(30)
            line = connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
            with line:
                request = _read(line)
                if request is not None:
                    self.received.append(request)
                    self.behaviour(line, request)


def _read(connection: socket.socket) -> Request | None:
    with connection.makefile("rb") as lines:
        first = lines.readline().decode("latin-1").strip()
        if not first:
            return None
        headers: dict[str, str] = {}
        while (line := lines.readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", "0"))
        body = lines.read(size)
        # A sender that gave up before it had said all of it has not said anything.
        return Request(first, headers, body) if len(body) == size else None
