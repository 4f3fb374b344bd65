"""Why a verdict is what it is, in a few words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rewardkit.language.event import Instant, moment, rfc3339
from rewardkit.language.state import PENDING, SATISFIED, State
from rewardkit.language.verdict import Verdict

if TYPE_CHECKING:
    from rewardkit.language.program import Program

EXPIRED: Final = 0
DEADLINE: Final = 1
OPENING: Final = 2
_FIRST_NAME: Final = 3


class Causes:
    """Numbers for what decided a condition: its end, a deadline, its opening, or an event's name."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = tuple(sorted(names))
        self.many = _FIRST_NAME + len(self.names)
        self._numbers = {name: place for place, name in enumerate(self.names, start=_FIRST_NAME)}

    def event(self, name: str) -> int:
        """The number of an event's name."""
        return self._numbers[name]

    def opening(self, bits: int) -> int:
        """The number of the opening of the scope."""
        del bits
        return OPENING

    def sentence(self, cause: int, status: int, at: Instant) -> str:
        """The cause in words."""
        if cause >= _FIRST_NAME:
            return f"`{self.names[cause - _FIRST_NAME]}` happened at {rfc3339(at)}"
        if cause == DEADLINE:
            return f"{'held' if status == SATISFIED else 'ran out'} at {rfc3339(at)}"
        if cause == OPENING:
            return f"{'holds' if status == SATISFIED else 'cannot hold'} from the start"
        return "expired"


def verdict(program: Program, state: State) -> Verdict:
    """A state's verdict."""
    if state.status == PENDING:
        wake_at = None if state.wake_at is None else moment(state.wake_at)
        return Verdict("pending", None, "", wake_at)
    at = state.decided_at or 0
    reason = program._causes.sentence(state.cause, state.status, at)
    return Verdict("satisfied" if state.status == SATISFIED else "impossible", moment(at), reason)
