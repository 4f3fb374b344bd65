"""Programs over events that may come late: what one in time could still overturn is held back.

The watermark is `now` minus the allowed lateness. A reading is released when the watermark reaches its instant, and
keeps that instant. Until then events wait, and are put in order. The positive part of a condition, which no event in
time overturns, decides at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import attrs

from rewardkit.errors import Conflict
from rewardkit.language.event import Event, Instant, Position, When, instant, moment
from rewardkit.language.folding.lateness import PUNCTUAL, Lateness, read_lateness
from rewardkit.language.folding.program import Program, compile_program
from rewardkit.language.folding.timely_packing import TimelyPacking
from rewardkit.language.folding.timely_state import TimelyState
from rewardkit.language.ordering import in_order
from rewardkit.language.positive import positive_part
from rewardkit.language.replay import BEFORE_ALL
from rewardkit.language.running.state import PENDING, SATISFIED, State
from rewardkit.language.verdict import Verdict


class Received(NamedTuple):
    """What became of an event."""

    state: TimelyState
    late: Event | None
    """The event, where it sorts before a reading that has been released: nothing of it was applied."""


@attrs.frozen
class Revision:
    """A verdict that late events contradict. What was granted on it stays; what to do about it is the host's."""

    verdict: Verdict
    """As it was given."""
    corrected: Verdict
    """As it is with every event in its place."""


class Refolded(NamedTuple):
    """What folding a whole history anew came to."""

    state: TimelyState
    """As corrected; but one that is decided stays as it was, other than in live mode."""
    revision: Revision | None


