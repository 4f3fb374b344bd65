"""The builder of the tree: one method for each rule of the grammar, called by the parser as it reads.

It keeps the structure that was written: `A & B & C` is one node, `A & (B & C)` is two.
"""

from __future__ import annotations

from typing import Any

from rewardkit.language.diagnostic import Diagnostic, Slip, quoted
from rewardkit.language.limits import MOST_COUNT
from rewardkit.language.literal import read_elapsed, read_number, read_text
from rewardkit.language.tree import (
    Aggregate,
    And,
    AtLeast,
    Before,
    Between,
    By,
    Calendar,
    Compare,
    Comparison,
    Either,
    Ever,
    Every,
    Except,
    Has,
    InAny,
    InLast,
    InOne,
    Match,
    Named,
    No,
    Node,
    Not,
    OneOf,
    Or,
    Over,
    Satisfied,
    Since,
    Some,
    Streak,
    Term,
    Then,
    Within,
)


class Piece:
    """A part of a tree with its place; named like a lexer's token, which stands beside it in a rule."""

    __slots__ = ("end_pos", "grouped", "start_pos", "value")

    def __init__(self, value: Any, start_pos: int, end_pos: int, *, grouped: bool = False) -> None:
        self.value = value
        self.start_pos = start_pos
        self.end_pos = end_pos
        self.grouped = grouped
        """Whether parentheses stand around it, so that it is not joined to a chain."""


Parts = list[Any]
"""Tokens and pieces of a rule, in order."""


def _place(parts: Parts) -> tuple[int, int]:
    return parts[0].start_pos, parts[-1].end_pos


def _made(value: Any, parts: Parts, *, grouped: bool = False) -> Piece:
    return Piece(value, parts[0].start_pos, parts[-1].end_pos, grouped=grouped)


def _whole(token: Any) -> int:
    """The value of a whole number."""
    digits = str(token)
    value = int(digits) if len(digits) <= 38 else MOST_COUNT + 1
    if value > MOST_COUNT:
        place = (token.start_pos, token.end_pos)
        help_text = f"a count is at most {MOST_COUNT:,}"
        raise Slip(Diagnostic("RK005", f"the count {quoted(digits)} is too large", place, help=help_text))
    return value


def _chain(kind: Any, parts: Parts) -> Piece:
    """A chain of one operator: a left operand of the same kind is continued, unless parentheses stand around it."""
    left, right = parts[0], parts[-1]
    terms = left.value.terms if isinstance(left.value, kind) and not left.grouped else (left.value,)
    return _made(kind((*terms, right.value), place=_place(parts)), parts)


class PredicateBuilder:
    """The rules of property filters."""

    def field(self, parts: Parts) -> Piece:
        token = parts[0]
        return _made(read_text(token) if token.type == "STRING" else str(token), parts)

    def value_text(self, parts: Parts) -> Piece:
        return _made(read_text(parts[0]), parts)

    def value_true(self, parts: Parts) -> Piece:
        return _made(True, parts)

    def value_false(self, parts: Parts) -> Piece:
        return _made(False, parts)

    def value_number(self, parts: Parts) -> Piece:
        return _made(read_number(str(parts[0])), parts)

    def value_negative(self, parts: Parts) -> Piece:
        number = read_number(str(parts[1]))
        return _made(-number if isinstance(number, int) else number.copy_negate(), parts)

    def compare(self, parts: Parts) -> Piece:
        field, operator, value = parts
        return _made(Compare(field.value, str(operator), value.value, place=_place(parts)), parts)

    def like(self, parts: Parts) -> Piece:
        return _made(Compare(parts[0].value, "like", read_text(parts[2]), place=_place(parts)), parts)

    def one_of(self, parts: Parts) -> Piece:
        values = tuple(part.value for part in parts[3:-1] if isinstance(part, Piece))
        return _made(OneOf(parts[0].value, values, place=_place(parts)), parts)

    def has(self, parts: Parts) -> Piece:
        return _made(Has(parts[1].value, place=_place(parts)), parts)

    def predicate_except(self, parts: Parts) -> Piece:
        return _made(Except(parts[1].value, place=_place(parts)), parts)

    def predicate_both(self, parts: Parts) -> Piece:
        return _chain(Every, parts)

    def predicate_either(self, parts: Parts) -> Piece:
        return _chain(Either, parts)


