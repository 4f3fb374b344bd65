"""Property filters, compiled to one Python function each.

Two-valued and total: a missing property or another type makes every comparison false, except `!=`, which is exactly
not `==`. A filter never raises. Numbers compare by value, whether int or Decimal; a float counts as the decimal that
it prints as; a truth value is no number, and has no order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from rewardkit.errors import ValidationError
from rewardkit.language.tree import Compare, Either, Every, Except, Has, Literal, OneOf, Predicate
from rewardkit.language.values.glob import compile_glob

Properties: TypeAlias = Mapping[str, Any]
Filter: TypeAlias = Callable[[Properties], bool]

ORDER = frozenset({"<", "<=", ">", ">="})
_NOWHERE: Properties = {}


@lru_cache(maxsize=4_096)
def compile_predicate(predicate: Predicate) -> Filter:
    """The predicate as a function of an event's properties; the same one for equal predicates.

    The source holds operators and generated names alone; fields and literals are bound through the namespace.

    Raises:
        ValidationError: for an operator that does not exist.
    """
    writer = Writer()
    source = f"def matches(properties):\n    return {writer.expression(predicate)}\n"
    exec(compile(source, "<filter>", "exec"), writer.names)  # noqa: S102 - no text of a user's is in the source
    matches: Filter = writer.names["matches"]
    return matches


def number(value: object) -> int | Decimal | None:
    """The value as an exact, finite number, or None where it is none."""
    kind = type(value)
    if kind is int:
        return value  # type: ignore[return-value]
    if kind is Decimal:
        return value if value.is_finite() else None  # type: ignore[attr-defined,return-value]
    if kind is float:
        return Decimal(repr(value)) if math.isfinite(value) else None  # type: ignore[arg-type]
    return None


def descend(properties: Properties, steps: tuple[str, ...]) -> Properties:
    """The nested object that a dotted field's leading steps lead to; an empty one where they lead nowhere."""
    for step in steps:
        value = properties.get(step)
        if not isinstance(value, Mapping):
            return _NOWHERE
        properties = value
    return properties


class Writer:
    """Filters as Python expressions over `properties`, and the names that they use."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__builtins__": {}, "number": number, "descend": descend, "str": str, "int": int}

    def bind(self, value: object) -> str:
        name = f"b{len(self.names)}"
        self.names[name] = value
        return name

    def expression(self, predicate: Predicate) -> str:
        if isinstance(predicate, Every):
            return "(" + " and ".join(map(self.expression, predicate.terms)) + ")"
        if isinstance(predicate, Either):
            return "(" + " or ".join(map(self.expression, predicate.terms)) + ")"
        if isinstance(predicate, Except):
            return f"(not {self.expression(predicate.term)})"
        home, key = self.field(predicate.field)
        if isinstance(predicate, Has):
            return f"({key} in {home})"
        value = f"{home}.get({key})"
        if isinstance(predicate, OneOf):
            return self.one_of(value, predicate.values)
        return self.compare(value, predicate)

    def field(self, field: str) -> tuple[str, str]:
        *steps, key = field.split(".")
        home = f"descend(properties, {self.bind(tuple(steps))})" if steps else "properties"
        return home, self.bind(key)

    def compare(self, value: str, predicate: Compare) -> str:
        operator, literal = predicate.operator, predicate.value
        if operator == "!=":
            return f"(not {self.equal(value, literal)})"
        if operator == "==":
            return self.equal(value, literal)
        if operator == "like" and isinstance(literal, str):
            return f"((v := {value}).__class__ is str and {self.bind(compile_glob(literal))}(v))"
        if operator not in ORDER:
            raise ValidationError(f"`{operator}` does not compare a property with `{literal}`")
        if isinstance(literal, bool):
            return "False"
        if isinstance(literal, str):
            return f"((v := {value}).__class__ is str and v {operator} {self.bind(literal)})"
        return self.numeric(value, operator, literal)

    def equal(self, value: str, literal: Literal) -> str:
        if isinstance(literal, bool):
            return f"({value} is {literal})"
        if isinstance(literal, str):
            return f"((v := {value}).__class__ is str and v == {self.bind(literal)})"
        return self.numeric(value, "==", literal)

    def numeric(self, value: str, operator: str, literal: int | Decimal) -> str:
        kind = f"(v := {value}).__class__ is int or (v := number(v)) is not None"
        return f"(({kind}) and v {operator} {self.bind(literal)})"

    def one_of(self, value: str, literals: tuple[Literal, ...]) -> str:
        texts = frozenset(literal for literal in literals if isinstance(literal, str))
        truths = frozenset(literal for literal in literals if isinstance(literal, bool))
        numbers = frozenset(literal for literal in literals if not isinstance(literal, str | bool))
        choices = []
        if texts:
            choices.append(f"v.__class__ is str and v in {self.bind(texts)}")
        if truths:
            choices.append(" or ".join(f"v is {truth}" for truth in sorted(truths)))
        if numbers:
            choices.append(f"(v := number(v)) is not None and v in {self.bind(numbers)}")
        return f"(((v := {value}) is not None) and ({' or '.join(choices) or 'False'}))"
