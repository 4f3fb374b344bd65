"""What a condition may still become by the local rule, and when that was first known, said a second time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

import attrs

from rewardkit.language import civil
from rewardkit.language.descent import children, descend
from rewardkit.language.event import LATEST, Instant
from rewardkit.language.explaining.checker.amount import chosen, gap
from rewardkit.language.explaining.checker.meaning import came_true, completions, hand_overs, opened, true
from rewardkit.language.explaining.checker.view import FIRST, Mark, View, mark, tick
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
    No,
    Node,
    Not,
    Or,
    Over,
    Satisfied,
    Some,
    Streak,
    Term,
    Then,
)


class Outlook(NamedTuple):
    """From now on."""

    may_hold: bool
    may_fail: bool


OPEN = Outlook(may_hold=True, may_fail=True)
ALWAYS = Outlook(may_hold=True, may_fail=False)
NEVER = Outlook(may_hold=False, may_fail=True)


def outlook(node: Node, view: View, now: Instant) -> Outlook:
    """What a condition may still be, as far as each part tells by itself."""
    if view.over(now) and not _moving(node):
        return ALWAYS if true(node, view, now) else NEVER
    match node:
        case AtLeast() | Streak():
            return ALWAYS if true(node, view, now) else OPEN
        case Between():
            return NEVER if len(chosen(node.matches, view.seen())) > node.most else OPEN
        case Comparison():
            return _of_comparison(node, view)
        case And(terms=terms) | Or(terms=terms) | Some(terms=terms):
            least = node.least if isinstance(node, Some) else len(terms) if isinstance(node, And) else 1
            each = [outlook(term, view, now) for term in terms]
            return Outlook(sum(one.may_hold for one in each) >= least, sum(not one.may_fail for one in each) < least)
        case Not():
            inside = outlook(node.body, view, now)
            return Outlook(inside.may_fail, inside.may_hold)
        case Over() | No():
            return _of_close(node, view, now)
        case Then():
            after = [outlook(node.steps[-1], one, now) for one in hand_overs(node, view, now)]
            if any(not one.may_fail for one in after):
                return ALWAYS
            before = node.steps[0] if len(node.steps) == 2 else Then(node.steps[:-1])
            return OPEN if any(one.may_hold for one in after) or again(before, view, now) else NEVER
        case Satisfied():
            assert node.body is not None
            if came_true(node, view) is not None:
                return ALWAYS
            return OPEN if decision(node.body, view.outermost()) is None else NEVER
        case InLast():
            return OPEN
        case _:
            each = [outlook(body, _unended(node, inner), now) for body, inner in opened(node, view, now)]
            if any(not one.may_fail for one in each):
                return ALWAYS
            return OPEN if isinstance(node, InAny | InOne | By) else each[0]


def again(node: Node, view: View, now: Instant) -> bool:
    """Whether a condition may be completed after now."""
    if view.over(now) and not _moving(node):
        return False
    match node:
        case AtLeast() | Streak() | InLast() | InAny() | InOne() | By():
            return True
        case Between() | Comparison():
            return outlook(node, view, now).may_hold
        case Not():
            return False
        case And(terms=terms) | Or(terms=terms) | Some(terms=terms):
            return outlook(node, view, now).may_hold and any(again(term, view, now) for term in terms)
        case Over() | No():
            return now < view.far(node.span, view.anchor) and outlook(node, view, now).may_hold
        case Then():
            before = node.steps[0] if len(node.steps) == 2 else Then(node.steps[:-1])
            after = [view.since(place, at) for place, at in completions(before, view, now)]
            return again(before, view, now) or any(again(node.steps[-1], one, now) for one in after)
        case Satisfied():
            assert node.body is not None
            return came_true(node, view) is None and decision(node.body, view.outermost()) is None
        case _:
            return any(again(body, _unended(node, inner), now) for body, inner in opened(node, view, now))


def decision(node: Node, view: View) -> tuple[bool, Mark] | None:
    """What an outermost condition came to by the view's reading, and where."""
    begin = 0 if view.anchor is None else view.anchor
    opening = max(FIRST if view.anchor is None else view.low, tick(begin))
    marks = {mark(event) for event in view.seen()}
    marks |= {tick(at) for at in moments(node, view) if begin < at}
    for place in [opening, *sorted(marks - {opening})]:
        if place > view.high:
            continue
        then = attrs.evolve(view, high=place, reading=place)
        if true(node, then, place[0]):
            return True, place
        if not outlook(node, then, place[0]).may_hold:
            return False, place
    return None


