"""The verdict of the specification: a condition is read at its start, at each timer, and after each event in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import attrs

from rewardkit.errors import Conflict, ValidationError
from rewardkit.language import tree
from rewardkit.language.event import Event, Instant, Position
from rewardkit.language.positive import positive_part
from rewardkit.language.specification.deadlines import deadlines
from rewardkit.language.specification.holding import holds
from rewardkit.language.specification.scope import BEFORE_ALL, Outermost, Place, Scope, opening, place, timer
from rewardkit.language.specification.settling import settled
from rewardkit.language.verdict import Mode, Status

_AFTER_EVENTS = 2

Start = Position | Instant | None
"""The place after which a scope opens; None opens it before everything, with no anchor."""


@attrs.frozen
class Reading:
    """A verdict of the specification."""

    status: Status
    decided_at: Instant | None = None
    wake_at: Instant | None = None
    """The earliest later instant at which status or `decided_at` does change with no event; None where none does."""
    reason: str = ""
    holds_now: bool | None = None
    """In live mode, whether it holds."""


class Decision(NamedTuple):
    """The first reading at which it was known what a condition comes to."""

    status: Status
    at: Instant
    place: Place


def judge(
    node: tree.Node,
    events: Iterable[Event],
    start: Start,
    now: Instant,
    end: Instant | None = None,
    *,
    zone: str = "UTC",
    mode: Mode = "latch",
    lateness: Instant = 0,
) -> Reading:
    """The verdict at an instant.

    Args:
        node: the condition, every name in it inlined.
        events: all known history, in any order; those before the start are seen by `ever` alone.
        start: where the scope opens.
        now: the instant; later events do not count.
        end: the first instant that is no longer part of the scope.
        zone: IANA name of the zone of its calendar.
        mode: `latch`: once decided it stays; `live`: it may flip; `final`: judged once, at the end.
        lateness: microseconds that an event may be late; what one in time could overturn waits so long.

    Raises:
        Conflict: for one event id with two bodies.
        ValidationError: for a window that has no start, a name that is not known, or `final` without an end.
    """
    history = _History(node, tuple(_ordered(events)), start, end, zone)
    now = max(now, history.begin[0])
    if mode != "latch":
        reading = (_judge_live if mode == "live" else _judge_final)(history, now - lateness, now)
        wake_at = reading.wake_at
        return reading if wake_at is None else attrs.evolve(reading, wake_at=wake_at + lateness)
    released = history.decision(now - lateness)
    certain = positive_part(node) if lateness else None
    if certain is not None:
        at_once = attrs.evolve(history, node=certain).decision(now)
        sooner = at_once is not None and (released is None or at_once.at < released.at + lateness)
        if at_once is not None and sooner and at_once.status == "satisfied":
            released = at_once
    if released is not None:
        return Reading(released.status, released.at, None, "expired" if released.at == end else "")
    wake_at = history.wake(now - lateness, now)
    return Reading("pending", None, None if wake_at is None else wake_at + lateness)


class Decided(NamedTuple):
    """A verdict, and what it was read on."""

    reading: Reading
    opened: Scope
    """The scope at its opening."""
    scope: Scope
    """The scope at the reading that decided; while nothing has, as it is now."""
    at: Instant
    """The instant of that reading."""
    timers: frozenset[Instant]
    """The instants up to it at which time alone may have changed something."""


def decided(
    node: tree.Node,
    events: Iterable[Event],
    start: Start,
    now: Instant,
    end: Instant | None = None,
    *,
    zone: str = "UTC",
    mode: Mode = "latch",
) -> Decided:
    """The verdict at an instant with the scope that it was read on; arguments and errors as of `judge`."""
    history = _History(node, tuple(_ordered(events)), start, end, zone)
    now = max(now, history.begin[0])
    reading = judge(node, history.events, start, now, end, zone=zone, mode=mode)
    last = (now, _AFTER_EVENTS, 0, "")
    decision = history.decision(now) if mode == "latch" else None
    if decision is not None:
        last = decision.place
    elif end is not None and now >= end:
        last = history.last(end)
    if mode == "live" and reading.status == "impossible":
        scopes = history.scopes(now)
        last = next((scope for at, scope in scopes if decide(node, scope, at) == "impossible"), scopes[-1][1]).until
    return history.standing(reading, last, now)


def standing(
    node: tree.Node,
    events: Iterable[Event],
    start: Start,
    now: Instant,
    end: Instant | None,
    zone: str,
    reading: Reading,
    decided_by: Event | None,
) -> Decided:
    """A verdict that another engine came to, as `decided` gives it: no reading but its own is read again."""
    history = _History(node, tuple(_ordered(events)), start, end, zone)
    now = max(now, history.begin[0])
    if reading.decided_at is None:
        last = (now, _AFTER_EVENTS, 0, "")
    else:
        opened = max(history.begin[1], timer(reading.decided_at))
        last = opened if decided_by is None else place(decided_by)
    return history.standing(reading, last, now)


def readings(
    node: tree.Node, events: Iterable[Event], start: Start, now: Instant, end: Instant | None = None, zone: str = "UTC"
) -> Iterator[tuple[Instant, bool]]:
    """Whether the condition holds, at each reading up to an instant, latched or not."""
    history = _History(node, tuple(_ordered(events)), start, end, zone)
    for instant, scope in history.scopes(now):
        yield instant, holds(node, scope, instant)


def first_decision(node: tree.Node, scope: Scope) -> Decision | None:
    """What a condition came to in an outermost scope, by the scope's reading."""
    begin, after = (0, BEFORE_ALL) if scope.anchor is None else (scope.anchor, scope.after)
    now = scope.until[0]
    timers = {at for at in deadlines(node, scope.events, scope.anchor, scope.zone, now) if begin < at <= now}
    places = [(at, timer(at)) for at in timers] + [(event.at, place(event)) for event in scope.inside()]
    for at, until in [(begin, max(after, timer(begin))), *sorted(places, key=lambda reading: reading[1])]:
        if until <= scope.until:
            status = decide(node, scope._replace(until=until, reading=until), at)
            if status is not None:
                return Decision(status, at, until)
    return None


