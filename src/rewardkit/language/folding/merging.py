"""Histories that are folded in pieces: stretches are summarised apart, in any order, and merged in theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import overload

from rewardkit.language.event import Event
from rewardkit.language.folding.partial import Partial, Stretches
from rewardkit.language.running.state import State


class Mergeable:
    """What a program makes of stretches of a history."""

    _stretches: Stretches

    def step(self, state: State, event: Event) -> State:
        """The state after an event."""
        raise NotImplementedError

    def partial(self, events: Iterable[Event]) -> Partial:
        """What this condition needs of a stretch of a user's history, given in any order, without what came before.

        Stretches can be summarised apart and merged later; where a condition only counts, few events are kept of each.

        Raises:
            Conflict: for one event id with two bodies.
            ValidationError: an event has no instant or no id.
        """
        return self._stretches.partial(events)

    @overload
    def merge(self, left: State, right: Partial) -> State: ...

    @overload
    def merge(self, left: Partial, right: Partial) -> Partial: ...

    def merge(self, left: State | Partial, right: Partial) -> State | Partial:
        """A state, or a stretch, with the stretch that follows it; associative.

        What it gives is what folding all the events in order gives. A state must not have been advanced beyond the
        stretch's first event.

        Raises:
            InvariantError: a partial belongs to another program.
            ValidationError: the right stretch begins before the left one ends.
        """
        if isinstance(left, Partial):
            return self._stretches.joined(left, right)
        self._stretches.require(right)
        for event in right.events:
            left = self.step(left, event)
        return left

    def pack_partial(self, partial: Partial) -> bytes:
        """A partial as bytes; `unpack_partial` reads them."""
        return self._stretches.pack(partial)

    def unpack_partial(self, data: bytes) -> Partial:
        """The partial that `pack_partial` wrote.

        Raises:
            InvariantError: for bytes that this program did not write.
        """
        return self._stretches.unpack(data)
