"""Proofs over the specification: which events, and which absences, make a condition hold, or not hold."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from rewardkit.errors import InvariantError
from rewardkit.language import tree
from rewardkit.language.event import Event, Instant
from rewardkit.language.format import format_condition
from rewardkit.language.missing import described
from rewardkit.language.specification import Place, Scope, ends, holds, matching, split


class Absence(NamedTuple):
    """Events that did not happen, or not often enough."""

    what: str
    fewer_than: int
    since: Instant | None
    """The start of the stretch; None where the scope has none."""
    until: Instant | None
    """Its end; None for the reading itself."""


Fact: TypeAlias = Event | Absence
End: TypeAlias = tuple[Place, Instant]


def prove(node: tree.Node, scope: Scope, now: Instant) -> list[Fact]:
    """Facts that make a condition hold, which does hold."""
    match node:
        case tree.AtLeast(matches=wanted, least=least):
            return [*matching(wanted, scope.inside())[:least]]
        case tree.And(terms=terms):
            return [fact for term in terms for fact in prove(term, scope, now)]
        case tree.Or(terms=terms):
            return _prove_some(1, terms, scope, now)
        case tree.Some(least=least, terms=terms):
            return _prove_some(least, terms, scope, now)
        case tree.Not(body=body):
            return refute(body, scope, now)
        case tree.Within(body=body, span=span):
            return prove(body, scope.window(scope.close(span)), now)
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
        case tree.Ever(body=body):
            return prove(body, scope.widened(), now)
    raise _lost()


def complete(node: tree.Node, scope: Scope, end: End) -> list[Fact]:
    """Facts that complete a condition at one of its ends."""
    where, at = end
    match node:
        case tree.AtLeast(matches=wanted, least=least):
            found = matching(wanted, scope.cut(where).inside())
            return [*found[: least - 1], found[-1]]
        case tree.And(terms=terms) | tree.Or(terms=terms) | tree.Some(terms=terms):
            return _complete_among(node, terms, scope, end)
        case tree.Within(body=body, span=span):
            return complete(body, scope.window(scope.close(span)), end)
        case tree.Over() | tree.No():
            return prove(node, scope, at)
        case tree.Then():
            first, last = split(node)
            for begun in reversed(ends(first, scope, at)):
                after = scope.following(*begun)
                if end in ends(last, after, at):
                    return [*complete(first, scope, begun), *complete(last, after, end)]
        case tree.Ever(body=body):
            return complete(body, scope.widened(), end)
    raise _lost()


def refute(node: tree.Node, scope: Scope, now: Instant) -> list[Fact]:
    """Facts that keep a condition from holding, which does not hold."""
    match node:
        case tree.AtLeast(matches=found, least=least):
            # What did happen of it proves nothing; the stretch ends with the scope's cut.
            what = " or ".join(described(match) for match in found)
            until = scope.until[0] if scope.until[1] == 0 and scope.until[0] <= now else None
            return [Absence(what, least, scope.anchor, until)]
        case tree.And(terms=terms):
            return _refute_some(1, terms, scope, now)
        case tree.Or(terms=terms):
            return _refute_some(len(terms), terms, scope, now)
        case tree.Some(least=least, terms=terms):
            return _refute_some(len(terms) - least + 1, terms, scope, now)
        case tree.Not(body=body):
            return prove(body, scope, now)
        case tree.Within(body=body, span=span):
            return refute(body, scope.window(scope.close(span)), now)
        case tree.Over(body=body, span=span):
            return _refute_close(body, span, scope, now)
        case tree.No(body=body, span=span):
            return _refute_close(tree.Not(body), span, scope, now)
        case tree.Then():
            first, last = split(node)
            begun = ends(first, scope, now)
            if not begun:
                return [Absence(format_condition(first), 1, scope.anchor, None)]
            return [fact for end in begun for fact in refute(last, scope.following(*end), now)]
        case tree.Ever(body=body):
            return refute(body, scope.widened(), now)
    raise _lost()


def _refute_close(body: tree.Node, span: tree.Span, scope: Scope, now: Instant) -> list[Fact]:
    close = scope.close(span)
    if now < close or (scope.end is not None and close > scope.end):
        return []
    return refute(body, scope.window(close), close)


def _prove_some(least: int, terms: tuple[tree.Node, ...], scope: Scope, now: Instant) -> list[Fact]:
    held = [term for term in terms if holds(term, scope, now)][:least]
    return [fact for term in held for fact in prove(term, scope, now)]


def _refute_some(least: int, terms: tuple[tree.Node, ...], scope: Scope, now: Instant) -> list[Fact]:
    failed = [term for term in terms if not holds(term, scope, now)][:least]
    return [fact for term in failed for fact in refute(term, scope, now)]


def _complete_among(node: tree.Node, terms: tuple[tree.Node, ...], scope: Scope, end: End) -> list[Fact]:
    where, at = end
    cut = scope.cut(where)
    ending = next(term for term in terms if end in ends(term, cut, at))
    facts = complete(ending, cut, end)
    if isinstance(node, tree.Or):
        return facts
    least = len(terms) if isinstance(node, tree.And) else node.least if isinstance(node, tree.Some) else 1
    others = [term for term in terms if term is not ending and holds(term, cut, at)][: least - 1]
    return [*(fact for term in others for fact in prove(term, cut, at)), *facts]


def _lost() -> InvariantError:
    return InvariantError("no proof was found for a verdict: please report the condition and its events")
