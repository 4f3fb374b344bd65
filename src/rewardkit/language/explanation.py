"""Why a verdict is what it is: the events that prove it, what killed it, or what is missing, as data and as sentences.

The verdict comes from the program; the proof is read off the specification, at the reading that decided.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rewardkit.language import tree
from rewardkit.language.event import Event, Instant, Position, rfc3339
from rewardkit.language.missing import missing
from rewardkit.language.ordering import in_order
from rewardkit.language.proof import Absence, Fact, prove, refute
from rewardkit.language.replay import BEFORE_ALL, Replay, replay
from rewardkit.language.specification import Outermost, Scope, place, timer
from rewardkit.language.state import IMPOSSIBLE, PENDING
from rewardkit.language.verdict import Status
from rewardkit.language.zoning import UTC


@attrs.frozen
class Explanation:
    """A verdict with its reasons."""

    status: Status
    decided_at: Instant | None
    """Microseconds since 1970 of the reading that decided; None while pending."""
    event_ids: tuple[str, ...] = ()
    """The events that prove a satisfied verdict, in total order; absences need none."""
    killed_by: str | Instant | None = None
    """What made it impossible: the id of an event, or the instant of a deadline."""
    missing: tuple[str, ...] = ()
    """What a pending verdict still needs, the cheapest way."""
    wake_at: Instant | None = None
    """The earliest instant at which time alone may change a pending verdict."""
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
) -> Explanation:
    """Explains the verdict on a history, given in any order, at an instant.

    Raises:
        Conflict: for one event id with two bodies.
        ValidationError: for an operator that is not evaluated, or a window that has no start.
    """
    known = in_order(events)
    done = replay(node, known, start, now, end, zone=zone)
    state = done.state
    if state.status == PENDING:
        needs = missing(done.program.plan, state)
        sentences = needs or ("waiting",)
        return Explanation("pending", None, missing=needs, wake_at=state.wake_at, sentences=sentences)
    at = state.decided_at or 0
    scope = _scope_at(done, known, start, at, end)
    if state.status == IMPOSSIBLE:
        return _killed(done, node, scope, at)
    facts = prove(node, scope, at)
    found = {event.id: event for event in facts if isinstance(event, Event)}
    ids = tuple(event.id for event in in_order(found.values()))
    return Explanation("satisfied", at, event_ids=ids, sentences=_told(facts, at))


def _scope_at(
    done: Replay, known: list[Event], start: Position | Instant | None, at: Instant, end: Instant | None
) -> Scope:
    """The scope as of the reading that decided."""
    opening = BEFORE_ALL if start is None else start if isinstance(start, Position) else Position(start)
    after = (opening.at, 1, opening.order, opening.id)
    until = place(done.decided_by) if done.decided_by else max(after, timer(at))
    events = tuple(
        event
        for event in known
        if event.name in done.program.names
        and place(event) <= until
        and (end is None or event.at < end or place(event) <= after)
    )
    anchor = None if start is None else opening.at
    return Scope(events, after, until, anchor, end, Outermost(after, anchor), end, until, done.program.zone)


def _killed(done: Replay, node: tree.Node, scope: Scope, at: Instant) -> Explanation:
    culprit = done.decided_by
    reason = done.program.verdict(done.state).reason
    if culprit is not None:
        return Explanation("impossible", at, killed_by=culprit.id, sentences=(f"{_happened(culprit)} rules it out",))
    facts = refute(node, scope, at)
    return Explanation("impossible", at, killed_by=at, sentences=(reason, *_told(facts, at)))


def _told(facts: Iterable[Fact], at: Instant) -> tuple[str, ...]:
    told = [_happened(fact) if isinstance(fact, Event) else _absent(fact, at) for fact in facts]
    return tuple(dict.fromkeys(told)) or (f"holds from {rfc3339(at)} on",)


def _happened(event: Event) -> str:
    return f"`{event.name}` at {rfc3339(event.at)} (event {event.id})"


def _absent(absence: Absence, at: Instant) -> str:
    since = "" if absence.since is None else f"between {rfc3339(absence.since)} and "
    until = rfc3339(min(absence.until, at) if absence.until is not None else at)
    few = "no" if absence.fewer_than == 1 else f"fewer than {absence.fewer_than}"
    return f"{few} `{absence.what}` {since}{'' if since else 'up to '}{until}"
