"""Refutations over the specification: which absences, and which events, keep a condition from holding."""

from __future__ import annotations

from fractions import Fraction

from rewardkit.errors import InvariantError
from rewardkit.language import tree
from rewardkit.language.event import Instant
from rewardkit.language.reasons.evidence import Absence, Fact, Value, selector
from rewardkit.language.specification import Scope, ends, holds, inner_scopes, matching, split
from rewardkit.language.specification.aggregate import Value as Amount
from rewardkit.language.specification.aggregate import aggregate, compared
from rewardkit.language.specification.holding import absence, beyond
from rewardkit.language.syntax.format import format_condition


def refute(node: tree.Node, scope: Scope, now: Instant) -> list[Fact]:
    """Facts that keep a condition from holding, which does not hold."""
    match node:
        case tree.AtLeast(matches=found, least=least):
            # What did happen of it proves nothing.
            return [absent(found, least, scope, now)]
        case tree.Between(matches=found, least=least, most=most):
            happened = matching(found, scope.inside())
            if len(happened) > most:
                return [*happened[: most + 1]]
            return [absent(found, least, scope, now)]
        case tree.Comparison():
            return [*matching(compared(node), scope.inside()), *values(node, scope, now)]
        case tree.And(terms=terms):
            return _refute_some(1, terms, scope, now)
        case tree.Or(terms=terms):
            return _refute_some(len(terms), terms, scope, now)
        case tree.Some(least=least, terms=terms):
            return _refute_some(len(terms) - least + 1, terms, scope, now)
        case tree.Not(body=body):
            from rewardkit.language.explaining.proof import prove

            return prove(body, scope, now)
        case tree.Over(body=body, span=span):
            close = scope.close(span)
            if now < close or beyond(close, scope):
                return []
            return refute(body, scope.window(close), close)
        case tree.No():
            return refute(absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            begun = ends(first, scope, now)
            if not begun:
                return [_never(first, scope, now)]
            return [fact for end in begun for fact in refute(last, scope.following(*end), now)]
        case tree.Streak() | tree.Satisfied():
            return [_never(node, scope, now)]
        case tree.Named():
            raise InvariantError(f"the condition `@{node.name}` was never put in: please report it")
        case _:
            inner = list(inner_scopes(node, scope, now))
            if not inner:
                return [_never(node, scope, now)]
            return [fact for one in inner for fact in refute(node.body, one, now)]


def absent(matches: tuple[tree.Match, ...], fewer_than: int, scope: Scope, now: Instant) -> Absence:
    """Fewer events in a scope than something asks for."""
    return Absence(selector(matches), fewer_than, *around(scope, now), scope.after, scope.until, matches)


def around(scope: Scope, now: Instant) -> tuple[Instant | None, Instant | None]:
    """The stretch of a scope: its anchor, and its cut where that is not the reading itself."""
    cut = scope.until[0] if scope.until[1] == 0 and scope.until[0] <= now else None
    return scope.anchor, cut


def values(node: tree.Comparison, scope: Scope, now: Instant) -> list[Fact]:
    """What the aggregates of a comparison came to."""
    terms = node.left if isinstance(node.right, str) else node.left + node.right
    found: list[Fact] = []
    for term in terms:
        if term.aggregate is not None:
            what = format_condition(tree.Comparison((tree.Term(1, term.aggregate),), "==", (tree.Term(0),)))
            value = aggregate(term.aggregate, scope.inside(), scope.zone)
            fact = Value(what.removesuffix(" == 0"), written(value), *around(scope, now))
            if fact not in found:
                found.append(fact)
    return found


def written(value: Amount) -> str:
    """A value of an aggregate, for people: decimals where they end soon, else rounded to six places."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if value.denominator == 1:
        return str(value.numerator)
    text = f"{float(value):.6f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == value else f"about {text}"


def _never(node: tree.Node, scope: Scope, now: Instant) -> Absence:
    return Absence(f"`{format_condition(node)}`", 1, *around(scope, now), scope.after, scope.until)


def _refute_some(least: int, terms: tuple[tree.Node, ...], scope: Scope, now: Instant) -> list[Fact]:
    failed = [term for term in terms if not holds(term, scope, now)][:least]
    return [fact for term in failed for fact in refute(term, scope, now)]
