"""Whether a condition holds, and where it is completed, said a second time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TypeAlias

import attrs

from rewardkit.language import civil
from rewardkit.language.event import Event, Instant
from rewardkit.language.explaining.checker.amount import chosen, compares, exact, wanted_by
from rewardkit.language.explaining.checker.view import FIRST, Mark, View, mark, tick
from rewardkit.language.listening import names_of, opened_by_any
from rewardkit.language.tree import (
    And,
    AtLeast,
    Before,
    Between,
    By,
    Calendar,
    Comparison,
    Ever,
    InAny,
    InLast,
    InOne,
    Match,
    No,
    Node,
    Not,
    Or,
    Over,
    Satisfied,
    Since,
    Some,
    Streak,
    Then,
    Within,
)
from rewardkit.language.values.filter import look_up

End: TypeAlias = tuple[Mark, Instant]


def true(node: Node, view: View, now: Instant) -> bool:
    """Whether a condition holds on a view at an instant."""
    match node:
        case AtLeast():
            return len(chosen(node.matches, view.seen())) >= node.least
        case Between():
            return node.most >= len(chosen(node.matches, view.seen())) >= node.least
        case Comparison():
            return compares(node, view.seen(), view.zone)
        case And():
            return False not in (true(term, view, now) for term in node.terms)
        case Or():
            return True in (true(term, view, now) for term in node.terms)
        case Some():
            return [true(term, view, now) for term in node.terms].count(True) >= node.least
        case Not():
            return not true(node.body, view, now)
        case Over() | No():
            close = view.far(node.span, view.anchor)
            if close > now or (view.end is not None and view.end < close):
                return False
            return true(node.body, view.until(close), close) == isinstance(node, Over)
        case Then():
            return any(true(node.steps[-1], after, now) for after in hand_overs(node, view, now))
        case Streak():
            return streaks(node, view, now)
        case Satisfied():
            return came_true(node, view) is not None
        case _:
            return any(true(inside, inner, now) for inside, inner in opened(node, view, now))


def hand_overs(node: Then, view: View, now: Instant) -> Iterator[View]:
    """What the last step sees, for each place at which those before it were completed."""
    before = node.steps[0] if len(node.steps) == 2 else Then(node.steps[:-1])
    for place, at in completions(before, view, now):
        yield view.since(place, at)


def completions(node: Node, view: View, now: Instant) -> set[End]:
    """The places at which a condition is completed."""
    match node:
        case AtLeast():
            return {(mark(event), event.at) for event in chosen(node.matches, view.seen())[node.least - 1 :]}
        case Between() | Comparison() | Streak():
            found = chosen(_counted(node), view.seen())
            return {(mark(event), event.at) for event in found if true(node, view.upto(mark(event)), event.at)}
        case Or():
            return set().union(*(completions(term, view, now) for term in node.terms))
        case And() | Some():
            places = set().union(*(completions(term, view, now) for term in node.terms))
            return {(place, at) for place, at in places if true(node, view.upto(place), at)}
        case Not():
            return set()
        case Over() | No():
            close = view.far(node.span, view.anchor)
            return {(tick(close), close)} if true(node, view, now) else set()
        case Then():
            return set().union(*(completions(node.steps[-1], after, now) for after in hand_overs(node, view, now)))
        case Satisfied():
            place = came_true(node, view)
            return set() if place is None else {(place, place[0])}
        case _:
            return set().union(*(completions(inside, inner, now) for inside, inner in opened(node, view, now)))


def opened(node: Node, view: View, now: Instant) -> Iterator[tuple[Node, View]]:
    """The body of a scope, with every view that it is judged on."""
    match node:
        case Within():
            yield node.body, view.until(view.far(node.span, view.anchor))
        case Before():
            yield node.body, view.until(civil.instant_of(node.instant, view.zone))
        case Since():
            yield node.body, _floored(view, tick(civil.instant_of(node.instant, view.zone)))
        case Ever():
            yield node.body, _everything(view)
        case InLast(span=Calendar(count=count, unit=unit)):
            first = civil.span_start(now, count, unit, view.zone)
            yield node.body, view.since(tick(first), first)
        case InLast():
            length = view.far(node.span, 0)
            yield node.body, view.since((now - length, 2, 0, ""), now - length)
        case InAny():
            for event in openers(node, view):
                yield node.body, view.from_event(event, node.span)
        case InOne():
            for first, last in {civil.bucket(event.at, node.unit, view.zone) for event in openers(node, view)}:
                yield node.body, view.since(tick(first), first).until(last)
        case By():
            keys = [key for event in openers(node, view) if (key := _key(node, event)) is not None]
            for position, key in enumerate(keys):
                if key not in keys[:position]:
                    yield node.body, view.of_key(event for event in view.known if _key(node, event) == key)
        case _:
            raise TypeError(f"`{type(node).__name__}` has no body of its own")


def openers(node: InAny | InOne | By, view: View) -> list[Event]:
    """The events that may open a window, a bucket or a key."""
    names = names_of(node.body)
    return [event for event in view.seen() if event.name in names or opened_by_any(node)]


def came_true(node: Satisfied, view: View) -> Mark | None:
    """Where a derived event stands, if it lies in the view."""
    from rewardkit.language.explaining.checker.outlook import decision

    assert node.body is not None
    found = decision(node.body, view.outermost())
    if found is None or not found[0]:
        return None
    place = found[1]
    inside = view.low < place <= view.high and not (view.end is not None and place[0] >= view.end)
    return place if inside else None


def streaks(node: Streak, view: View, now: Instant) -> bool:
    """Whether so many buckets in a row are good, but for those that may be skipped."""
    assert isinstance(node.span, Calendar)
    unit, zone = node.span.unit, view.zone

    def good(first: date) -> bool:
        start, end = civil.bucket_of(first, unit, zone)
        return true(node.body, view.since(tick(start), start).until(end), now)

    dates = {civil.bucket_date(civil.local_date(event.at, zone), unit) for event in view.seen()}
    for first in dates:
        marks = [good(first)]
        while len(marks) < node.span.count:
            first = civil.next_bucket(first, unit, zone)  # noqa: PLW2901 - the run goes on from its first bucket
            marks.append(first in dates and good(first))
        if marks[0] and marks[-1] and marks.count(False) <= node.skip:
            return True
    return False


def _counted(node: Node) -> list[Match]:
    match node:
        case AtLeast() | Between():
            return list(node.matches)
        case Comparison():
            return wanted_by(node)
        case Streak():
            return _counted(node.body)
        case Or():
            return [one for term in node.terms for one in _counted(term)]
        case _:
            raise TypeError(f"`{type(node).__name__}` counts nothing")


def _key(node: By, event: Event) -> tuple[type, object] | None:
    value = exact(look_up(node.field, event.properties))
    return None if value is None else (type(value), value)


def _floored(view: View, floor: Mark) -> View:
    floor = max(floor, view.floor)
    return attrs.evolve(view, low=max(floor, view.low), floor=floor)


def _everything(view: View) -> View:
    return attrs.evolve(view, low=view.floor, anchor=None, base=(FIRST, None))
