"""From a tree to its canonical text: structure is kept, operators are signs, spans have one spelling.

`parse(format_condition(tree)) == tree`, for every tree that a text can have.
"""

from __future__ import annotations

import re

from rewardkit.language.syntax.literal import write_number, write_span, write_text
from rewardkit.language.syntax.scan import RESERVED
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
    Predicate,
    Satisfied,
    Since,
    Some,
    Streak,
    Term,
    Then,
    Within,
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*")
_FIELD_WORDS = RESERVED | {"has", "like", "true", "false"}

# How tightly a text holds together; an operand looser than its place allows is put in parentheses.
_OR, _AND, _THEN, _SCOPED, _UNARY, _PRIMARY = range(6)


def format_condition(node: Node) -> str:
    """The canonical text of a condition."""
    return _written(node)[0]


def _written(node: Node) -> tuple[str, int]:
    if isinstance(node, AtLeast):
        return _leaf(node), _PRIMARY
    match node:
        case And(terms=terms):
            return " & ".join(_operand(term, _UNARY) for term in terms), _AND
        case Or(terms=terms):
            return " | ".join(_operand(term, _AND if isinstance(term, And) else _UNARY) for term in terms), _OR
        case Then(steps=steps):
            return " then ".join(_operand(step, _UNARY if isinstance(step, By) else _SCOPED) for step in steps), _THEN
        case Not(body=body):
            return f"!{_operand(body, _UNARY)}", _UNARY
        case Ever(body=body):
            return f"ever {_operand(body, _UNARY)}", _UNARY
        case No(body=body, span=span):
            return f"no {_operand(body, _PRIMARY)} within {write_span(span)}", _UNARY
        case _:
            return _scoped(node)


def _operand(node: Node, least: int) -> str:
    text, strength = _written(node)
    return text if strength >= least else f"({text})"


def _scoped(node: Node) -> tuple[str, int]:
    match node:
        case Within(body=body, span=span):
            scope = f"within {write_span(span)}"
        case Over(body=body, span=span):
            scope = f"over {write_span(span)}"
        case InAny(body=body, span=span):
            scope = f"in any {write_span(span)}"
        case InLast(body=body, span=span):
            scope = f"in last {write_span(span)}"
        case InOne(body=body, unit=unit):
            scope = f"in one {unit}"
        case Before(body=body, instant=instant):
            scope = f"before {write_text(instant)}"
        case Since(body=body, instant=instant):
            scope = f"since {write_text(instant)}"
        case By(body=body, field=field):
            scope = f"by {_field(field)}"
        case _:
            return _leaf(node), _PRIMARY
    return f"{_scope_body(body)} {scope}", _SCOPED


def _scope_body(node: Node) -> str:
    """A scope's body; a prefix is put in parentheses, although it binds tighter, since few people know that."""
    return _operand(node, _SCOPED if not isinstance(node, Not | Ever | No) else _PRIMARY + 1)


def _leaf(node: Node) -> str:
    match node:
        case AtLeast(matches=matches, least=least):
            return _counted(matches) if least == 1 and len(matches) == 1 else f"{_counted(matches)}*{least}"
        case Between(matches=matches, least=least, most=most):
            return f"{_counted(matches)}*{least}..{most}"
        case Comparison(left=left, operator=operator, right=right):
            other = write_text(right) if isinstance(right, str) else _sum(right)
            return f"{_sum(left)} {operator} {other}"
        case Some(least=least, terms=terms):
            return f"{least} of ({', '.join(_written(term)[0] for term in terms)})"
        case Streak(body=body, span=span, skip=skip):
            tail = f", skip {skip}" if skip else ""
            return f"streak({_written(body)[0]}, {write_span(span)}{tail})"
        case Named(name=name):
            return f"@{name}" if _REFERENCE.fullmatch(name) else f"@{write_text(name)}"
        case Satisfied(name=name, body=None):
            return f"satisfied({write_name(name)})"
        case Satisfied(body=body):
            assert body is not None
            return f"satisfied(({_written(body)[0]}))"
        case _:
            raise TypeError(f"not a condition: `{type(node).__name__}`")


def write_name(name: str) -> str:
    """An event's name, in quotes where it needs them."""
    plain = _NAME.fullmatch(name) and name.split(".", 1)[0] not in RESERVED
    return name if plain else write_text(name)


def _field(field: str) -> str:
    plain = _NAME.fullmatch(field) and field.split(".", 1)[0] not in _FIELD_WORDS
    return field if plain else write_text(field)


def _counted(matches: tuple[Match, ...]) -> str:
    text = " | ".join(_match(match) for match in matches)
    return text if len(matches) == 1 else f"({text})"


def _match(match: Match) -> str:
    where = "" if match.where is None else f"[{_predicate(match.where)[0]}]"
    return write_name(match.name) + where


def _sum(terms: tuple[Term, ...]) -> str:
    text = ""
    for term in terms:
        negative = term.factor < 0 or str(term.factor).startswith("-")
        joint = ("-" if negative else "") if not text else (" - " if negative else " + ")
        text += joint + _term(term)
    return text


def _term(term: Term) -> str:
    factor = write_number(term.factor).lstrip("-")
    if term.aggregate is None:
        return factor
    aggregate = _aggregate(term.aggregate)
    return aggregate if factor == "1" else f"{factor} * {aggregate}"


def _aggregate(aggregate: Aggregate) -> str:
    field = "" if aggregate.field is None else f":{_field(aggregate.field)}"
    return f"{aggregate.function}({' | '.join(_match(match) for match in aggregate.matches)}{field})"


def _predicate(predicate: Predicate) -> tuple[str, int]:
    match predicate:
        case Every(terms=terms):
            return " and ".join(_filter(term) for term in terms), _AND
        case Either(terms=terms):
            return " or ".join(_filter(term) for term in terms), _OR
        case Except(term=term):
            return f"not {_filter(term)}", _UNARY
        case Has(field=field):
            return f"has {_field(field)}", _PRIMARY
        case OneOf(field=field, values=values):
            return f"{_field(field)} in ({', '.join(_literal(value) for value in values)})", _PRIMARY
        case Compare(field=field, operator=operator, value=value):
            return f"{_field(field)} {operator} {_literal(value)}", _PRIMARY


def _filter(predicate: Predicate) -> str:
    text, strength = _predicate(predicate)
    return text if strength >= _UNARY else f"({text})"


def _literal(value: Literal) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return write_text(value) if isinstance(value, str) else write_number(value)
