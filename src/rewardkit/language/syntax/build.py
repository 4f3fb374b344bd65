"""The builder of the tree: one method for each rule of the grammar, called by the parser as it reads.

It keeps the structure that was written: `A & B & C` is one node, `A & (B & C)` is two.
"""

from __future__ import annotations

from typing import Any

from rewardkit.language.diagnostic import Diagnostic, Slip, quoted
from rewardkit.language.limits import MOST_COUNT
from rewardkit.language.syntax.literal import read_elapsed, read_number, read_text
from rewardkit.language.syntax.scan import Lexeme
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
    Literal,
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
    """A part of a tree with its place, beside which the lexemes of its rule stand."""

    __slots__ = ("end", "grouped", "start", "value")

    def __init__(self, value: Any, start: int, end: int, grouped: bool = False) -> None:  # noqa: FBT001, FBT002
        self.value = value
        self.start = start
        self.end = end
        self.grouped = grouped
        """Whether parentheses stand around it, so that it is not joined to a chain."""


Parts = list[Any]
"""Lexemes and pieces of a rule, in order."""


def _place(parts: Parts) -> tuple[int, int]:
    return parts[0].start, parts[-1].end


def _node(kind: Any, parts: Parts, *fields: Any) -> Piece:
    start, end = parts[0].start, parts[-1].end
    return Piece(kind(*fields, place=(start, end)), start, end)


def _made(value: Any, parts: Parts, *, grouped: bool = False) -> Piece:
    return Piece(value, parts[0].start, parts[-1].end, grouped)


def _whole(number: Lexeme) -> int:
    """The value of a whole number."""
    digits = number.text
    value = int(digits) if len(digits) <= 38 else MOST_COUNT + 1
    if value > MOST_COUNT:
        place = (number.start, number.end)
        help_text = f"a count is at most {MOST_COUNT:,}"
        raise Slip(Diagnostic("RK005", f"the count {quoted(digits)} is too large", place, help=help_text))
    return value


def _name(lexeme: Lexeme) -> str:
    return read_text(lexeme.text) if lexeme.kind == "string" else lexeme.text


def _chain(kind: Any, parts: Parts) -> Piece:
    """A chain of one operator: a left operand of the same kind is continued, unless parentheses stand around it."""
    left, right = parts[0], parts[-1]
    terms = left.value.terms if isinstance(left.value, kind) and not left.grouped else (left.value,)
    return _node(kind, parts, (*terms, right.value))


def _value(part: Any) -> Literal:
    """A value in a filter: a text, a truth value or a number; a negative one is read already."""
    if part.__class__ is Piece:
        negative: Literal = part.value
        return negative
    if part.kind == "string":
        return read_text(part.text)
    return part.text == "true" if part.kind == "word" else read_number(part.text)


class PredicateBuilder:
    """The rules of property filters."""

    def negative(self, parts: Parts) -> Piece:
        number = read_number(parts[1].text)
        return _made(-number if isinstance(number, int) else number.copy_negate(), parts)

    def compare(self, parts: Parts) -> Piece:
        field, operator, value = parts
        return _node(Compare, parts, _name(field), operator.text, _value(value))

    def like(self, parts: Parts) -> Piece:
        return _node(Compare, parts, _name(parts[0]), "like", read_text(parts[2].text))

    def one_of(self, parts: Parts) -> Piece:
        return _node(OneOf, parts, _name(parts[0]), tuple([_value(part) for part in parts[3:-1:2]]))

    def has(self, parts: Parts) -> Piece:
        return _node(Has, parts, _name(parts[1]))

    def predicate_except(self, parts: Parts) -> Piece:
        return _node(Except, parts, parts[1].value)

    def predicate_both(self, parts: Parts) -> Piece:
        return _chain(Every, parts)

    def predicate_either(self, parts: Parts) -> Piece:
        return _chain(Either, parts)


