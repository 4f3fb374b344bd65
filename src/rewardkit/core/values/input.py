"""Checks and normal forms of what callers pass in, so that every store is given the same and nothing it cannot keep."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from rewardkit.core.values import limits
from rewardkit.errors import ValidationError

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MASKED_CHARACTERS = 10
_PRINTABLE = re.compile("[ -~]*")


def text(value: object, what: str, *, most: int = limits.NAME_CHARACTERS) -> str:
    """A name, id or key: text in NFC of 1 to `most` characters, without control characters and lone surrogates.

    Raises:
        ValidationError: where it is not.
    """
    if not isinstance(value, str):
        raise ValidationError(f"{what} must be text, not `{type(value).__name__}`")
    if not value:
        raise ValidationError(f"{what} must not be empty")
    if len(value) > most:
        raise ValidationError(f"{what} has {len(value)} characters, at most {most} are kept")
    if _PRINTABLE.fullmatch(value):
        return value
    if _FORBIDDEN.search(value):
        raise ValidationError(f"{what} `{show(value)}` has a control character or a lone surrogate")
    normal = unicodedata.normalize("NFC", value)
    if len(normal) > most:
        raise ValidationError(f"{what} has {len(normal)} characters in NFC, at most {most} are kept")
    return normal


def show(value: str) -> str:
    """A caller's text as it may stand in a message: short, on one line, encodable."""
    return value[:64].encode("unicode_escape").decode("ascii")


def masked(code: object) -> str:
    """A code as it may stand in a message: its ends, where enough is left out between them to keep it from a reader."""
    code = str(code)
    return f"{show(code[:2])}…{show(code[-2:])}" if len(code) >= _MASKED_CHARACTERS else "…"


def integer(value: object, what: str, *, least: int = -limits.INTEGER, most: int = limits.INTEGER) -> int:
    """A whole number between `least` and `most`; `True` and `1.0` are not numbers here.

    Raises:
        ValidationError: where it is not.
    """
    if type(value) is not int:
        shown = show(repr(value)) if isinstance(value, bool | float) else type(value).__name__
        raise ValidationError(f"{what} must be a whole number, not `{shown}`")
    if not least <= value <= most:
        raise ValidationError(
            f"{what} must lie between {least} and {most}, not `{value}`"
            if abs(value) < 10**20
            else f"{what} must lie between {least} and {most}"
        )
    return value


def mapping(value: object, what: str) -> Mapping[str, Any]:
    """A mapping, whose keys are checked where it is written.

    Raises:
        ValidationError: where it is not.
    """
    if not isinstance(value, Mapping):
        raise ValidationError(f"{what} must be a mapping, not `{type(value).__name__}`")
    return value
