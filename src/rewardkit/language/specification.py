"""The executable specification: what a condition means, written slowly and plainly.

One pure function, `holds`, says when a condition holds on a scope; `ends` says where it is completed, so that `then`
hands over at a defined place; `settled` is the local rule for what can no longer change. `judge` derives the verdict
by reading the condition at its start, at each timer, and after each event in total order. Nothing here is quick.
Every faster engine is tested against it; the reference is `grammar/README.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

import attrs

from rewardkit.errors import Conflict, ValidationError
from rewardkit.language import tree
from rewardkit.language.event import Event, Instant, Position
from rewardkit.language.filter import matches
from rewardkit.language.plan import spelling
from rewardkit.language.verdict import Status

Place: TypeAlias = tuple[Instant, int, int, str]
"""A place in the total order: a timer at T, `(T, 0, 0, "")`, stands before all events at T."""

_EVENT = 1
_BEFORE_ALL: Place = (-1, 0, 0, "")


def timer(at: Instant) -> Place:
    """The place of a timer."""
    return (at, 0, 0, "")


def place(event: Event) -> Place:
    """The place of an event."""
    return (event.at, _EVENT, event.order, event.id)


class Scope(NamedTuple):
    """The events that a condition listens to, and the anchor of its windows.

    `events` is all known history in total order; the scope is what lies after `after` and no later than `until`.
    """

    events: tuple[Event, ...]
    after: Place
    until: Place
    anchor: Instant | None
    end: Instant | None
    whole_end: Instant | None
    """The end of the outermost scope, which `ever` goes back to."""

    def inside(self) -> list[Event]:
        return [event for event in self.events if self.after < place(event) <= self.until]

    def cut(self, until: Place) -> Scope:
        return self._replace(until=min(self.until, until))

    def window(self, close: Instant) -> Scope:
        """The scope up to a window's close, which is not part of it."""
        end = close if self.end is None else min(self.end, close)
        return self.cut(timer(close))._replace(end=end)

    def following(self, after: Place, anchor: Instant) -> Scope:
        return self._replace(after=max(self.after, after), anchor=anchor)

    def widened(self) -> Scope:
        return self._replace(after=_BEFORE_ALL, anchor=None)

    def close(self, span: tree.Span) -> Instant:
        """The close of a window that starts at the anchor."""
        if not isinstance(span, tree.Elapsed):
            raise ValidationError(
                "a calendar span is not evaluated by this version: write an elapsed one, such as `7d`"
            )
        if self.anchor is None:
            raise ValidationError("a window here has no start: put it to the right of a `then`")
        return self.anchor + span.microseconds


