"""The state of one user's condition between two readings."""

from __future__ import annotations

from typing import Final

from rewardkit.language.event import Instant
from rewardkit.language.running.dominance import Thread

PENDING: Final = 0
SATISFIED: Final = 1
IMPOSSIBLE: Final = 2


class State:
    """What a program knows about one scope; never changed in place.

    Once `status` is SATISFIED or IMPOSSIBLE the state absorbs: only `decided_at` and `cause` are left.
    """

    __slots__ = ("cause", "decided_at", "end", "evers", "root", "start", "status", "wake_at")

    def __init__(
        self,
        status: int,
        decided_at: Instant | None,
        cause: int,
        start: Instant,
        end: Instant | None,
        wake_at: Instant | None,
        root: Thread,
        evers: tuple[Thread, ...],
    ) -> None:
        self.status = status
        self.decided_at = decided_at
        self.cause = cause
        """Why it was decided: see `causes`."""
        self.start = start
        self.end = end
        self.wake_at = wake_at
        """The earliest instant at which time alone may change the verdict, the end of the scope included."""
        self.root = root
        self.evers = evers

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((self.status, self.decided_at, self.start, self.root, self.evers))

    def __repr__(self) -> str:
        return f"State({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


def decided(status: int, at: Instant, cause: int) -> State:
    """A state that has absorbed."""
    return State(status, at, cause, at, None, None, (), ())
