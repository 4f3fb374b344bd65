"""The state of one user's condition where events may come late."""

from __future__ import annotations

import attrs

from rewardkit.language.event import Event, Instant, Position
from rewardkit.language.running.state import PENDING, State


@attrs.frozen
class TimelyState:
    """What has been released, and what waits for the watermark; never changed in place."""

    opening: Position | None
    """After which the scope opens; None before everything."""
    end: Instant | None
    now: Instant
    """The latest instant that it was told of."""
    place: Position | None = None
    """Of the last reading that was released: an event's, or before all events of a timer's instant."""
    released: State | None = None
    """The program's state there; None before the opening is released. Once it is decided, what decided it."""
    at_once: bool = False
    """Whether the positive part decided, before the watermark got there."""
    certain_released: State | None = None
    """The positive part's state at the last reading that was released."""
    certain: State | None = attrs.field(default=None, eq=False)
    """The positive part's state over all that is known; made anew from the rest."""
    earlier: tuple[Event, ...] = ()
    """Events from before the scope, kept until its opening is released."""
    held: tuple[Event, ...] = ()
    """Events after the watermark, in order."""

    @property
    def status(self) -> int:
        """PENDING, SATISFIED or IMPOSSIBLE, as of a program's state; decided, it absorbs."""
        return PENDING if self.released is None else self.released.status

    def collapsed(self) -> TimelyState:
        """What is left of a state that has been decided."""
        return attrs.evolve(self, certain_released=None, certain=None, earlier=(), held=())
