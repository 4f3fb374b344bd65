"""Columns as PostgreSQL's array literals: one parameter holds a whole column of a batch.

The driver's own dumping of lists costs a microsecond a value, and names a type that varies with the values,
so that one statement would be prepared several times.
"""

from __future__ import annotations

from collections.abc import Iterable


def text_array(values: Iterable[str]) -> str:
    """Text, each quoted."""
    quoted = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def integer_array(values: Iterable[int | None]) -> str:
    """Integers; nothing is written NULL."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def bytes_array(values: Iterable[bytes]) -> str:
    """Bytes, in hexadecimal."""
    return "{" + ",".join(['"\\\\x' + value.hex() + '"' for value in values]) + "}"
