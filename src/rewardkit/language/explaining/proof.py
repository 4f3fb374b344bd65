"""Proofs over the specification: which events, and which absences, make a condition hold, or be completed."""

from __future__ import annotations

from typing import TypeAlias

from rewardkit.errors import InvariantError
from rewardkit.language import civil, tree
from rewardkit.language.event import Event, Instant
from rewardkit.language.explaining.refutation import absent, refute, values
from rewardkit.language.positive import positive_part
from rewardkit.language.reasons.evidence import Fact, once
from rewardkit.language.specification import Place, Scope, ends, holds, inner_scopes, matching, place, split
from rewardkit.language.specification.aggregate import compared
from rewardkit.language.specification.holding import Scoped, derived, heard

End: TypeAlias = tuple[Place, Instant]


def prove(node: tree.Node, scope: Scope, now: Instant) -> list[Fact]:
    """Facts that make a condition hold, which does hold."""
    match node:
        case tree.AtLeast(matches=wanted, least=least):
            return [*matching(wanted, scope.inside())[:least]]
        case tree.Between(matches=wanted, least=least, most=most):
            few = absent(wanted, most + 1, scope, now)
            return [*matching(wanted, scope.inside())[: max(least, 0)], few]
        case tree.Comparison():
            return [*matching(compared(node), scope.inside()), *values(node, scope, now)]
        case tree.And(terms=terms):
            return [fact for term in terms for fact in prove(term, scope, now)]
        case tree.Or(terms=terms):
            return _prove_some(1, terms, scope, now)
        case tree.Some(least=least, terms=terms):
            return _prove_some(least, terms, scope, now)
        case tree.Not(body=body):
            return refute(body, scope, now)
        case tree.Over(body=body, span=span):
            close = scope.close(span)
            return prove(body, scope.window(close), close)
        case tree.No(body=body, span=span):
            close = scope.close(span)
            return refute(body, scope.window(close), close)
        case tree.Then():
            first, last = split(node)
            # The latest hand-over is found soonest, and tells the story best.
            for end in reversed(ends(first, scope, now)):
                after = scope.following(*end)
                if holds(last, after, now):
                    return [*complete(first, scope, end), *prove(last, after, now)]
        case tree.Streak():
            return [*_run(node, scope, now)]
        case tree.Satisfied(body=body):
            where = derived(node, scope)
            if where is not None and body is not None:
                whole = scope.whole()
                return prove(body, whole._replace(until=where, reading=where), where[0])
        case tree.Named():
            pass
        case _:
            for inner in inner_scopes(node, scope, now):
                if holds(node.body, inner, now):
                    return _opened(node, scope, inner, prove(node.body, inner, now))
    raise _lost()


def complete(node: tree.Node, scope: Scope, end: End) -> list[Fact]:
    """Facts that complete a condition at one of its ends."""
    where, at = end
    match node:
        case tree.AtLeast(matches=wanted, least=least):
            found = matching(wanted, scope.cut(where).inside())
            return [*found[: least - 1], found[-1]]
        case tree.Between() | tree.Comparison() | tree.Streak():
            ending = next(event for event in scope.events if place(event) == where)
            return once([*prove(node, scope.cut(where), at), ending])
        case tree.And(terms=terms) | tree.Or(terms=terms) | tree.Some(terms=terms):
            return _complete_among(node, terms, scope, end)
        case tree.Over() | tree.No() | tree.Satisfied():
            return prove(node, scope, at)
        case tree.Then():
            first, last = split(node)
            for begun in reversed(ends(first, scope, at)):
                after = scope.following(*begun)
                if end in ends(last, after, at):
                    return [*complete(first, scope, begun), *complete(last, after, end)]
        case tree.Not() | tree.Named():
            pass
        case _:
            for inner in inner_scopes(node, scope, at):
                if end in ends(node.body, inner, at):
                    return _opened(node, scope, inner, complete(node.body, inner, end))
    raise _lost()


def _prove_some(least: int, terms: tuple[tree.Node, ...], scope: Scope, now: Instant) -> list[Fact]:
    held = [prove(term, scope, now) for term in terms if holds(term, scope, now)]
    # Of several, those that need the fewest events are the easiest to follow.
    chosen = sorted(range(len(held)), key=lambda place: (_events(held[place]), place))[:least]
    return [fact for place in sorted(chosen) for fact in held[place]]


def _complete_among(node: tree.Node, terms: tuple[tree.Node, ...], scope: Scope, end: End) -> list[Fact]:
    where, at = end
    if isinstance(node, tree.Or):
        return complete(next(term for term in terms if end in ends(term, scope, at)), scope, end)
    cut = scope.cut(where)
    ending = next(term for term in terms if end in ends(term, scope, at))
    least = len(terms) if isinstance(node, tree.And) else node.least if isinstance(node, tree.Some) else 1
    facts = complete(ending, scope, end)
    held = [term for term in terms if holds(term, cut, at)]
    # What completes at a place need not hold there on its own: at a close it is read on what came before.
    others = [term for term in held if term is not ending][: least - (ending in held)]
    return [*(fact for term in others for fact in prove(term, cut, at)), *facts]


def _run(node: tree.Streak, scope: Scope, now: Instant) -> list[Event]:
    """The events of the latest run of buckets that makes a streak."""
    assert isinstance(node.span, tree.Calendar)
    unit, zone = node.span.unit, scope.zone
    dates = sorted({civil.bucket_date(civil.local_date(event.at, zone), unit) for event in scope.inside()})
    inside = {first: scope.bucket(*civil.bucket_of(first, unit, zone)) for first in dates}
    good = [first for first in dates if holds(node.body, inside[first], now)]
    for first in reversed(good):
        run = [first]
        while len(run) < node.span.count:
            run.append(civil.next_bucket(run[-1], unit, zone))
        missed = [day for day in run if day not in good]
        if run[-1] in good and len(missed) <= node.skip:
            facts = [fact for day in run if day in good for fact in prove(node.body, inside[day], now)]
            return [fact for fact in facts if isinstance(fact, Event)]
    raise _lost()


def _opened(node: Scoped, scope: Scope, inner: Scope, facts: list[Fact]) -> list[Fact]:
    """A window, a bucket or a key is there because of an event."""
    if not isinstance(node, tree.InAny | tree.InOne | tree.By):
        return facts
    if isinstance(node, tree.InAny):
        opening = next(event for event in heard(node, scope) if scope.opened(event, node.span) == inner)
        return facts if opening in facts else [opening, *facts]
    inside = [event for event in heard(node, scope) if event in inner.inside()]
    return facts if any(event in facts for event in inside) else [*inside[:1], *facts]


def _events(facts: list[Fact]) -> int:
    return len({fact.id for fact in facts if isinstance(fact, Event)})


def _lost() -> InvariantError:
    return InvariantError("no proof was found for a verdict: please report the condition and its events")


def minimal(node: tree.Node, scope: Scope, now: Instant, facts: list[Fact]) -> list[Fact]:
    """Facts without the events that a positive condition holds without: the latest ones go first."""
    if positive_part(node) != node:
        return facts
    kept = [fact for fact in facts if isinstance(fact, Event)]
    for event in sorted(kept, key=place, reverse=True):
        fewer = [other for other in kept if other is not event]
        if holds(node, scope.keeping(tuple(sorted(fewer, key=place))), now):
            kept = fewer
    return [fact for fact in facts if not isinstance(fact, Event) or any(fact is event for event in kept)]
