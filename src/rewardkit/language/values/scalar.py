"""Values of properties in a state: told apart by type, numbers by what they come to, written as a few bytes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

from rewardkit.language.values.filter import kind_of
from rewardkit.language.values.number_bytes import (
    corrupt,
    put_long,
    put_number,
    put_signed,
    read_long,
    read_number,
    read_signed,
)

Scalar: TypeAlias = "str | bool | int | Decimal | None"
"""What is kept of a property: None stands for what is there and is neither text, nor number, nor truth."""

Key: TypeAlias = tuple[str, str]
"""A kind and a text: equal where the values are."""

_NONE, _FALSE, _TRUE, _INT, _DECIMAL, _TEXT = range(6)


def kept(value: object) -> Scalar:
    """What has to be kept of a property's value, so that every comparison of it comes out the same."""
    if kind_of(value) == "none":
        return None
    if isinstance(value, float):
        return Decimal(repr(value))
    assert isinstance(value, str | bool | int | Decimal)
    return value


def key_of(value: object) -> Key | None:
    """What a value is told apart by: `1`, `"1"` and `true` differ, `1` and `1.0` do not; None where it is no key."""
    scalar = kept(value)
    if scalar is None:
        return None
    if isinstance(scalar, str):
        return "text", scalar
    if isinstance(scalar, bool):
        return "truth", str(scalar)
    return "number", _spelled(scalar)


def _spelled(number: int | Decimal) -> str:
    """A number's one spelling; exact for every size, without a power of ten being written out."""
    sign, digits, exponent = Decimal(number).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    if not short:
        return "0"
    return f"{'-' * sign}{short}e{exponent + len(text) - len(short)}"


def put_text(out: bytearray, text: str) -> None:
    """Writes a text, which may hold half a surrogate pair."""
    encoded = text.encode("utf-8", "surrogatepass")
    put_number(out, len(encoded))
    out += encoded


def read_text(data: bytes, place: int) -> tuple[str, int]:
    """A text, and the place behind it."""
    length, place = read_number(data, place)
    if place + length > len(data):
        raise corrupt()
    try:
        return data[place : place + length].decode("utf-8", "surrogatepass"), place + length
    except UnicodeDecodeError:
        raise corrupt() from None


def put_scalar(out: bytearray, value: Scalar) -> None:
    """Writes a value with its type."""
    match value:
        case None:
            out.append(_NONE)
        case bool():
            out.append(_TRUE if value else _FALSE)
        case int():
            out.append(_INT)
            put_long(out, value << 1 if value >= 0 else (-value << 1) - 1)
        case Decimal():
            sign, digits, exponent = value.as_tuple()
            assert isinstance(exponent, int)
            out.append(_DECIMAL)
            out.append(sign)
            put_text(out, "".join(map(str, digits)))
            put_signed(out, exponent)
        case _:
            out.append(_TEXT)
            put_text(out, value)


def read_scalar(data: bytes, place: int) -> tuple[Scalar, int]:
    """A value, and the place behind it."""
    kind = data[place]
    place += 1
    match kind:
        case 0:
            return None, place
        case 1 | 2:
            return kind == _TRUE, place
        case 3:
            folded, place = read_long(data, place)
            return (-(folded + 1 >> 1) if folded & 1 else folded >> 1), place
        case 4:
            return _read_decimal(data, place)
        case 5:
            return read_text(data, place)
    raise corrupt()


def _read_decimal(data: bytes, place: int) -> tuple[Any, int]:
    sign = data[place]
    digits, place = read_text(data, place + 1)
    exponent, place = read_signed(data, place)
    if sign > 1 or not digits.isascii() or not digits.isdecimal() or (digits[0] == "0" and digits != "0"):
        raise corrupt()
    return Decimal((sign, tuple(map(int, digits)), exponent)), place
