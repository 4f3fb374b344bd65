"""Every way in which a receiver of webhooks can fail, drawn by a seed, and a record of what it did."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from rewardkit.testing.receiver import Behaviour, Request, answer, drip, flood, reset

_OK = b"HTTP/1.1 200 OK\r\n"


class Way(NamedTuple):
    """How a request is answered."""

    behaviour: Behaviour
    tells: bool
    """Whether the sender may take it for a success: there is a whole head, in time, and it says 2xx."""
    weight: int = 2
    retry_after_seconds: int = 0


def ways(patience_seconds: float) -> Mapping[str, Way]:
    """All of them by name.

    Args:
        patience_seconds: the sender's: slow answers take longer than that, and cost it all of that.
    """
    pause = patience_seconds / 8

    def silence(_connection: socket.socket, _request: Request) -> None:
        time.sleep(2 * patience_seconds)

    def say(content: bytes) -> Behaviour:
        return lambda connection, _: connection.sendall(content)

    return {
        "200": Way(answer(200, body=b"thank you"), tells=True, weight=12),
        "204": Way(answer(204), tells=True, weight=12),
        "huge body": Way(flood(_OK + b"Content-Length: 10000000000\r\n\r\n", 2**20), tells=True),
        "slow body": Way(drip(b"x" * 20, pause, head=_OK + b"Content-Length: 20\r\n\r\n"), tells=True, weight=1),
        "cut body": Way(say(_OK + b"Content-Length: 100\r\n\r\nx"), tells=True),
        "broken chunk": Way(say(_OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), tells=True),
        "301": Way(answer(301, {"Location": "http://169.254.169.254/latest/meta-data/"}), tells=False),
        "302": Way(answer(302, {"Location": "file:///etc/passwd"}), tells=False),
        "307": Way(answer(307, {"Location": "/elsewhere"}), tells=False),
        "400": Way(answer(400), tells=False),
        "404": Way(answer(404), tells=False),
        "429": Way(answer(429, {"Retry-After": "5400"}), tells=False, weight=4, retry_after_seconds=5_400),
        "429 for ever": Way(answer(429, {"Retry-After": "1e99"}), tells=False),
        "500": Way(answer(500, body=b"x" * 2_000), tells=False, weight=6),
        "503": Way(answer(503, {"Retry-After": "100000"}), tells=False, weight=1, retry_after_seconds=86_400),
        "500, huge body": Way(flood(b"HTTP/1.1 500 No\r\n\r\n", 2**20), tells=False),
        "reset": Way(reset, tells=False, weight=4),
        "hang up": Way(say(b""), tells=False),
        "half a status": Way(say(b"HTTP/1.1 200"), tells=False),
        "half a head": Way(say(_OK + b"Content-Type: text/pl"), tells=False),
        "head without end": Way(say(_OK + b"Content-Length: 0\r\n"), tells=False),
        "half a 410": Way(say(b"HTTP/1.1 410 Gone\r\nContent-Le"), tells=False),
        "endless header": Way(flood(_OK + b"X: ", 2**20), tells=False),
        "another protocol": Way(say(b"SSH-2.0-OpenSSH_9.2\r\n"), tells=False),
        "silence": Way(silence, tells=False, weight=1),
        "slow status": Way(drip(_OK + b"\r\n", pause), tells=False, weight=1),
        "slow head": Way(drip(b"X: y\r\n" * 4, pause, head=_OK), tells=False, weight=1),
        "endless continues": Way(drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 2, pause), tells=False, weight=1),
    }


class Seen(NamedTuple):
    """One request, and how it was answered."""

    request: Request
    way: str


GONE: Final = "410"


class Hostility:
    """What a receiver does with each request; give it to a `Receiver` as its `behaviour`, and `shuts` as its own.

    What is drawn depends on the seed, the notice and how often that notice has come, and so not on who brings it when.

    Args:
        seed: of everything that is drawn.
        patience_seconds: the sender's timeout.
        gone_after: requests; from then on every answer is 410. Default is never.
        shut_share: of connections that are closed before anything is read.
    """

    def __init__(
        self, seed: object, patience_seconds: float, *, gone_after: int | None = None, shut_share: float = 0.02
    ) -> None:
        self.seen: list[Seen] = []
        self.shut = 0
        """Connections that were closed at once."""
        self._seed = seed
        self._ways = ways(patience_seconds)
        self._weights = {name: way.weight for name, way in self._ways.items()}
        self._gone_after = gone_after
        self._shut_share = shut_share
        self._came: Counter[str] = Counter()
        self._connections = 0
        self._lock = threading.Lock()

    def relent(self) -> None:
        """Answer 204 to everything from now on."""
        self._weights = {"204": 1}
        self._gone_after, self._shut_share = None, 0.0

    def told(self) -> frozenset[str]:
        """The ids of all notices that came."""
        return frozenset(request.headers["webhook-id"] for request, _ in self.seen)

    def had(self) -> frozenset[str]:
        """The ids of those notices of which it said, at least once, that it has them."""
        return frozenset(
            request.headers["webhook-id"] for request, way in self.seen if way != GONE and self._ways[way].tells
        )

    def retry_after_seconds(self, way: str) -> int:
        """How long an answer asked the sender to wait, as far as the sender's schedule goes."""
        return 0 if way == GONE else self._ways[way].retry_after_seconds

    def shuts(self) -> bool:
        """Whether the next connection is closed before anything is read."""
        with self._lock:
            self._connections += 1
            shut = self._drawing(self._connections).random() < self._shut_share
            self.shut += shut
        return shut

    def _drawing(self, *what: object) -> random.Random:
        return random.Random(" ".join(map(str, (self._seed, *what))))  # noqa: S311 - a test is to be repeatable

    def __call__(self, connection: socket.socket, request: Request) -> None:
        """Answer a request."""
        notice = request.headers.get("webhook-id", "")
        with self._lock:
            self._came[notice] += 1
            if self._gone_after is not None and len(self.seen) >= self._gone_after:
                way = GONE
            else:
                drawing = self._drawing(notice, self._came[notice])
                (way,) = drawing.choices(tuple(self._weights), tuple(self._weights.values()))
            self.seen.append(Seen(request, way))
        behave = answer(410) if way == GONE else self._ways[way].behaviour
        behave(connection, request)