def decide(node: tree.Node, scope: Scope, at: Instant) -> Status | None:
    """What is known for good at one reading."""
    if holds(node, scope, at):
        return "satisfied"
    if settled(node, scope, at) is False:
        return "impossible"
    return None


@attrs.frozen
class _History:
    """One condition in one scope, and all events that are known of."""

    node: tree.Node
    events: tuple[Event, ...]
    start: Start
    end: Instant | None
    zone: str

    @property
    def begin(self) -> tuple[Instant, Place]:
        if self.start is None:
            return 0, BEFORE_ALL
        start = self.start if isinstance(self.start, Position) else Position(self.start)
        return start.at, opening(*start)

    def known(self, now: Instant) -> tuple[Event, ...]:
        """What has happened before the scope's end; what opened the scope has, even where it ends at once."""
        _, after = self.begin
        return tuple(
            event
            for event in self.events
            if event.at <= now and (self.end is None or event.at < self.end or place(event) <= after)
        )

    def scope(self, known: tuple[Event, ...], until: Place) -> Scope:
        begin, after = self.begin
        anchor = None if self.start is None else begin
        base = Outermost(after, anchor)
        return Scope(known, after, until, anchor, self.end, base, self.end, until, self.zone)

    def standing(self, reading: Reading, last: Place, now: Instant) -> Decided:
        begin, after = self.begin
        known = self.known(now)
        opened = self.scope(known, max(after, timer(begin)))
        timers = deadlines(self.node, known, None if self.start is None else begin, self.zone, now)
        passed = frozenset(at for at in timers if begin < at <= last[0])
        return Decided(reading, opened, self.scope(known, last), last[0], passed)

    def scopes(self, now: Instant) -> list[tuple[Instant, Scope]]:
        """Instants and scopes of all readings up to an instant; an idle timer's reading is harmless."""
        begin, _ = self.begin
        if now < begin:
            return []
        known = self.known(now)
        found = self.in_scope(known, now)
        if self.end is not None and begin < self.end <= now:
            found.append((self.end, self.scope(known, timer(self.end))))
        return found

    def in_scope(self, known: tuple[Event, ...], now: Instant | None) -> list[tuple[Instant, Scope]]:
        """The readings at the start and in the scope, up to an instant or without a limit."""
        begin, after = self.begin
        anchor = None if self.start is None else begin
        timers = {at for at in deadlines(self.node, known, anchor, self.zone, now) if at > begin}
        places = [
            (at, timer(at)) for at in timers if (now is None or at <= now) and (self.end is None or at < self.end)
        ]
        places += [(event.at, place(event)) for event in known if place(event) > after]
        places = [(begin, max(after, timer(begin))), *sorted(places, key=lambda reading: reading[1])]
        return [(at, self.scope(known, until)) for at, until in places]

    def last(self, end: Instant) -> Place:
        """The place of the scope's end: where it ends at once, that of its start."""
        return max(self.begin[1], timer(end))

    def decision(self, now: Instant) -> Decision | None:
        for at, scope in self.scopes(now):
            status = decide(self.node, scope, at)
            if status is None and at == self.end and scope.until == self.last(at):
                status = "impossible"
            if status is not None:
                return Decision(status, at, scope.until)
        return None

    def upcoming(self, released: Instant, now: Instant) -> list[tuple[Instant, Scope]]:
        """The readings after an instant, with the scopes that they read where nothing more happens.

        Events up to `now` are known; those after `released` wait, and are readings like timers.
        """
        return [reading for reading in self.in_scope(self.known(now), None) if reading[0] > released]

    def wake(self, released: Instant, now: Instant) -> Instant | None:
        """The next instant at which time alone decides."""
        for at, scope in self.upcoming(released, now):
            if decide(self.node, scope, at) is not None:
                return at
        return self.end


