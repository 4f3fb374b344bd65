"""The cheapest way on: what still has to happen before a condition holds, read off the specification's scopes."""

from __future__ import annotations

import attrs

from rewardkit.errors import InvariantError
from rewardkit.language import tree
from rewardkit.language.descent import descend, matches
from rewardkit.language.event import Instant
from rewardkit.language.explaining.need import WAIT, Need, Way, cheapest, cheapest_of, events_needed, together
from rewardkit.language.explaining.refutation import written
from rewardkit.language.explaining.shortfall import comparison_way, streak_way
from rewardkit.language.reasons.evidence import selector
from rewardkit.language.specification import Scope, ends, holds, inner_scopes, matching, settled, split
from rewardkit.language.specification.aggregate import typed
from rewardkit.language.specification.holding import absence, beyond, derived, hand_overs
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.literal import write_span
from rewardkit.language.values.filter import kind_of, look_up

_AFTER_EVENTS = 2
_MANY = tree.InAny | tree.InOne | tree.By


def closed(scope: Scope, now: Instant) -> bool:
    """Whether no further event can lie in a scope."""
    return scope.end is not None and now >= scope.end


def way_on(node: tree.Node, scope: Scope, now: Instant) -> Way:
    """What makes a condition hold, at the least cost; an event at the very instant may still come."""
    match node:
        case tree.AtLeast(matches=wanted, least=least):
            more = least - len(matching(wanted, scope.inside()))
            if more <= 0:
                return ()
            return None if closed(scope, now) else (events_needed(more, wanted, selector(wanted), scope.end),)
        case tree.Between(matches=wanted, least=least, most=most):
            more = least - len(matching(wanted, scope.inside()))
            if more <= 0:
                return () if more >= least - most else None
            return None if closed(scope, now) else (events_needed(more, wanted, selector(wanted), scope.end),)
        case tree.Comparison():
            if holds(node, scope, now):
                return ()
            return None if closed(scope, now) else comparison_way(node, scope, now)
        case tree.And(terms=terms):
            return together([way_on(term, scope, now) for term in terms])
        case tree.Or(terms=terms):
            return cheapest([way_on(term, scope, now) for term in terms])
        case tree.Some(least=least, terms=terms):
            return cheapest_of(least, [way_on(term, scope, now) for term in terms])
        case tree.Not(body=body):
            return _way_off(body, scope, now)
        case tree.Over(span=span):
            return _way_over(node, scope, now, scope.close(span))
        case tree.No():
            return way_on(absence(node), scope, now)
        case tree.Then():
            return _way_through(node, scope, now)
        case tree.Streak():
            return () if holds(node, scope, now) else streak_way(node, scope, now)
        case tree.Satisfied(body=body):
            if derived(node, scope) is not None:
                return ()
            if body is None or closed(scope, now) or settled(node, scope, now) is False:
                return None
            return way_on(body, scope.whole()._replace(end=scope.end), now)
        case tree.Named():
            raise InvariantError(f"the condition `@{node.name}` was never put in: please report it")
        case _:
            return _way_inside(node, scope, now)