class Timely:
    """A program with an allowed lateness.

    Args:
        program: in any mode.
        allowed_lateness: elapsed time, such as `2d`.

    Raises:
        ValidationError: `allowed_lateness` is no length of time.
    """

    def __init__(self, program: Program, allowed_lateness: Lateness = PUNCTUAL) -> None:
        self.program = program
        self.lateness = read_lateness(allowed_lateness)
        positive = positive_part(program.node) if self.lateness and program.mode == "latch" else None
        self.certain = None if positive is None else compile_program(positive, program.zone)
        self._packing = TimelyPacking(program, self.certain, self.lateness)

    def start(
        self, at: Position | When | None, *, end: When | None = None, history: Iterable[Event] = ()
    ) -> TimelyState:
        """The state at the opening of a scope, at which it is.

        Args:
            at: an instant, which opens the scope before all events at it, a position, or None.
            end: the scope's end.
            history: what `ever` sees before the scope, as far as it is known.

        Raises:
            ValidationError: as of the program's `start`.
        """
        opening = BEFORE_ALL if at is None else at if isinstance(at, Position) else Position(instant(at))
        earlier = tuple(in_order(history)) if self.program.uses_history else ()
        until = None if end is None else instant(end)
        begin = max(opening.at, 0)
        state = TimelyState(None if at is None else opening, until, begin, earlier=earlier)
        # What cannot be opened is refused now, and not when the watermark gets there.
        self._opened(self.program, state)
        return self._released(self._foreseen(state), begin)

    def receive(self, state: TimelyState, event: Event) -> Received:
        """The state after an event, at its instant or, where it came late, at the one that it was at.

        Each event comes once; of those that wait, one that comes again changes nothing.

        Raises:
            Conflict: an event of its id waits that has another body.
            ValidationError: it has no instant.
        """
        state = self.advance(state, event.at)
        position = event.position
        outside = state.end is not None and event.at >= state.end
        if outside or event.name not in self.program.names:
            return Received(state, None)
        if position <= (state.opening or BEFORE_ALL):
            return self._receive_earlier(state, event)
        if state.place is not None and position <= state.place:
            return Received(state, event if position != state.place else None)
        if state.status != PENDING or self._waits(state.held, event):
            return Received(state, None)
        held = tuple(sorted((*state.held, event), key=lambda each: each.position))
        in_turn = held[-1] is event
        state = attrs.evolve(state, held=held)
        if self.certain is not None:
            state = self._foreseen(state, event if in_turn else None)
        return Received(self._released(state, state.now), None)

    def advance(self, state: TimelyState, now: When) -> TimelyState:
        """The state at an instant, with every reading up to its watermark released; harmless early, late or twice."""
        until = instant(now)
        return state if until <= state.now else self._released(state, until)

    def verdict(self, state: TimelyState) -> Verdict:
        """The state's verdict; `wake_at` is when the watermark reaches what waits."""
        released = state.released
        if released is None:
            opens_at = max((state.opening or BEFORE_ALL).at, 0) + self.lateness
            holds_now = False if self.program.mode == "live" else None
            return Verdict("pending", None, "events may still come late", moment(opens_at), holds_now=holds_now)
        if state.at_once and self.certain is not None:
            return self.certain.verdict(released)
        told = self.program.verdict(released)
        waiting = [told.wake_at] if told.wake_at is not None else []
        if state.held and self.program.mode != "final":
            waiting.append(moment(state.held[0].at))
        if not waiting:
            return told
        return attrs.evolve(told, wake_at=moment(instant(min(waiting)) + self.lateness))

    def fold(
        self, events: Iterable[Event], at: Position | When | None, *, now: When, end: When | None = None
    ) -> TimelyState:
        """The state at an instant after a history, given in any order, each of whose events came at its instant."""
        opening = BEFORE_ALL if at is None else at if isinstance(at, Position) else Position(instant(at))
        until = instant(now)
        known = [event for event in in_order(events) if event.at <= until]
        state = self.start(at, end=end, history=[event for event in known if event.position <= opening])
        for event in known:
            if event.position > opening:
                state = self.receive(state, event).state
        return self.advance(state, until)

    def refold(self, state: TimelyState, history: Iterable[Event]) -> Refolded:
        """Folds the whole history anew, late events in their place; see `Refolded`.

        Raises:
            Conflict: for one event id with two bodies.
        """
        corrected = self.fold(history, state.opening, now=state.now, end=state.end)
        before, after = self.verdict(state), self.verdict(corrected)
        same = (before.status, before.decided_at) == (after.status, after.decided_at)
        stands = self.program.mode != "live" and state.status != PENDING
        return Refolded(state if stands else corrected, None if same else Revision(before, after))

    def pack(self, state: TimelyState) -> bytes:
        """The state as bytes, those events included that wait; `unpack` reads them."""
        return self._packing.pack(state)

    def unpack(self, data: bytes) -> TimelyState:
        """The state that `pack` wrote.

        Raises:
            InvariantError: for bytes that this program with this lateness did not write.
        """
        return self._foreseen(self._packing.unpack(data))

    def _receive_earlier(self, state: TimelyState, event: Event) -> Received:
        """An event from before the scope, which `ever` alone sees."""
        if not self.program.uses_history:
            return Received(state, None)
        if state.place is not None:
            return Received(state, event)
        if self._waits(state.earlier, event):
            return Received(state, None)
        earlier = tuple(sorted((*state.earlier, event), key=lambda each: each.position))
        return Received(self._released(self._foreseen(attrs.evolve(state, earlier=earlier)), state.now), None)

    @staticmethod
    def _waits(events: tuple[Event, ...], event: Event) -> bool:
        for other in events:
            if other.id == event.id:
                if other != event:
                    raise Conflict(f"event `{event.id}` came twice with different bodies")
                return True
        return False

    @staticmethod
    def _opened(program: Program, state: TimelyState) -> State:
        at = None if state.opening is None else state.opening.at
        return program.start(at, end=state.end, history=state.earlier)

    def _foreseen(self, state: TimelyState, event: Event | None = None) -> TimelyState:
        """The state with its positive part folded over all that is known, by one more event or anew."""
        if self.certain is None or state.status != PENDING:
            return state
        if event is not None and state.certain is not None:
            certain = self.certain.step(state.certain, event)
        else:
            certain = state.certain_released or self._opened(self.certain, state)
            for waiting in state.held:
                certain = self.certain.step(certain, waiting)
        return attrs.evolve(state, certain=certain)

    def _released(self, state: TimelyState, now: Instant) -> TimelyState:
        """The state at an instant: readings up to its watermark are released, then its positive part may decide."""
        if state.status != PENDING:
            return attrs.evolve(state, now=now)
        state = self._read(attrs.evolve(state, now=now), now - self.lateness)
        if state.status == PENDING and state.certain is not None and state.certain.status == SATISFIED:
            return attrs.evolve(state, released=state.certain, at_once=True).collapsed()
        return state.collapsed() if state.status != PENDING else state

    def _read(self, state: TimelyState, watermark: Instant) -> TimelyState:
        released, place, base = state.released, state.place, state.certain_released
        if released is None or place is None:
            place = state.opening or BEFORE_ALL
            if watermark < max(place.at, 0):
                return state
            released = self._opened(self.program, state)
            base = None if self.certain is None else self._opened(self.certain, state)
        many = 0
        while released.status == PENDING:
            event = state.held[many] if many < len(state.held) and state.held[many].at <= watermark else None
            until = watermark if event is None else event.at
            if released.wake_at is not None and released.wake_at <= until:
                place = max(place, Position(released.wake_at))
                released = self.program.advance(released, released.wake_at)
            elif event is not None:
                many += 1
                place = event.position
                released = self.program.step(released, event)
                base = None if self.certain is None or base is None else self.certain.step(base, event)
            else:
                break
        held = state.held[many:]
        return attrs.evolve(state, released=released, place=place, certain_released=base, held=held, earlier=())
