"""One deadline for a whole conversation: a peer that sends a byte now and then does not put it off."""

from __future__ import annotations

import errno
import io
import socket
import time
from typing import Any, Final

from rewardkit.errors import ValidationError

TELL_SECONDS: Final = 20
"""How long telling one notice may take at most: a worker's lease counts on it."""


class Deadline:
    """So many seconds from now, by a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self.seconds = seconds

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return time.monotonic() >= self._ends

    def left(self) -> float:
        """Seconds that are left, always more than none.

        Raises:
            TimeoutError: none is.
        """
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {self.seconds:g} seconds")
        return left


class DeadlineReader(io.RawIOBase):
    """What a socket receives, until the deadline and up to so many bytes; more is an error.

    Args:
        sock: to read from; stays the caller's to close.
        deadline: of all reads together.
        most: bytes; None for no limit.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline, most: int | None = None) -> None:
        self._sock = sock
        self._deadline = deadline
        self._left = most
        self.ended = False
        """Whether the peer was found to have said all that it will."""

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Whatever has arrived, once there is any."""
        size = len(buffer) if self._left is None else min(len(buffer), self._left)
        if not size:
            raise OSError(errno.EMSGSIZE, "the answer is too long")
        self._sock.settimeout(self._deadline.left())
        taken = self._sock.recv_into(memoryview(buffer)[:size])
        self.ended = not taken
        if self._left is not None:
            self._left -= taken
        return taken


def send_all(sock: socket.socket, content: bytes, deadline: Deadline) -> None:
    """Send everything by the deadline, however slowly the peer takes it.

    Raises:
        TimeoutError: the deadline is over.
        OSError: the connection is lost.
    """
    rest = memoryview(content)
    while rest:
        sock.settimeout(deadline.left())
        rest = rest[sock.send(rest) :]


def timeout(seconds: float) -> float:
    """Seconds that one attempt may take.

    Raises:
        ValidationError: more, or fewer, than a worker can wait.
    """
    if not 0 < seconds <= TELL_SECONDS:
        raise ValidationError(f"`timeout_seconds` lies between 0 and {TELL_SECONDS}: a worker's lease counts on it")
    return seconds
