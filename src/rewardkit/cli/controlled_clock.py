"""A clock that stands still until it is moved."""

from __future__ import annotations

from rewardkit.language.event import Instant


class ControlledClock:
    """Gives an instant in microseconds since 1970 UTC, which only ever grows."""

    def __init__(self, at: Instant) -> None:
        self.at = at

    def move_to(self, at: Instant) -> None:
        """Let it be this instant, unless it is past already."""
        self.at = max(self.at, at)

    def __call__(self) -> Instant:
        """Now."""
        return self.at
