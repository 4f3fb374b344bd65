"""One user's whole history, folded at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import attrs

from rewardkit.language import tree
from rewardkit.language.event import Event, Instant, Position
from rewardkit.language.folding.modes import compile_in_mode
from rewardkit.language.folding.program import Program, State
from rewardkit.language.ordering import in_order
from rewardkit.language.verdict import Mode, Verdict
from rewardkit.language.zoning import UTC

BEFORE_ALL = Position(-1)


class Replay(NamedTuple):
    """What folding a history came to."""

    program: Program
    state: State
    decided_by: Event | None
    """The event at whose reading the verdict fell; None where time or the opening decided, or nothing did."""


def replay(
    node: tree.Node,
    events: Iterable[Event],
    start: Position | Instant | None,
    now: Instant,
    end: Instant | None = None,
    *,
    zone: str = UTC,
    mode: Mode = "latch",
) -> Replay:
    """Folds a history, given in any order, up to an instant; events before the start are seen by `ever` alone.

    Raises:
        Conflict: for one event id with two bodies.
        ValidationError: for a name that was not inlined, a window that has no start, an unknown zone or mode, or
            a mode that needs an end where there is none.
    """
    program = compile_in_mode(node, mode, zone)
    opening = BEFORE_ALL if start is None else start if isinstance(start, Position) else Position(start)
    now = max(now, opening.at)  # nothing is read before the scope opens
    history: list[Event] = []
    after: list[Event] = []
    for event in in_order(events):
        if event.at <= now and event.name in program.names:
            (history if event.position <= opening else after).append(event)
    state = program.start(None if start is None else opening.at, end=end, history=history)
    decided_by: Event | None = None
    for event in after:
        if state.status:
            break
        state = program.advance(state, event.at)
        if not state.status:
            state = program.step(state, event)
            decided_by = event if state.status else None
    return Replay(program, program.advance(state, now), decided_by)


def judge(
    node: tree.Node,
    events: Iterable[Event],
    start: Position | Instant | None,
    now: Instant,
    end: Instant | None = None,
    *,
    zone: str = UTC,
    mode: Mode = "latch",
) -> Verdict:
    """The verdict on a history at an instant; arguments and errors as of `replay`."""
    known = tuple(events)
    done = replay(node, known, start, now, end, zone=zone, mode=mode)
    verdict = done.program.verdict(done.state)
    if verdict.status != "pending":
        return verdict
    return attrs.evolve(verdict, measure=partial(_measured, node, known, start, now, end, zone, mode))


def _measured(
    node: tree.Node,
    events: Iterable[Event],
    start: Position | Instant | None,
    now: Instant,
    end: Instant | None,
    zone: str,
    mode: Mode,
) -> float:
    from rewardkit.language.explaining.explanation import read_verdict
    from rewardkit.language.explaining.progress import progress

    return progress(node, read_verdict(node, in_order(events), start, now, end, zone, mode))
