"""Values of properties as aggregates take them: numbers exact and in one form, all else told apart by type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any, TypeAlias

Number: TypeAlias = int | Decimal
"""A whole number as `int`, any other as a `Decimal` without trailing zeros, so that equal numbers look the same."""

Value: TypeAlias = Number | str | bool

EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_LARGEST_EXPONENT = 4_000


def exact(value: object) -> Value | None:
    """The value of a property; None where it is no number, text or truth value. A float is the decimal it prints as."""
    kind = type(value)
    if kind is int or kind is str or kind is bool:
        return value  # type: ignore[return-value]
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return plain(value) if value.is_finite() else None
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else None


def plain(number: Number) -> Number:
    """A number in its one form."""
    if isinstance(number, int):
        return number
    number = number.normalize(EXACT)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return int(number) if 0 <= exponent <= _LARGEST_EXPONENT else number


def plus(left: Number, right: Number) -> Number:
    """The exact sum."""
    if left.__class__ is int and right.__class__ is int:
        return left + right
    return plain(EXACT.add(left, right))


def times(left: Number, right: Number) -> Number:
    """The exact product."""
    if left.__class__ is int and right.__class__ is int:
        return left * right
    return plain(EXACT.multiply(left, right))


def reader(field: str) -> Callable[[Mapping[str, Any]], Value | None]:
    """A function from an event's properties to the value of one of them; a dot descends into nested objects."""
    *steps, key = field.split(".")

    def read(properties: Mapping[str, Any]) -> Value | None:
        for step in steps:
            inner = properties.get(step)
            if not isinstance(inner, Mapping):
                return None
            properties = inner
        return exact(properties.get(key))

    return read
