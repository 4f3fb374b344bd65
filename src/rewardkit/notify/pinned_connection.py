"""Connections to addresses that the guard has judged, under the name that the URL has."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
from typing import Any, Final

from rewardkit.notify.address_table import Address
from rewardkit.notify.deadline import Deadline, DeadlineReader, send_all
from rewardkit.notify.url_guard import Destination

ANSWER_BYTES: Final = 65_536
"""Of an answer that are read, its headers included: only the status matters."""

ADDRESSES: Final = 4
"""Of a host that are tried; each has its share of the time that is left."""


def connect(
    destination: Destination, addresses: tuple[Address, ...], tls: ssl.SSLContext | None, deadline: Deadline
) -> PinnedLine:
    """A connection to one of the addresses; with `tls`, to whoever proves to be the destination's host.

    Raises:
        OSError: none answers, or not by the deadline, or its certificate is not the host's.
    """
    sock = _reach(addresses[:ADDRESSES], destination.port, deadline)
    if tls is None:
        return PinnedLine(sock, deadline)
    try:
        sock.settimeout(deadline.left())
        return PinnedLine(tls.wrap_socket(sock, server_hostname=destination.host), deadline)
    except BaseException:
        sock.close()
        raise


def _reach(addresses: tuple[Address, ...], port: int, deadline: Deadline) -> socket.socket:
    failure: OSError | None = None
    for number, address in enumerate(addresses):
        try:
            # The address is spelled out, so nothing is resolved again.
            sock = socket.create_connection((str(address), port), deadline.left() / (len(addresses) - number))
        except OSError as error:
            failure = error
        else:
            # As `http.client` does where it connects: the body follows the head without waiting for its receipt.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise failure or OSError("no address to connect to")


class PinnedLine:
    """What `http.client` takes for a socket: it sends and receives under one deadline, and receives only so much."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._reader = DeadlineReader(sock, deadline, ANSWER_BYTES)

    @property
    def ended(self) -> bool:
        """Whether the peer was found to have said all that it will."""
        return self._reader.ended

    def sendall(self, content: bytes) -> None:
        """Send all of it by the deadline."""
        send_all(self._sock, content, self._deadline)

    def makefile(self, *_: Any) -> io.BufferedReader:
        """The answer, for reading."""
        return io.BufferedReader(self._reader)

    def close(self) -> None:
        """Nothing: `http.client` closes before it has read the answer's body, and counts on the file to go on."""

    def hang_up(self) -> None:
        """Close for good."""
        self._sock.close()


def post(line: PinnedLine, destination: Destination, body: bytes, headers: dict[str, str]) -> tuple[int, str | None]:
    """Post a body; gives the answer's status and its `Retry-After`.

    The rest of the answer is read as far as the limits allow, so that a receiver is not cut off while it speaks, and
    dropped: once the head has come, the receiver has spoken.

    Raises:
        OSError: the connection was lost, or the deadline is over, before the answer's head was there as a whole.
        http.client.HTTPException: the answer is no HTTP.
    """
    # No proxy, redirect or cookie: `http.client` knows none of them by itself.
    connection = http.client.HTTPConnection(destination.host, destination.port)
    connection.sock = line  # it uses what `PinnedLine` has, and no more
    connection.request(
        "POST", destination.target, body, {"Host": destination.authority, "Connection": "close", **headers}
    )
    with connection.getresponse() as answer:
        if line.ended:
            # `http.client` takes a head that is cut off for a whole one, and a proxy that dies has not spoken.
            raise http.client.RemoteDisconnected("the head of the answer is cut off")
        # Slow, cut off, too long or malformed: the status stands.
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            while answer.read(8_192):
                pass
        return answer.status, answer.headers.get("Retry-After")