class ComparisonBuilder:
    """The rules of aggregates and their comparisons; a sum is a tuple of terms."""

    def aggregate(self, parts: Parts) -> Piece:
        pieces = [part.value for part in parts if isinstance(part, Piece)]
        matches = tuple(value for value in pieces if isinstance(value, Match))
        field = next((value for value in pieces if isinstance(value, str)), None)
        return _made(Aggregate(str(parts[0]), matches, field, place=_place(parts)), parts)

    def term_number(self, parts: Parts) -> Piece:
        return _made(Term(read_number(str(parts[0])), place=_place(parts)), parts)

    def term_product(self, parts: Parts) -> Piece:
        return _made(Term(read_number(str(parts[0])), parts[2].value, place=_place(parts)), parts)

    def term_aggregate(self, parts: Parts) -> Piece:
        return _made(Term(1, parts[0].value, place=_place(parts)), parts)

    def sum(self, parts: Parts) -> Piece:
        return _made((parts[0].value,), parts)

    def sum_negated(self, parts: Parts) -> Piece:
        return _made((_negated(parts[1].value, _place(parts)),), parts)

    def sum_more(self, parts: Parts) -> Piece:
        left, sign, right = parts
        term = _negated(right.value, _place(parts[1:])) if sign.type == "MINUS" else right.value
        return _made((*left.value, term), parts)

    def comparison(self, parts: Parts) -> Piece:
        left, operator, right = parts
        return _made(Comparison(left.value, str(operator), right.value, place=_place(parts)), parts)

    def text_comparison(self, parts: Parts) -> Piece:
        left, operator, right = parts
        return _made(Comparison(left.value, str(operator), read_text(right), place=_place(parts)), parts)


def _negated(term: Term, place: tuple[int, int]) -> Term:
    factor = -term.factor if isinstance(term.factor, int) else term.factor.copy_negate()
    return Term(factor, term.aggregate, place=place)


class ScopeBuilder:
    """The rules of scopes, which stand behind a condition."""

    def elapsed(self, parts: Parts) -> Piece:
        return _made(read_elapsed(str(parts[0])), parts)

    def calendar(self, parts: Parts) -> Piece:
        return _made(Calendar(_whole(parts[0]), str(parts[2]).rstrip("s")), parts)

    def within(self, parts: Parts) -> Piece:
        return _made(Within(parts[0].value, parts[2].value, place=_place(parts)), parts)

    def over(self, parts: Parts) -> Piece:
        return _made(Over(parts[0].value, parts[2].value, place=_place(parts)), parts)

    def in_any(self, parts: Parts) -> Piece:
        return _made(InAny(parts[0].value, parts[3].value, place=_place(parts)), parts)

    def in_last(self, parts: Parts) -> Piece:
        return _made(InLast(parts[0].value, parts[3].value, place=_place(parts)), parts)

    def in_one(self, parts: Parts) -> Piece:
        return _made(InOne(parts[0].value, str(parts[3]).rstrip("s"), place=_place(parts)), parts)

    def before(self, parts: Parts) -> Piece:
        return _made(Before(parts[0].value, read_text(parts[2]), place=_place(parts)), parts)

    def since(self, parts: Parts) -> Piece:
        return _made(Since(parts[0].value, read_text(parts[2]), place=_place(parts)), parts)

    def by(self, parts: Parts) -> Piece:
        return _made(By(parts[0].value, parts[2].value, place=_place(parts)), parts)

    def absence(self, parts: Parts) -> Piece:
        return _made(No(parts[1].value, parts[3].value, place=_place(parts)), parts)

    def ever(self, parts: Parts) -> Piece:
        return _made(Ever(parts[1].value, place=_place(parts)), parts)


