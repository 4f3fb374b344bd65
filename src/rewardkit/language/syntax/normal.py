"""The normal form of a condition: one tree for conditions that mean the same by a few laws.

Only laws that keep the verdict and the places at which a next step begins: the order, nesting and repetition of `&` and
`|`, associative `then`, `k of` at its ends, nested windows and `ever`, `no`, and double negation where nothing asks for
an end. Not among them: `in any` over `&`, absorption, and what a guard would become to the left of `then`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from rewardkit.errors import ValidationError
from rewardkit.language.event import instant, rfc3339
from rewardkit.language.syntax.canonical import structure
from rewardkit.language.syntax.structure import absent
from rewardkit.language.tree import (
    Aggregate,
    And,
    AtLeast,
    Before,
    Between,
    By,
    Compare,
    Comparison,
    Either,
    Elapsed,
    Ever,
    Every,
    Except,
    InAny,
    InLast,
    InOne,
    Match,
    No,
    Node,
    Not,
    OneOf,
    Or,
    Over,
    Predicate,
    Satisfied,
    Since,
    Some,
    Streak,
    Term,
    Then,
    Within,
)


def normalise(node: Node) -> Node:
    """The normal form of a condition; that of a normal form is itself."""
    return _Normal(followed=False, heard=False).node(node)


@attrs.frozen
class _Normal:
    """Makes normal forms of what stands at one kind of place."""

    followed: bool
    """Whether a step begins where the condition ends: a double negation has no end, and its body has."""
    heard: bool
    """Whether windows, buckets or keys are opened by the events that a body listens to, which negations decide."""

    def node(self, node: Node) -> Node:
        match node:
            case AtLeast() | Between() | Comparison() | Streak():
                return _counted(node)
            case And() | Or():
                return _joined(type(node), map(self.node, node.terms))
            case Some():
                return self._some(node)
            case Not():
                return self._not(node)
            case Then(steps=steps):
                begun = attrs.evolve(self, followed=True)
                parts = [*(begun.node(step) for step in steps[:-1]), self.node(steps[-1])]
                return Then(
                    tuple(inner for part in parts for inner in (part.steps if isinstance(part, Then) else [part]))
                )
            case Satisfied(body=body) if body is not None:
                return Satisfied("", normalise(body))
            case No():
                return No(self._unended(node.body), node.span)
            case Over():
                return self._over(node)
            case Within() | InAny() | InLast() | InOne() | Before() | Since() | By() | Ever():
                return self._scoped(node)
            case _:
                return node

    def _unended(self, node: Node) -> Node:
        return attrs.evolve(self, followed=False).node(node)

    def _some(self, node: Some) -> Node:
        terms = [self.node(term) for term in node.terms]
        if node.least == 1:
            return _joined(Or, terms)
        if node.least == len(terms):
            return _joined(And, terms)
        return Some(node.least, _ordered(terms))

    def _not(self, node: Not) -> Node:
        body = self._unended(node.body)
        return body.body if isinstance(body, Not) and not self.followed and not self.heard else Not(body)

    def _over(self, node: Over) -> Node:
        body = self._unended(node.body)
        if isinstance(body, Not) and absent(body.body):
            return No(body.body, node.span)
        return Over(_windowed(body), node.span)

    def _scoped(self, node: Within | InAny | InLast | InOne | Before | Since | By | Ever) -> Node:
        heard = self.heard or isinstance(node, InAny | InOne | By)
        body = attrs.evolve(self, heard=heard).node(node.body)
        match node:
            case Within(span=Elapsed(microseconds=outer)):
                if isinstance(body, Within) and isinstance(body.span, Elapsed):
                    return Within(body.body, Elapsed(min(outer, body.span.microseconds)))
                body = _windowed(body)
            case Within():
                body = _windowed(body)
            case Before() | Since():
                return type(node)(body, _in_utc(node.instant))
            case Ever() if isinstance(body, Ever):
                return body
            case _:
                pass
        whole: Node = attrs.evolve(node, body=body, place=(0, 0))
        return whole


def _steps(parts: list[Node]) -> tuple[Node, ...]:
    return tuple(inner for part in parts for inner in (part.steps if isinstance(part, Then) else (part,)))


def _windowed(body: Node) -> Node:
    """A window's body: an `ever` alone would have no start for the window to count from, and is refused there."""
    return And((body, body)) if isinstance(body, Ever) else body


def _joined(kind: type[And | Or], terms: Iterable[Node]) -> Node:
    """Terms of one operator: nested ones flattened, each once, in order; a single one by itself."""
    flat = [inner for term in terms for inner in (term.terms if isinstance(term, kind) else (term,))]
    once = _ordered({structure(term): term for term in flat}.values())
    return once[0] if len(once) == 1 else kind(once)


def _ordered(terms: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(sorted(terms, key=structure))


def _counted(node: AtLeast | Between | Comparison | Streak) -> Node:
    match node:
        case AtLeast(matches=matches, least=1) if len(matches) > 1:
            return _joined(Or, [AtLeast((match,)) for match in _matches(matches)])
        case AtLeast() | Between():
            return attrs.evolve(node, matches=_matches(node.matches), place=(0, 0))
        case Streak():
            return attrs.evolve(node, body=normalise(node.body), place=(0, 0))
        case Comparison(left=left, right=right):
            return Comparison(_sum(left), node.operator, right if isinstance(right, str) else _sum(right))


def _sum(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms of one side in order, plain numbers last; they are not carried over, nor added up."""
    parts = [Term(term.factor, None if term.aggregate is None else _aggregate(term.aggregate)) for term in terms]
    return tuple(sorted(parts, key=lambda term: (term.aggregate is None, structure(term))))


def _aggregate(aggregate: Aggregate) -> Aggregate:
    return Aggregate(aggregate.function, _matches(aggregate.matches), aggregate.field)


def _matches(matches: tuple[Match, ...]) -> tuple[Match, ...]:
    found = [Match(match.name, None if match.where is None else _filter(match.where)) for match in matches]
    once = {structure(match): match for match in found}
    return tuple(once[key] for key in sorted(once))


def _filter(predicate: Predicate) -> Predicate:
    match predicate:
        case Every() | Either():
            return _joined_filters(type(predicate), map(_filter, predicate.terms))
        case Except(term=term):
            return _excepted(_filter(term))
        case OneOf(field=field, values=values):
            once = {structure(value): value for value in values}
            kept = tuple(once[key] for key in sorted(once))
            return Compare(field, "==", kept[0]) if len(kept) == 1 else OneOf(field, kept)
        case _:
            bare: Any = attrs.evolve(predicate, place=(0, 0))
            return bare  # type: ignore[no-any-return]


def _joined_filters(kind: type[Every | Either], terms: Iterable[Predicate]) -> Predicate:
    flat = [inner for term in terms for inner in (term.terms if isinstance(term, kind) else (term,))]
    once = {structure(term): term for term in flat}
    kept = tuple(once[key] for key in sorted(once))
    return kept[0] if len(kept) == 1 else kind(kept)


def _excepted(term: Predicate) -> Predicate:
    """Filters are two-valued: two negations are none, and `!=` is exactly what `==` is not."""
    match term:
        case Except(term=inner):
            return inner
        case Compare(operator="==" | "!=" as operator):
            return Compare(term.field, "!=" if operator == "==" else "==", term.value)
        case _:
            return Except(term)


def _in_utc(text: str) -> str:
    """An instant in its one spelling; a date stays one, since its zone is not known here."""
    try:
        return text if len(text) == len("2026-01-31") else rfc3339(instant(text))
    except ValidationError:
        return text
