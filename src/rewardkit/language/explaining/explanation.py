"""Why a verdict is what it is: the events that prove it, what killed it, or what is missing, as data and as sentences.

All of it is read off the specification: the proof at the reading that decided, what is missing as things are now.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rewardkit.language import tree
from rewardkit.language.checks.reach import check_reach
from rewardkit.language.event import Event, Instant, Position
from rewardkit.language.explaining.continuation import way_on
from rewardkit.language.explaining.leaf import Leaf, leaves
from rewardkit.language.explaining.need import Need
from rewardkit.language.explaining.progress import Lapse, lapse, share
from rewardkit.language.explaining.proof import minimal, prove
from rewardkit.language.explaining.refutation import refute
from rewardkit.language.explaining.telling import Telling
from rewardkit.language.ordering import in_order
from rewardkit.language.reasons.evidence import Absence, Fact, Value, once
from rewardkit.language.replay import replay
from rewardkit.language.running.state import PENDING, SATISFIED
from rewardkit.language.specification import Decided, Reading, decided, holds, place, settled, standing
from rewardkit.language.verdict import Mode, Status
from rewardkit.language.zoning import UTC


@attrs.frozen
class Explanation:
    """A verdict with its reasons."""

    status: Status
    decided_at: Instant | None
    """Microseconds since 1970 of the reading that decided; None while pending."""
    event_ids: tuple[str, ...] = ()
    """The events that prove a satisfied verdict, in total order; absences need none."""
    absences: tuple[Absence, ...] = ()
    """What did not happen, where that is part of the proof, or of the reason why it is impossible."""
    values: tuple[Value, ...] = ()
    """What the aggregates of the proof came to."""
    killed_by: str | Instant | None = None
    """What made it impossible: the id of an event, or the instant of a deadline."""
    missing: tuple[str, ...] = ()
    """What a pending verdict still needs, the cheapest way."""
    needs: tuple[Need, ...] = ()
    """The same as data."""
    wake_at: Instant | None = None
    """The next deadline: the earliest instant at which time alone may change the verdict, or what is missing."""
    by_table: bool = False
    """Whether only the table of all states tells that it is impossible, and no part of it does by itself."""
    progress: float = 0.0
    """From 0 to 1; 1 where it is satisfied, and nowhere else."""
    lapsed: Lapse | None = None
    """Where a window, a gap or a streak was not met, so that more is missing than before."""
    leaves: tuple[Leaf, ...] = ()
    """How far each count, comparison and streak is."""
    sentences: tuple[str, ...] = ()
    """All of it for people, such as "`User Activated` at 2024-01-02T00:00:00Z (event e17)"."""


def explain(
    node: tree.Node,
    events: Iterable[Event],
    start: Position | Instant | None,
    now: Instant,
    end: Instant | None = None,
    *,
    zone: str = UTC,
    mode: Mode = "latch",
) -> Explanation:
    """Explains the verdict on a history, given in any order, at an instant.

    Raises:
        Conflict: for one event id with two bodies.
        ValidationError: for a window that has no start, or the mode `final` without an end.
    """
    found = read_verdict(node, in_order(events), start, now, end, zone, mode)
    telling = Telling(zone)
    known = tuple(leaves(node, found.scope, found.at))
    match found.reading.status:
        case "pending":
            explained = _pending(node, found, telling)
        case "satisfied":
            explained = _satisfied(node, found, telling)
        case _:
            explained = _impossible(node, found, telling, end)
    return attrs.evolve(explained, leaves=known)


def read_verdict(
    node: tree.Node,
    history: list[Event],
    start: Position | Instant | None,
    now: Instant,
    end: Instant | None,
    zone: str,
    mode: Mode,
) -> Decided:
    """The verdict by the program, which reads a long history quickly, where there is one."""
    if mode != "latch" or any(True for _ in check_reach(node)):
        return decided(node, history, start, now, end, zone=zone, mode=mode)
    done = replay(node, history, start, now, end, zone=zone)
    state = done.state
    status: Status = "satisfied" if state.status == SATISFIED else "impossible"
    reading = Reading("pending", None, state.wake_at) if state.status == PENDING else Reading(status, state.decided_at)
    return standing(node, history, start, now, end, zone, reading, done.decided_by)


def _pending(node: tree.Node, found: Decided, telling: Telling) -> Explanation:
    way = way_on(node, found.scope, found.at)
    needs = tuple(dict.fromkeys(way or ()))
    missing = tuple(dict.fromkeys(telling.need(need) for need in needs))
    lost = lapse(node, found, way)
    sentences = missing or ("waiting" if way == () else "no way on is known",)
    if lost is not None:
        sentences = (*sentences, f"time ran out for a part of it at {telling.instant(lost.at)}, so more is missing")
    opened = way_on(node, found.opened, found.opened.until[0])
    return Explanation(
        "pending",
        None,
        missing=missing,
        needs=needs,
        wake_at=min(_deadlines(found, needs), default=None),
        progress=share("pending", way, opened),
        lapsed=lost,
        sentences=sentences,
    )


def _deadlines(found: Decided, needs: Iterable[Need]) -> set[Instant]:
    instants = {found.reading.wake_at} | {need.by for need in needs} | {need.until for need in needs}
    return {at for at in instants if at is not None and at > found.at}


def _satisfied(node: tree.Node, found: Decided, telling: Telling) -> Explanation:
    facts = minimal(node, found.scope, found.at, once(prove(node, found.scope, found.at)))
    named = in_order(fact for fact in facts if isinstance(fact, Event))
    return Explanation(
        "satisfied",
        found.reading.decided_at,
        event_ids=tuple(event.id for event in named),
        absences=_absences(facts),
        values=_values(facts),
        progress=1.0,
        wake_at=found.reading.wake_at,
        sentences=telling.facts(facts, found.at),
    )


def _impossible(node: tree.Node, found: Decided, telling: Telling, end: Instant | None) -> Explanation:
    at, scope = found.at, found.scope
    culprit = next((event for event in scope.events if scope.after < scope.until == place(event)), None)
    if culprit is not None:
        told: tuple[str, ...] = (f"{telling.happened(culprit)} rules it out",)
    elif at == end:
        told = ("expired",)
    elif scope.until == found.opened.until:
        told = ("cannot hold from the start",)
    else:
        told = (f"time ran out at {telling.instant(at)}",)
    explained = Explanation("impossible", at, killed_by=at if culprit is None else culprit.id, sentences=told)
    if at != end and settled(node, scope, at) is not False:
        # No part of it is impossible by itself, and still no events satisfy the whole any more.
        together = "whatever happens next, its parts do not hold together"
        return attrs.evolve(explained, by_table=True, sentences=(*told, together))
    if culprit is not None or holds(node, scope, at):
        return explained
    facts = once(refute(node, scope, at))
    told = (*told, *(telling.facts(facts, at) if facts else ()))
    return attrs.evolve(explained, absences=_absences(facts), values=_values(facts), sentences=told)


def _absences(facts: list[Fact]) -> tuple[Absence, ...]:
    return tuple(fact for fact in facts if isinstance(fact, Absence))


def _values(facts: list[Fact]) -> tuple[Value, ...]:
    return tuple(fact for fact in facts if isinstance(fact, Value))