def way_to_end(node: tree.Node, scope: Scope, now: Instant) -> Way:
    """What completes a condition once more, so that a next step begins after now."""
    match node:
        case tree.AtLeast() | tree.Between() | tree.Comparison() | tree.Streak():
            way = way_on(node, scope, now)
            return way if way != () else _once_more(node, scope, now)
        case tree.Or(terms=terms):
            return cheapest([way_to_end(term, scope, now) for term in terms])
        case tree.And(terms=terms) | tree.Some(terms=terms):
            way = way_on(node, scope, now)
            return way if way != () else cheapest([way_to_end(term, scope, now) for term in terms])
        case tree.Not():
            return None
        case tree.Over(span=span):
            return None if now >= scope.close(span) else way_on(node, scope, now)
        case tree.No():
            return way_to_end(absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            begun = hand_overs(ends(first, scope, now), last)
            ways = [way_to_end(last, scope.following(*end), now) for end in begun]
            return cheapest([*ways, _chained(way_to_end(first, scope, now), afresh(last, scope, now, to_end=True))])
        case tree.Satisfied():
            return None if derived(node, scope) is not None else way_on(node, scope, now)
        case tree.Named():
            raise InvariantError(f"the condition `@{node.name}` was never put in: please report it")
        case _:
            ways = [way_to_end(node.body, inner, now) for inner in inner_scopes(node, scope, now)]
            return cheapest([*ways, _another(node, scope, now, to_end=True)])


def afresh(node: tree.Node, scope: Scope, now: Instant, *, to_end: bool = False) -> Way:
    """What a condition needs in a scope that has yet to begin; of deadlines, the scope's own is known alone."""
    if closed(scope, now):
        return None
    later = scope.following((now, _AFTER_EVENTS, 0, ""), now)
    way = (way_to_end if to_end else way_on)(node, later, now)
    if way is None:
        return None
    return tuple(attrs.evolve(need, by=scope.end if need.by == scope.end else None, until=None) for need in way)


def _way_off(body: tree.Node, scope: Scope, now: Instant) -> Way:
    """What makes a condition stop holding, which is seldom more than nothing."""
    if not holds(body, scope, now):
        return ()
    if isinstance(body, tree.Not):
        return way_on(body.body, scope, now)
    if settled(body, scope, now) is True:
        return None
    match body:
        case tree.And(terms=terms):
            return cheapest([_way_off(term, scope, now) for term in terms])
        case tree.Or(terms=terms):
            return together([_way_off(term, scope, now) for term in terms])
        case tree.Between(matches=wanted, most=most):
            more = most + 1 - len(matching(wanted, scope.inside()))
            return None if closed(scope, now) else (events_needed(more, wanted, selector(wanted), scope.end),)
        case tree.Comparison() if not closed(scope, now):
            return comparison_way(tree.Comparison(body.left, _OPPOSITE[body.operator], body.right), scope, now)
        case tree.AtLeast() | tree.Then() | tree.Streak() | tree.Over() | tree.No():
            return None
        case _:
            return (Need((), 0, WAIT, f"an end of `{format_condition(body)}`"),)


_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _way_over(node: tree.Over, scope: Scope, now: Instant, close: Instant) -> Way:
    if now >= close:
        return () if holds(node, scope, now) else None
    if beyond(close, scope):
        return None
    window = scope.window(close)
    if settled(node.body, window, now) is False:
        return None
    body = way_on(node.body, window, now)
    if body is None:
        return None
    return (*body, Need((), 0, WAIT, _awaited(node, window), until=close, span=node.span))


def _awaited(node: tree.Over, window: Scope) -> str:
    """What has to stay so until the close."""
    if isinstance(node.body, tree.Not) and isinstance(node.body.body, tree.AtLeast):
        wanted = node.body.body
        few = wanted.least - 1 - len(matching(wanted.matches, window.inside()))
        return f"{'no' if few <= 0 else f'at most {few}'} {selector(wanted.matches)}"
    return f"`{format_condition(node.body)}` judged"


def _way_through(node: tree.Then, scope: Scope, now: Instant) -> Way:
    first, last = split(node)
    begun = hand_overs(ends(first, scope, now), last)
    ways = [way_on(last, scope.following(*end), now) for end in reversed(begun)]
    if () in ways:
        return ()
    return cheapest([*ways, _chained(way_to_end(first, scope, now), afresh(last, scope, now))])


def _chained(first: Way, last: Way) -> Way:
    if first is None or last is None:
        return None
    return (*first, *(attrs.evolve(need, later=True) for need in last))


def _once_more(node: tree.Node, scope: Scope, now: Instant) -> Way:
    """One more event where a count, a comparison or a streak holds already."""
    if closed(scope, now):
        return None
    wanted = tuple(dict.fromkeys(found for part in descend(node) for found in matches(part)))
    if isinstance(node, tree.Between) and len(matching(wanted, scope.inside())) >= node.most:
        return None
    return (events_needed(1, wanted, selector(wanted), scope.end),)


def _way_inside(node: tree.Node, scope: Scope, now: Instant) -> Way:
    assert isinstance(node, tree.Within | _MANY | tree.InLast | tree.Before | tree.Since | tree.Ever)
    inner = list(inner_scopes(node, scope, now))
    if isinstance(node, tree.Ever):
        inner = [one._replace(end=one.outermost_end) for one in inner]
    if isinstance(node, tree.Since) and scope.end is not None and scope.instant(node.instant) >= scope.end:
        return () if holds(node, scope, now) else None
    ways = [way_on(node.body, one, now) for one in reversed(inner)]
    if isinstance(node, tree.InLast) and ways[0]:
        # Its windows move on with time: none of their ends is a deadline.
        return tuple(attrs.evolve(need, by=scope.end, until=None) for need in ways[0])
    if isinstance(node, tree.By):
        ways = [_of_key(node, one, way) for one, way in zip(reversed(inner), ways, strict=True)]
    return () if () in ways else cheapest([*ways, _another(node, scope, now)])


def _of_key(node: tree.By, inner: Scope, way: Way) -> Way:
    """The events have to carry the key of those that are there."""
    held = (look_up(node.field, event.properties) for event in inner.events)
    value = next((one for one in held if kind_of(one) != "none"), "")
    shown = written(typed(value)[1])
    return None if way is None else tuple(attrs.evolve(n, what=f"{n.what} with `{node.field}` {shown}") for n in way)


def _another(node: tree.Node, scope: Scope, now: Instant, *, to_end: bool = False) -> Way:
    """What a window, a bucket or a key needs that no event has opened yet."""
    match node:
        case tree.InAny(body=body, span=span):
            empty = scope if closed(scope, now) else scope.window(scope.ending(span, now))
            where = f" in {write_span(span)}"
        case tree.InOne(body=body, unit=unit):
            empty, where = scope, f" in one {unit}"
        case tree.By(body=body, field=field):
            empty, where = scope.keeping(()), f" of one `{field}`"
        case _:
            return None
    way = afresh(body, empty, now, to_end=to_end)
    if way is None:
        return None
    # What waits alone has to be opened by an event all the same.
    opener = () if any(need.matches for need in way) else (events_needed(1, (), "event", scope.end),)
    return (*opener, *(attrs.evolve(need, what=need.what + where, by=scope.end) for need in way))