def _judge_live(history: _History, released: Instant, now: Instant) -> Reading:
    since: Instant | None = None
    status: Status = "pending"
    value = False
    for at, scope in history.scopes(released):
        found = decide(history.node, scope, at)
        if at == history.end and found is None:
            found = "impossible"
        value = found == "satisfied"
        if found != status or since is None:
            since = at
        status = found or "pending"
        if status == "impossible":
            break
    wake_at = None
    if status != "impossible" and (history.end is None or released < history.end):
        wake_at = _next_flip(history, released, now, status)
    return Reading(status, None if status == "pending" else since, wake_at, holds_now=value)


def _next_flip(history: _History, released: Instant, now: Instant, status: Status) -> Instant | None:
    for at, scope in history.upcoming(released, now):
        if (decide(history.node, scope, at) or "pending") != status:
            return at
    if history.end is None:
        return None
    last = history.scope(history.known(now), history.last(history.end))
    return history.end if status != (decide(history.node, last, history.end) or "impossible") else None


def _judge_final(history: _History, released: Instant, now: Instant) -> Reading:  # noqa: ARG001 - as of `_judge_live`
    end = history.end
    if end is None:
        raise ValidationError("the mode `final` judges at the scope's end: pass `end`")
    if released < end:
        return Reading("pending", None, end)
    known = history.known(end)
    held = holds(history.node, history.scope(known, history.last(end)), end)
    return Reading("satisfied" if held else "impossible", end, None)


def _ordered(events: Iterable[Event]) -> list[Event]:
    by_id: dict[str, Event] = {}
    for event in events:
        if by_id.setdefault(event.id, event) != event:
            raise Conflict(f"event `{event.id}` came twice with different bodies")
    return sorted(by_id.values(), key=place)
