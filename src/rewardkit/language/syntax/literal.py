"""Numbers, texts and lengths of time as they are written, and back."""

from __future__ import annotations

import re
from decimal import Decimal

from rewardkit.language.limits import DAY_MICROSECONDS
from rewardkit.language.tree import Calendar, Elapsed, Span

_PART = re.compile(r"([0-9]+)(ms|s|m|h|d|w)")
_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_MICROSECONDS = {
    "w": 7 * DAY_MICROSECONDS,
    "d": DAY_MICROSECONDS,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
}


def read_number(text: str) -> int | Decimal:
    """The exact value of a number whose digits have been bounded: an int where it is whole, else a Decimal.

    Trailing zeros are dropped, so that equal numbers are equal trees with one spelling.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text[:48]}` is not a number")
    whole, fraction, power = match.group(1), match.group(2) or "", int(match.group(3) or "0")
    digits, places = whole + fraction, len(fraction) - power
    if places < 0:
        digits, places = digits + "0" * -places, 0
    digits = digits.rjust(places + 1, "0")
    kept = digits[len(digits) - places :].rstrip("0") if places else ""
    head = digits[: len(digits) - places] if places else digits
    return Decimal(f"{head}.{kept}") if kept else int(head)


def write_number(number: int | Decimal) -> str:
    """A number in plain digits."""
    if isinstance(number, int):
        return str(number)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_text(literal: str) -> str:
    """The content of a text in double quotes."""
    body = literal[1:-1]
    return re.sub(r"\\(.)", r"\1", body) if "\\" in body else body


def write_text(text: str) -> str:
    """A text in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_elapsed(text: str) -> Elapsed:
    """A length of elapsed time such as `1d12h`; its digits have been bounded."""
    return Elapsed(sum(int(amount) * _MICROSECONDS[unit] for amount, unit in _PART.findall(text)))


def write_span(span: Span) -> str:
    """A span in its one spelling: days downwards, so that `2w` is written `14d`."""
    if isinstance(span, Calendar):
        return f"{span.count} calendar {span.unit}{'' if span.count == 1 else 's'}"
    left, parts = span.microseconds, []
    for unit in ("d", "h", "m", "s", "ms"):
        amount, left = divmod(left, _MICROSECONDS[unit])
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"