def holds(node: tree.Node, scope: Scope, now: Instant) -> bool:
    """Whether the condition holds on a scope, read at an instant."""
    match node:
        case tree.AtLeast(least=least):
            return len(matching(node, scope)) >= least
        case tree.And(terms=terms):
            return all(holds(term, scope, now) for term in terms)
        case tree.Or(terms=terms):
            return any(holds(term, scope, now) for term in terms)
        case tree.Some(least=least, terms=terms):
            return sum(holds(term, scope, now) for term in terms) >= least
        case tree.Not(body=body):
            return not holds(body, scope, now)
        case tree.Within(body=body, span=span):
            return holds(body, scope.window(scope.close(span)), now)
        case tree.Over(body=body, span=span):
            close = scope.close(span)
            return now >= close and not _beyond(close, scope) and holds(body, scope.window(close), close)
        case tree.No():
            return holds(_absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            return any(holds(last, scope.following(*end), now) for end in ends(first, scope, now))
        case tree.Ever(body=body):
            return holds(body, scope.widened(), now)
        case _:
            raise ValidationError(f"`{spelling(node)}` is not evaluated by this version")


def ends(node: tree.Node, scope: Scope, now: Instant) -> list[tuple[Place, Instant]]:
    """The places that complete the condition, each with its instant."""
    match node:
        case tree.AtLeast(least=least):
            return [(place(event), event.at) for event in matching(node, scope)[least - 1 :]]
        case tree.Or(terms=terms):
            return sorted({end for term in terms for end in ends(term, scope, now)})
        case tree.And(terms=terms) | tree.Some(terms=terms):
            candidates = {end for term in terms for end in ends(term, scope, now)}
            return sorted(end for end in candidates if holds(node, scope.cut(end[0]), end[1]))
        case tree.Not():
            return []
        case tree.Within(body=body, span=span):
            return ends(body, scope.window(scope.close(span)), now)
        case tree.Over(span=span):
            close = scope.close(span)
            return [(timer(close), close)] if holds(node, scope, now) else []
        case tree.No():
            return ends(_absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            later = {end for begun in ends(first, scope, now) for end in ends(last, scope.following(*begun), now)}
            return sorted(later)
        case tree.Ever(body=body):
            return ends(body, scope.widened(), now)
        case _:
            raise ValidationError(f"`{spelling(node)}` is not evaluated by this version")


def settled(node: tree.Node, scope: Scope, now: Instant) -> bool | None:
    """What the condition will be for good by the local rule, or None where it may change.

    Sound and not complete: it never claims what may change, and misses some of what cannot.
    """
    if scope.end is not None and now >= scope.end:
        return holds(node, scope, now)
    match node:
        case tree.AtLeast():
            return True if holds(node, scope, now) else None
        case tree.And(terms=terms):
            return _settled_among(len(terms), terms, scope, now)
        case tree.Or(terms=terms):
            return _settled_among(1, terms, scope, now)
        case tree.Some(least=least, terms=terms):
            return _settled_among(least, terms, scope, now)
        case tree.Not(body=body):
            known = settled(body, scope, now)
            return None if known is None else not known
        case tree.Within(body=body, span=span):
            return settled(body, scope.window(scope.close(span)), now)
        case tree.Over(body=body, span=span):
            close = scope.close(span)
            if _beyond(close, scope):
                return False
            if now >= close:
                return holds(node, scope, now)
            return False if settled(body, scope.window(close), now) is False else None
        case tree.No():
            return settled(_absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            threads = [settled(last, scope.following(*end), now) for end in ends(first, scope, now)]
            if True in threads:
                return True
            return False if None not in threads and dry(first, scope, now) else None
        case tree.Ever(body=body):
            return settled(body, scope.widened()._replace(end=scope.whole_end), now)
        case _:
            raise ValidationError(f"`{spelling(node)}` is not evaluated by this version")


def dry(node: tree.Node, scope: Scope, now: Instant) -> bool:
    """Whether the condition will never be completed again, by the local rule."""
    if scope.end is not None and now >= scope.end:
        return True
    match node:
        case tree.AtLeast():
            return False
        case tree.Not():
            return True
        case tree.And(terms=terms) | tree.Or(terms=terms) | tree.Some(terms=terms):
            return settled(node, scope, now) is False or all(dry(term, scope, now) for term in terms)
        case tree.Within(body=body, span=span):
            return dry(body, scope.window(scope.close(span)), now)
        case tree.Over(span=span):
            return now >= scope.close(span) or settled(node, scope, now) is False
        case tree.No():
            return dry(_absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            begun = ends(first, scope, now)
            return dry(first, scope, now) and all(dry(last, scope.following(*end), now) for end in begun)
        case tree.Ever(body=body):
            return dry(body, scope.widened()._replace(end=scope.whole_end), now)
        case _:
            raise ValidationError(f"`{spelling(node)}` is not evaluated by this version")


@attrs.frozen
class Reading:
    """A verdict of the specification."""

    status: Status
    decided_at: Instant | None = None
    wake_at: Instant | None = None
    """The earliest later instant at which status or `decided_at` does change with no event; None where none does."""
    reason: str = ""


def judge(
    node: tree.Node,
    events: Iterable[Event],
    start: Position | Instant | None,
    now: Instant,
    end: Instant | None = None,
) -> Reading:
    """The verdict at an instant.

    Args:
        node: the condition.
        events: all known history, in any order; those before the start are seen by `ever` alone.
        start: the place after which the scope opens; None opens it before everything, with no anchor.
        now: the instant; later events do not count.
        end: the first instant that is no longer part of the scope.

    Raises:
        Conflict: for one event id with two bodies.
        ValidationError: for an operator that is not evaluated, or a window that has no start.
    """
    known = _known(events, start, now, end)
    for instant, until in _readings(node, known, start, now, end):
        decision = _decide(node, _scope(known, start, until, end), instant)
        if decision is not None:
            return Reading(decision, instant, None, "expired" if instant == end else "")
    return Reading("pending", None, _wake(node, known, start, now, end))


def readings(
    node: tree.Node, events: Iterable[Event], start: Position | Instant | None, now: Instant, end: Instant | None = None
) -> Iterator[tuple[Instant, bool]]:
    """Whether the condition holds, at each reading up to an instant, latched or not."""
    known = _known(events, start, now, end)
    for instant, until in _readings(node, known, start, now, end):
        yield instant, holds(node, _scope(known, start, until, end), instant)


def _known(
    events: Iterable[Event], start: Position | Instant | None, now: Instant, end: Instant | None
) -> tuple[Event, ...]:
    """What has happened before the scope's end; what opened the scope has, even where it ends at once."""
    _, after = _opening(start)
    return tuple(
        event
        for event in _ordered(events)
        if event.at <= now and (end is None or event.at < end or place(event) <= after)
    )


def _decide(node: tree.Node, scope: Scope, at: Instant) -> Status | None:
    if holds(node, scope, at):
        return "satisfied"
    if settled(node, scope, at) is False:
        return "impossible"
    return None


def _wake(
    node: tree.Node, known: tuple[Event, ...], start: Position | Instant | None, now: Instant, end: Instant | None
) -> Instant | None:
    for instant in sorted(_deadlines(node, known, start, None)):
        if instant > now and (end is None or instant < end):
            decision = _decide(node, _scope(known, start, timer(instant), end), instant)
            if decision is not None:
                return instant
    return end


def _readings(
    node: tree.Node, known: tuple[Event, ...], start: Position | Instant | None, now: Instant, end: Instant | None
) -> list[tuple[Instant, Place]]:
    """Instants and places at which the condition is read, in order; an idle timer's reading is harmless."""
    begin, after = _opening(start)
    timers = {instant for instant in _deadlines(node, known, start, now) if instant > begin}
    if end is not None:
        timers = {instant for instant in timers if instant < end} | {end}
    places = [(instant, timer(instant)) for instant in timers if instant <= now]
    places += [(event.at, place(event)) for event in known if place(event) > after]
    return [(begin, max(after, timer(begin))), *sorted(places, key=lambda reading: reading[1])]


def _deadlines(
    node: tree.Node, known: tuple[Event, ...], start: Position | Instant | None, now: Instant | None
) -> set[Instant]:
    """Every instant at which some window may close: all sums of an anchor and the spans after it."""
    found: set[Instant] = set()
    happened = {event.at for event in known}
    opened = set() if start is None else {_opening(start)[0]}

    def walk(node: tree.Node, anchors: set[Instant]) -> set[Instant]:
        """Collects the closes of a node's windows, and gives the instants at which they may hand over."""
        match node:
            case tree.Within(body=body, span=tree.Elapsed(microseconds=length)):
                found.update(anchor + length for anchor in anchors)
                return walk(body, anchors)
            case (
                tree.Over(body=body, span=tree.Elapsed(microseconds=length))
                | tree.No(body=body, span=tree.Elapsed(microseconds=length))
            ):
                closes = {anchor + length for anchor in anchors if now is None or anchor + length <= now}
                found.update(closes)
                walk(body, anchors)
                return closes
            case tree.Then(steps=steps):
                for step in steps:
                    anchors = walk(step, anchors) | happened
                return anchors
            case tree.And(terms=terms) | tree.Or(terms=terms) | tree.Some(terms=terms):
                return set().union(*(walk(term, anchors) for term in terms))
            case tree.Not(body=body):
                return walk(body, anchors)
            case tree.Ever(body=body):
                return walk(body, set())
            case _:
                return set()

    walk(node, opened)
    return found


def _opening(start: Position | Instant | None) -> tuple[Instant, Place]:
    if start is None:
        return 0, _BEFORE_ALL
    if not isinstance(start, Position):
        start = Position(start)
    return start.at, (start.at, _EVENT, start.order, start.id)


def _scope(known: tuple[Event, ...], start: Position | Instant | None, until: Place, end: Instant | None) -> Scope:
    begin, after = _opening(start)
    return Scope(known, after, until, None if start is None else begin, end, end)


def _ordered(events: Iterable[Event]) -> list[Event]:
    by_id: dict[str, Event] = {}
    for event in events:
        if by_id.setdefault(event.id, event) != event:
            raise Conflict(f"event `{event.id}` came twice with different bodies")
    return sorted(by_id.values(), key=place)


def matching(node: tree.AtLeast, scope: Scope) -> list[Event]:
    return [
        event
        for event in scope.inside()
        if any(
            event.name == match.name and (match.where is None or matches(match.where, event.properties))
            for match in node.matches
        )
    ]


def _settled_among(least: int, terms: tuple[tree.Node, ...], scope: Scope, now: Instant) -> bool | None:
    known = [settled(term, scope, now) for term in terms]
    if known.count(True) >= least:
        return True
    return False if known.count(False) > len(terms) - least else None


def _beyond(close: Instant, scope: Scope) -> bool:
    return scope.end is not None and close > scope.end


def _absence(node: tree.No) -> tree.Over:
    return tree.Over(tree.Not(node.body), node.span)


def split(node: tree.Then) -> tuple[tree.Node, tree.Node]:
    """`a then b then c` is `(a then b) then c`."""
    if len(node.steps) < 2:
        raise ValidationError("a `then` needs at least two steps")
    *first, last = node.steps
    return (first[0] if len(first) == 1 else tree.Then(tuple(first))), last