class Builder(PredicateBuilder, ComparisonBuilder, ScopeBuilder):
    """All rules; holds nothing, so that one builder serves every parse."""

    def start(self, parts: Parts) -> Node:
        node: Node = parts[0].value
        return node

    def either(self, parts: Parts) -> Piece:
        return _chain(Or, parts)

    def both(self, parts: Parts) -> Piece:
        return _chain(And, parts)

    def then(self, parts: Parts) -> Piece:
        left, right = parts[0], parts[-1]
        steps = left.value.steps if isinstance(left.value, Then) and not left.grouped else (left.value,)
        return _made(Then((*steps, right.value), place=_place(parts)), parts)

    def guard(self, parts: Parts) -> Piece:
        return _made(Not(parts[1].value, place=_place(parts)), parts)

    def group(self, parts: Parts) -> Piece:
        return _made(parts[1].value, parts, grouped=True)

    def name(self, parts: Parts) -> Piece:
        token = parts[0]
        return _made(read_text(token) if token.type == "STRING" else str(token), parts)

    def event(self, parts: Parts) -> Piece:
        where = parts[2].value if len(parts) > 1 else None
        return _made(Match(parts[0].value, where, place=_place(parts)), parts)

    def bare(self, parts: Parts) -> Piece:
        return _made(AtLeast((parts[0].value,), place=_place(parts)), parts)

    def at_least(self, parts: Parts) -> Piece:
        counted, least = parts[0], _whole(parts[2])
        if least == 1 and isinstance(counted.value, Or) and _union(counted.value) is not None:
            return _made(counted.value, parts, grouped=True)  # once any of them is their plain alternative
        return _made(AtLeast(_matches(counted), least, place=_place(parts)), parts)

    def between(self, parts: Parts) -> Piece:
        least, most = _whole(parts[2]), _whole(parts[4])
        return _made(Between(_matches(parts[0]), least, most, place=_place(parts)), parts)

    def some(self, parts: Parts) -> Piece:
        terms = tuple(part.value for part in parts if isinstance(part, Piece))
        return _made(Some(_whole(parts[0]), terms, place=_place(parts)), parts)

    def streak(self, parts: Parts) -> Piece:
        skip = _whole(parts[7]) if len(parts) > 6 else 0
        return _made(Streak(parts[2].value, parts[4].value, skip, place=_place(parts)), parts)

    def named(self, parts: Parts) -> Piece:
        name = str(parts[0])[1:] if len(parts) == 1 else read_text(parts[1])
        return _made(Named(name, place=_place(parts)), parts)

    def satisfied(self, parts: Parts) -> Piece:
        return _made(Satisfied(parts[2].value, place=_place(parts)), parts)

    def satisfied_written(self, parts: Parts) -> Piece:
        return _made(Satisfied("", parts[3].value, place=_place(parts)), parts)


def _union(node: Node) -> tuple[Match, ...] | None:
    """The matches of an event or of a union of events; None for any other condition."""
    found: list[Match] = []
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Or):
            waiting.extend(reversed(current.terms))
        elif isinstance(current, AtLeast) and current.least == 1:
            found.extend(current.matches)
        else:
            return None
    return tuple(found)


def _matches(counted: Piece) -> tuple[Match, ...]:
    found = _union(counted.value)
    if found is None:
        place = (counted.start_pos, counted.end_pos)
        raise Slip(
            Diagnostic(
                "RK108",
                "only an event or a union of events can be counted",
                place,
                help=_rewrites(counted.value),
                note="this is neither",
            )
        )
    return found


def _rewrites(node: Node) -> str:
    terms = node.terms if isinstance(node, And) else ()
    unions = [_union(term) for term in terms]
    names = [union[0].name for union in unions if union is not None and len(union) == 1]
    if names and len(names) == len(terms):
        shown = [name if name.isidentifier() else f'"{name}"' for name in names]
        each, either = " & ".join(f"{name}*n" for name in shown), " | ".join(shown)
        return f"write `{each}` for n of each, or `({either})*n` for n of either kind"
    return "write the count behind each event, such as `A*2 & B*2`, or count a union, such as `(A | B)*2`"
