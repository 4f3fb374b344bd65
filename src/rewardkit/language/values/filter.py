"""What a property filter means, written plainly: the oracle that compiled filters are tested against."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rewardkit.errors import ValidationError
from rewardkit.language.tree import Compare, Either, Every, Except, Has, Literal, OneOf, Predicate

_MISSING = object()


def matches(predicate: Predicate, properties: Mapping[str, Any]) -> bool:
    """Whether an event's properties satisfy a filter: true or false, whatever they are."""
    match predicate:
        case Every(terms=terms):
            return all(matches(term, properties) for term in terms)
        case Either(terms=terms):
            return any(matches(term, properties) for term in terms)
        case Except(term=term):
            return not matches(term, properties)
        case Has(field=field):
            return look_up(field, properties) is not _MISSING
        case OneOf(field=field, values=values):
            value = look_up(field, properties)
            return any(_equal(value, literal) for literal in values)
        case Compare(field=field, operator=operator, value=literal):
            return compare(look_up(field, properties), operator, literal)


def look_up(field: str, properties: Mapping[str, Any]) -> object:
    """The value of a property, dots descending into objects; no value of any kind where there is none."""
    if "." not in field:
        return properties.get(field, _MISSING)
    value: object = properties
    for step in field.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return _MISSING
        value = value[step]
    return value


def kind_of(value: object) -> str:
    """`truth`, `text`, `number`, or `none` of these."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int):
        return "number"
    if isinstance(value, float | Decimal):
        return "number" if Decimal(repr(value) if isinstance(value, float) else value).is_finite() else "none"
    return "none"


def _exact(value: Any) -> Any:
    return Decimal(repr(value)) if isinstance(value, float) else value


def _equal(value: Any, literal: Literal) -> bool:
    return bool(kind_of(value) == kind_of(literal) and _exact(value) == literal)


def compare(value: Any, operator: str, literal: Literal) -> bool:
    """Whether a value and a literal compare so; values of different types are unequal, and neither less nor more."""
    if operator == "==":
        return _equal(value, literal)
    if operator == "!=":
        return not _equal(value, literal)
    kind = kind_of(literal)
    if kind_of(value) != kind or kind == "truth":
        return False
    value = _exact(value)
    match operator:
        case "<":
            return bool(value < literal)
        case "<=":
            return bool(value <= literal)
        case ">":
            return bool(value > literal)
        case ">=":
            return bool(value >= literal)
        case "like":
            return kind == "text" and _like(value, str(literal))
        case _:
            raise ValidationError(f"`{operator}` does not compare a property with `{literal}`")


def _like(text: str, pattern: str) -> bool:
    """One row a character of the pattern: which prefixes of the text it can stand for."""
    prefixes = [True, *(False for _ in text)]
    for sign in pattern:
        if sign == "*":
            first = prefixes.index(True) if True in prefixes else len(prefixes)
            prefixes = [place >= first for place in range(len(prefixes))]
        else:
            fits = [sign in ("?", character) for character in text]
            prefixes = [False, *(before and fit for before, fit in zip(prefixes, fits, strict=False))]
    return prefixes[-1]
