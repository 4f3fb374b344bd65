"""Why a verdict is what it is, in a few words for people."""

from __future__ import annotations

from typing import Final

from rewardkit.language.event import Instant, rfc3339
from rewardkit.language.running.state import SATISFIED

EXPIRED: Final = 0
DEADLINE: Final = 1
OPENING: Final = 2
_FIRST_NAME: Final = 3


class Causes:
    """Numbers for what decided a condition: its end, a deadline, its opening, or an event's name."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = tuple(sorted(names))
        self.other = _FIRST_NAME + len(self.names)
        """An event of any other name, for conditions that hear all."""
        self.many = self.other + 1
        self.numbers = {name: place for place, name in enumerate(self.names, start=_FIRST_NAME)}

    def sentence(self, cause: int, status: int, at: Instant) -> str:
        """The cause in words."""
        if cause == self.other:
            return f"another event happened at {rfc3339(at)}"
        if cause >= _FIRST_NAME:
            return f"`{self.names[cause - _FIRST_NAME]}` happened at {rfc3339(at)}"
        if cause == DEADLINE:
            return f"{'held' if status == SATISFIED else 'time ran out'} at {rfc3339(at)}"
        if cause == OPENING:
            return f"{'holds' if status == SATISFIED else 'cannot hold'} from the start"
        return "expired"