class ComparisonBuilder:
    """The rules of aggregates and their comparisons; a sum is a tuple of terms."""

    def aggregate(self, parts: Parts) -> Piece:
        matches = tuple([part.value for part in parts if part.__class__ is Piece])
        field = _name(parts[-2]) if parts[-2].__class__ is Lexeme else None
        return _node(Aggregate, parts, parts[0].text, matches, field)

    def term_number(self, parts: Parts) -> Piece:
        return _node(Term, parts, read_number(parts[0].text))

    def term_product(self, parts: Parts) -> Piece:
        return _node(Term, parts, read_number(parts[0].text), parts[2].value)

    def term_aggregate(self, parts: Parts) -> Piece:
        return _node(Term, parts, 1, parts[0].value)

    def sum(self, parts: Parts) -> Piece:
        return _made((parts[0].value,), parts)

    def sum_negated(self, parts: Parts) -> Piece:
        return _made((_negated(parts[1].value, _place(parts)),), parts)

    def sum_more(self, parts: Parts) -> Piece:
        left, sign, right = parts
        term = _negated(right.value, _place(parts[1:])) if sign.text == "-" else right.value
        return _made((*left.value, term), parts)

    def comparison(self, parts: Parts) -> Piece:
        left, operator, right = parts
        return _node(Comparison, parts, left.value, operator.text, right.value)

    def text_comparison(self, parts: Parts) -> Piece:
        left, operator, right = parts
        return _node(Comparison, parts, left.value, operator.text, read_text(right.text))


def _negated(term: Term, place: tuple[int, int]) -> Term:
    factor = -term.factor if isinstance(term.factor, int) else term.factor.copy_negate()
    return Term(factor, term.aggregate, place=place)


class ScopeBuilder:
    """The rules of scopes, which stand behind a condition."""

    def elapsed(self, parts: Parts) -> Piece:
        return _made(read_elapsed(parts[0].text), parts)

    def calendar(self, parts: Parts) -> Piece:
        return _made(Calendar(_whole(parts[0]), parts[2].text.rstrip("s")), parts)

    def within(self, parts: Parts) -> Piece:
        return _node(Within, parts, parts[0].value, parts[2].value)

    def over(self, parts: Parts) -> Piece:
        return _node(Over, parts, parts[0].value, parts[2].value)

    def in_any(self, parts: Parts) -> Piece:
        return _node(InAny, parts, parts[0].value, parts[3].value)

    def in_last(self, parts: Parts) -> Piece:
        return _node(InLast, parts, parts[0].value, parts[3].value)

    def in_one(self, parts: Parts) -> Piece:
        return _node(InOne, parts, parts[0].value, parts[3].text.rstrip("s"))

    def before(self, parts: Parts) -> Piece:
        return _node(Before, parts, parts[0].value, read_text(parts[2].text))

    def since(self, parts: Parts) -> Piece:
        return _node(Since, parts, parts[0].value, read_text(parts[2].text))

    def by(self, parts: Parts) -> Piece:
        return _node(By, parts, parts[0].value, _name(parts[2]))

    def absence(self, parts: Parts) -> Piece:
        return _node(No, parts, parts[1].value, parts[3].value)

    def ever(self, parts: Parts) -> Piece:
        return _node(Ever, parts, parts[1].value)


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
        return _node(Then, parts, (*steps, right.value))

    def guard(self, parts: Parts) -> Piece:
        return _node(Not, parts, parts[1].value)

    def group(self, parts: Parts) -> Piece:
        return _made(parts[1].value, parts, grouped=True)

    def event(self, parts: Parts) -> Piece:
        where = parts[2].value if len(parts) > 1 else None
        return _node(Match, parts, _name(parts[0]), where)

    def bare(self, parts: Parts) -> Piece:
        return _node(AtLeast, parts, (parts[0].value,))

    def at_least(self, parts: Parts) -> Piece:
        counted, least = parts[0], _whole(parts[2])
        if least == 1 and isinstance(counted.value, Or) and _union(counted.value) is not None:
            return _made(counted.value, parts, grouped=True)  # once any of them is their plain alternative
        return _node(AtLeast, parts, _matches(counted), least)

    def between(self, parts: Parts) -> Piece:
        least, most = _whole(parts[2]), _whole(parts[4])
        return _node(Between, parts, _matches(parts[0]), least, most)

    def some(self, parts: Parts) -> Piece:
        terms = tuple(part.value for part in parts if isinstance(part, Piece))
        return _node(Some, parts, _whole(parts[0]), terms)

    def streak(self, parts: Parts) -> Piece:
        skip = _whole(parts[7]) if len(parts) > 6 else 0
        return _node(Streak, parts, parts[2].value, parts[4].value, skip)

    def named(self, parts: Parts) -> Piece:
        name = parts[0].text[1:] if len(parts) == 1 else read_text(parts[1].text)
        return _node(Named, parts, name)

    def satisfied(self, parts: Parts) -> Piece:
        return _node(Satisfied, parts, _name(parts[2]))

    def satisfied_written(self, parts: Parts) -> Piece:
        return _node(Satisfied, parts, "", parts[3].value)


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
        place = (counted.start, counted.end)
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
