"""What may be told of a command, an answer and an error: names, counts and codes.

Nothing else is read from them: users, codes, properties, bodies, reasons and the texts of errors are the host's, and a
log or a trace has other readers than its database.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import attrs

from rewardkit.errors import Refused, StoreError

Told: TypeAlias = dict[str, str | int]

COUNTS: Final = frozenset({"users", "delivered", "failed", "overtaken"})
"""Whole numbers in answers that count; others may be money, or lead to a person."""


def name_of(asked: object) -> str:
    """The name of a command or a query, also where a caller passed what is none."""
    return type(asked).__name__


def counts_of(record: object) -> Told:
    """How many of each kind a command or an answer lists; what it lists none of is left out."""
    return {name: count for name, value in _values(record) if (count := _count(name, value))}


def facts_of_answer(answer: object) -> Told:
    """That it is an answer and what it counts, or that it is a refusal and which."""
    if isinstance(answer, Refused):
        return {"outcome": "refused", "refusal": answer.code}
    return {"outcome": "answered", **counts_of(answer)}


def facts_of_error(error: BaseException) -> Told:
    """Its kind, and whether anything may have happened where a store could not; never its text."""
    told: Told = {"outcome": "failed", "error": type(error).__name__}
    if isinstance(error, StoreError):
        told["applied"] = error.outcome
    return told


def _values(record: Any) -> Iterator[tuple[str, Any]]:
    names = getattr(record, "_fields", None)
    if names is None:
        names = [field.name for field in attrs.fields(type(record))] if attrs.has(type(record)) else []
    return ((name, getattr(record, name)) for name in names)


def _count(name: str, value: object) -> int:
    if isinstance(value, tuple):
        return len(value)
    return value if name in COUNTS and type(value) is int else 0
