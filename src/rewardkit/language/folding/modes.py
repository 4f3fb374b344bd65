"""Conditions that may flip, and conditions that are judged once at the end: the other modes of a program.

Both fold as a program does, and never latch: a state stays PENDING while it is open, and its `decided_at` is the
reading since which the condition has held, or None while it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import attrs

from rewardkit.errors import ValidationError
from rewardkit.language import tree
from rewardkit.language.diagnostic import quoted
from rewardkit.language.event import Event, Instant, When, moment
from rewardkit.language.folding.program import Program, compile_program
from rewardkit.language.reasons import causes
from rewardkit.language.running.chain import FALSE, TRUE, VALUE
from rewardkit.language.running.dominance import Thread
from rewardkit.language.running.state import IMPOSSIBLE, PENDING, SATISFIED, State, decided
from rewardkit.language.verdict import Mode, Verdict
from rewardkit.language.zoning import UTC


class LiveProgram(Program):
    """A condition that is satisfied while it holds, pending while it does not, and impossible where it never will.

    A state absorbs where the condition holds for good, where it never will again, and at the end of its scope.
    """

    mode: ClassVar[Mode] = "live"
    _heeded: ClassVar[int] = VALUE | TRUE | FALSE
    """What is taken notice of at a reading: whether it holds, and what it is for good."""

    @property
    def exact(self) -> bool:
        """Never: where a verdict may flip, the local rule alone says what is impossible."""
        return False

    def __init__(self, node: tree.Node, text: str, zone: str = UTC) -> None:
        # The table of states knows those alone that come before the first time that it holds.
        super().__init__(node, text, zone, bare=True)

    def verdict(self, state: State) -> Verdict:
        """The state's verdict; `decided_at` is the reading since which it holds."""
        if state.status != PENDING or state.decided_at is None:
            return attrs.evolve(super().verdict(state), holds_now=state.status == SATISFIED)
        reason = self._causes.sentence(state.cause, SATISFIED, state.decided_at)
        wake_at = None if state.wake_at is None else moment(state.wake_at)
        return Verdict("satisfied", moment(state.decided_at), reason, wake_at, self.exact, holds_now=True)

    def _conclude(
        self,
        before: State | None,
        root: Thread,
        evers: tuple[Thread, ...],
        bits: int,
        known: tuple[int, ...],
        at: Instant,
        start: Instant,
        end: Instant | None,
        cause: int,
    ) -> State:
        since = None
        bits &= self._heeded
        if bits & VALUE:
            since = at
            if before is not None and before.decided_at is not None:
                since, cause = before.decided_at, before.cause
            if bits & TRUE:
                return decided(SATISFIED, since, cause)
        elif bits & FALSE:
            return decided(IMPOSSIBLE, at, cause)
        else:
            cause = 0
        wake_at = self._wake(root, evers, known, end)
        return State(PENDING, since, cause, start, end, wake_at, root, evers)

    def _expire(self, state: State, at: Instant) -> State:
        if state.decided_at is not None:
            return decided(SATISFIED, state.decided_at, state.cause)
        return super()._expire(state, at)


class FinalProgram(LiveProgram):
    """A condition that is judged once, at the end of its scope, and pending before it."""

    mode: ClassVar[Mode] = "final"
    _heeded: ClassVar[int] = VALUE

    def start(self, at: When | None, *, end: When | None = None, history: Iterable[Event] = ()) -> State:
        """As of a program; without an end, ValidationError."""
        if end is None:
            raise ValidationError("the mode `final` judges at the scope's end: pass `end`")
        return super().start(at, end=end, history=history)

    def verdict(self, state: State) -> Verdict:
        """The state's verdict; time wakes it at the end alone."""
        if state.status != PENDING:
            return Program.verdict(self, state)
        assert state.end is not None
        return Verdict("pending", None, "judged at the end of the scope", moment(state.end))

    def _expire(self, state: State, at: Instant) -> State:
        held = state.decided_at is not None
        return decided(SATISFIED if held else IMPOSSIBLE, at, causes.DEADLINE if held else causes.EXPIRED)


_KINDS: dict[str, type[Program]] = {kind.mode: kind for kind in (Program, LiveProgram, FinalProgram)}


def compile_in_mode(node: tree.Node, mode: Mode, zone: str = UTC) -> Program:
    """The program of a condition in a mode; states of different modes are not each other's.

    Raises:
        ValidationError: for an unknown mode or zone, or an operator that this version does not evaluate.
    """
    check_mode(mode)
    return compile_program(node, zone, _KINDS[mode])


def check_mode(mode: object) -> None:
    """Refuses what is no mode.

    Raises:
        ValidationError: for an unknown mode.
    """
    if not isinstance(mode, str) or mode not in _KINDS:
        raise ValidationError(f"there is no mode {quoted(str(mode))}: use `latch`, `live` or `final`")
