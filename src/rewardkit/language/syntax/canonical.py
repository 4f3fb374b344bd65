"""The canonical structure of a tree: what identifies a condition to a program, typed and without places."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from typing import Any

import attrs


def structure(value: Any) -> str:
    """A text that two trees share exactly when they mean the same by construction.

    `1` and `1.0` are one number; `1` and `true` are not.
    """
    if isinstance(value, tuple):
        return f"({','.join(map(structure, value))})"
    if attrs.has(type(value)):
        fields = [structure(getattr(value, field.name)) for field in attrs.fields(type(value)) if field.eq]
        return f"{type(value).__name__}({','.join(fields)})"
    if isinstance(value, Decimal):
        sign, digits, exponent = value.normalize().as_tuple()
        if isinstance(exponent, int) and 0 <= exponent <= 40:
            return repr(int(value))
        return f"{'-' * sign}{''.join(map(str, digits))}e{exponent}"
    return repr(value)


def fingerprint(text: str) -> bytes:
    """Eight bytes that a changed structure changes."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
