"""How far each part of a condition is: what it has, what it needs, and how long it may take."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import attrs

from rewardkit.language import tree
from rewardkit.language.event import Instant
from rewardkit.language.explaining.continuation import way_on
from rewardkit.language.explaining.need import cost
from rewardkit.language.explaining.shortfall import streak_way
from rewardkit.language.specification import Place, Scope, ends, holds, inner_scopes, matching, split
from rewardkit.language.specification.aggregate import comparison_gap
from rewardkit.language.specification.holding import absence, derived
from rewardkit.language.specification.scope import BEFORE_ALL
from rewardkit.language.syntax.format import format_condition

_AFTER_EVENTS = 2


@attrs.frozen
class Leaf:
    """A count, a comparison, a streak or a derived event."""

    text: str
    have: Fraction
    need: Fraction
    """What it takes; below a guard, what must not be reached."""
    done: bool
    """Whether it is as the condition wants it, now."""
    until: Instant | None = None
    """The first instant that is too late; None where there is none, or it is not known yet."""
    guard: bool = False
    """Whether it must not happen."""
    begun: bool = True
    """Whether it counts already; a later step does not."""
    matches: tuple[tree.Match, ...] = ()
    """Of a count, the events."""
    after: Place = BEFORE_ALL
    """Of a count, the place after which it begins."""
    upto: Place = BEFORE_ALL
    """Of a count, the last place that is part of it."""


def leaves(node: tree.Node, scope: Scope, now: Instant, *, guard: bool = False, begun: bool = True) -> Iterator[Leaf]:
    """The leaves of a condition in the order of the text, each where it is the furthest."""
    match node:
        case tree.And(terms=terms) | tree.Or(terms=terms) | tree.Some(terms=terms):
            for term in terms:
                yield from leaves(term, scope, now, guard=guard, begun=begun)
        case tree.Not(body=body):
            yield from leaves(body, scope, now, guard=not guard, begun=begun)
        case tree.Over(body=body, span=span):
            yield from leaves(body, scope.window(scope.close(span)), now, guard=guard, begun=begun)
        case tree.No():
            yield from leaves(absence(node), scope, now, guard=guard, begun=begun)
        case tree.Then():
            yield from _steps(node, scope, now, guard=guard, begun=begun)
        case tree.AtLeast() | tree.Between() | tree.Comparison() | tree.Streak() | tree.Satisfied() | tree.Named():
            have, need = _amounts(node, scope, now)
            done = holds(node, scope, now) != guard
            matches = node.matches if isinstance(node, tree.AtLeast) else ()
            until = scope.end if begun else None
            text = format_condition(node)
            yield Leaf(text, have, need, done, until, guard, begun, matches, scope.after, scope.until)
        case _:
            inner, opened = _nearest(node, scope, now)
            yield from leaves(node.body, inner, now, guard=guard, begun=begun and opened)


def _steps(node: tree.Then, scope: Scope, now: Instant, *, guard: bool, begun: bool) -> Iterator[Leaf]:
    first, last = split(node)
    completed = ends(first, scope, now)
    if not completed:
        yield from leaves(first, scope, now, guard=guard, begun=begun)
        yield from leaves(last, _later(scope, now), now, guard=guard, begun=False)
        return
    where, at = min(reversed(completed), key=lambda end: _distance(last, scope.following(*end), now))
    yield from leaves(first, scope.cut(where), at, guard=guard, begun=begun)
    yield from leaves(last, scope.following(where, at), now, guard=guard, begun=begun)


def _nearest(node: tree.Node, scope: Scope, now: Instant) -> tuple[Scope, bool]:
    """Of the scopes of a body the one with the least to go, and whether there is any."""
    assert isinstance(
        node, tree.Within | tree.InAny | tree.InLast | tree.InOne | tree.Before | tree.Since | tree.By | tree.Ever
    )
    inner = list(inner_scopes(node, scope, now))
    if inner:
        return min(reversed(inner), key=lambda one: _distance(node.body, one, now)), True
    return _later(scope, now), False


def _later(scope: Scope, now: Instant) -> Scope:
    return scope.following((now, _AFTER_EVENTS, 0, ""), now)


def _distance(node: tree.Node, scope: Scope, now: Instant) -> tuple[bool, Fraction]:
    way = way_on(node, scope, now)
    return way is None, cost(way or ())


def _amounts(node: tree.Node, scope: Scope, now: Instant) -> tuple[Fraction, Fraction]:
    match node:
        case tree.AtLeast(matches=wanted, least=least):
            return Fraction(min(least, len(matching(wanted, scope.inside())))), Fraction(least)
        case tree.Between(matches=wanted, least=least):
            return Fraction(len(matching(wanted, scope.inside()))), Fraction(least)
        case tree.Comparison(right=right) if not isinstance(right, str):
            gap, needed = comparison_gap(node, scope.inside(), scope.zone), _plain(right)
            if gap is not None and needed is not None:
                return gap + needed, needed
            return Fraction(holds(node, scope, now)), Fraction(1)
        case tree.Streak(span=tree.Calendar(count=count)):
            if holds(node, scope, now):
                return Fraction(count), Fraction(count)
            buckets = len(streak_way(node, scope, now) or ())
            return Fraction(count - min(buckets, count)), Fraction(count)
        case tree.Satisfied():
            return Fraction(derived(node, scope) is not None), Fraction(1)
        case _:
            return Fraction(0), Fraction(1)


def _plain(terms: tuple[tree.Term, ...]) -> Fraction | None:
    """The number that a comparison compares with, where it is one."""
    if any(term.aggregate is not None for term in terms):
        return None
    return sum((Fraction(term.factor) for term in terms), Fraction(0))