def moments(node: Node, view: View) -> set[Instant]:
    """Instants at which time alone may change something, and others: all sums of an instant and spans in turn."""
    found = {event.at for event in view.known} | ({view.anchor} if view.anchor is not None else set())
    spans = [part.span for part in descend(node) if hasattr(part, "span") and not isinstance(part, Streak)]
    for part in descend(node):
        if isinstance(part, InOne):
            found |= {edge for at in set(found) for edge in civil.bucket(at, part.unit, view.zone)}
        elif isinstance(part, Before):
            found.add(civil.instant_of(part.instant, view.zone))
    for span in spans:
        found |= {end for at in set(found) if (end := view.far(span, at)) <= LATEST}
    if any(isinstance(part, InLast) for part in descend(node)):
        found |= _leaving(spans, set(found), view.zone)
    return found


def _leaving(spans: Iterable[object], happened: set[Instant], zone: str) -> set[Instant]:
    """When events leave a window that ends now; a calendar's moves at midnight."""
    lengths = [span.microseconds for span in spans if hasattr(span, "microseconds")]
    found = {at - length + 1 for at in happened for length in lengths} | {at + 1 for at in happened}
    if any(isinstance(span, Calendar) for span in spans):
        for at in happened:
            day = civil.local_date(at, zone)
            found |= {civil.first_instant(day + timedelta(days=days), zone) for days in range(-3, 4)}
    return {at for at in found if at >= 0}


def _unended(node: Node, view: View) -> View:
    """No window around `ever` ends what may still happen under it."""
    return attrs.evolve(view, end=view.base_end) if isinstance(node, Ever) else view


def _moving(node: Node) -> bool:
    if isinstance(node, Satisfied):
        return False
    return isinstance(node, InLast) or any(map(_moving, children(node)))


def _of_close(node: Over | No, view: View, now: Instant) -> Outlook:
    close = view.far(node.span, view.anchor)
    if view.end is not None and view.end < close:
        return NEVER
    if now >= close:
        return ALWAYS if true(node, view, now) else NEVER
    inside = outlook(node.body, view.until(close), now)
    possible = inside.may_hold if isinstance(node, Over) else inside.may_fail
    return OPEN if possible else NEVER


def _of_comparison(node: Comparison, view: View) -> Outlook:
    difference = gap(node, view.seen(), view.zone)
    if difference is None or isinstance(node.right, str):
        return OPEN
    moves = [_movement(term, 1) for term in node.left] + [_movement(term, -1) for term in node.right]
    rises, falls = any(up for up, _ in moves), any(down for _, down in moves)
    # The difference may still be any of these: less than nothing, nothing, more than nothing.
    less = difference < 0 or falls
    more = difference > 0 or rises
    none = difference == 0 or (falls if difference > 0 else rises)
    cases = {
        ">": (more, less or none), ">=": (more or none, less), "<": (less, more or none), "<=": (less or none, more),
        "==": (none, less or more), "!=": (less or more, none),
    }  # fmt: skip
    return Outlook(*cases[node.operator])


def _movement(term: Term, sign: int) -> tuple[bool, bool]:
    """Whether a term can still make the difference larger, and smaller."""
    if term.aggregate is None or term.factor == 0 or term.aggregate.function == "first":
        return False, False
    up, down = {
        "count": (True, False), "distinct": (True, False), "days": (True, False), "max": (True, False),
        "min": (False, True),
    }.get(term.aggregate.function, (True, True))  # fmt: skip
    return (up, down) if sign * term.factor > 0 else (down, up)
