"""A condition, folded over what is known of a user already."""

from __future__ import annotations

from collections.abc import Iterable

from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import PENDING, Program, State


def replay(
    program: Program, start: Position | None, ends_at: int | None, history: Iterable[Event], until: int
) -> tuple[State, str]:
    """Fold a condition from its start to the reading at `until`; with the id of the event that decided, if one did."""
    known = [event for event in history if event.name in program.names]
    before = [] if start is None else [event for event in known if event.position <= start]
    after = known[len(before) :]
    state = program.start(None if start is None else start.at, end=ends_at, history=before)
    for event in after:
        state = program.advance(state, event.at)
        if state.status == PENDING:
            state = program.step(state, event)
            if state.status != PENDING:
                return state, event.id
    return program.advance(state, until), ""
