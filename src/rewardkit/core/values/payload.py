"""Properties as JSON: one canonical text for one meaning, decimals exact, both ways guarded."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from rewardkit.core.values import limits
from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError

_SURROGATE = re.compile("[\x00\ud800-\udfff]")
_write_flat = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_PLAIN = frozenset({str, int, bool, type(None)})


def write(properties: Mapping[str, Any], what: str = "properties", *, most: int = limits.PAYLOAD_BYTES) -> str:
    """The canonical JSON of an object: keys sorted, no blanks, numbers exact (a float counts as its shortest decimal).

    Raises:
        ValidationError: for what JSON or a store cannot keep exactly: NaN, infinities, other types, keys that are not
            text, NUL and lone surrogates, whole numbers beyond 2**53 - 1, decimals beyond 38 digits or an exponent of
            18, more than 16 levels, more than `most` bytes.
    """
    if not properties:
        return "{}"
    text = _flat(properties) if type(properties) is dict else None
    if text is None:
        parts: list[str] = []
        _write(properties, what, 1, parts)
        text = "".join(parts)
    if len(text) > most or len(text.encode()) > most:
        raise ValidationError(f"{what} take more than {most} bytes as JSON")
    return text


def _flat(properties: dict[str, Any]) -> str | None:
    """The common case, quickly: one level of texts, small whole numbers, booleans and nulls."""
    for key, value in properties.items():
        kind = type(value)
        if (
            type(key) is not str
            or kind not in _PLAIN
            or (kind is int and not -limits.INTEGER <= value <= limits.INTEGER)
        ):
            return None
    text = _write_flat(properties)
    if "\\u0000" in text or not (text.isascii() or not _SURROGATE.search(text)):
        return None
    return text


def _write(value: Any, where: str, depth: int, parts: list[str]) -> None:
    if depth > limits.PAYLOAD_DEPTH + 1:
        raise ValidationError(f"{where} is nested deeper than {limits.PAYLOAD_DEPTH} levels")
    if value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        if _SURROGATE.search(value):
            raise ValidationError(f"{where} holds a NUL or a lone surrogate: leave it out")
        parts.append(_write_flat(str(value)))
    elif isinstance(value, int | float | Decimal):
        parts.append(_number(value, where))
    elif isinstance(value, Mapping):
        _write_object(value, where, depth, parts)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        parts.append("[")
        for index, item in enumerate(value):
            parts.append("," if index else "")
            _write(item, f"{where}[{index}]", depth + 1, parts)
        parts.append("]")
    else:
        raise ValidationError(
            f"{where} is a `{type(value).__name__}`, which JSON has no word for: pass text or a number"
        )


def _write_object(value: Mapping[Any, Any], where: str, depth: int, parts: list[str]) -> None:
    for key in value:
        if not isinstance(key, str) or _SURROGATE.search(key):
            raise ValidationError(f"{where} has a key that is not clean text: `{show(str(key))}`")
    parts.append("{")
    for index, key in enumerate(sorted(value)):
        parts.append(f"{',' if index else ''}{_write_flat(key)}:")
        _write(value[key], f"{where}.{show(key)}", depth + 1, parts)
    parts.append("}")


def _number(value: float | Decimal, where: str) -> str:
    if isinstance(value, int):
        if not -limits.INTEGER <= value <= limits.INTEGER:
            raise ValidationError(f"{where} is a whole number beyond {limits.INTEGER}: pass it as text")
        return int.__repr__(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValidationError(f"{where} is `{value}`, which is not a number")
        value = Decimal(repr(value))
    written = str(exact(value, where))
    # A decimal without a point is read back as a whole number.
    return written if "." in written or "E" in written else _number(int(value), where)


def exact(value: Decimal, where: str) -> Decimal:
    """A decimal that is safe to compute with, as it is.

    Raises:
        ValidationError: for NaN, infinities, more than 38 digits or an exponent beyond 18.
    """
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValidationError(f"{where} is `{value}`, which is not a number")
    if len(digits) > limits.DECIMAL_DIGITS or abs(exponent) > limits.DECIMAL_EXPONENT:
        raise ValidationError(
            f"{where} has more than {limits.DECIMAL_DIGITS} digits or an exponent beyond {limits.DECIMAL_EXPONENT}"
        )
    return value


def read(text: str | bytes, what: str = "properties", *, most: int = limits.PAYLOAD_BYTES) -> Any:
    """JSON from outside or from a store: decimals exact, duplicate keys, NaN, depth and size refused.

    Raises:
        ValidationError: where it is not such JSON.
    """
    if len(text) > most:
        raise ValidationError(f"{what} take more than {most} bytes as JSON")
    try:
        return json.loads(
            text,
            parse_float=_read_decimal,
            parse_int=_read_integer,
            parse_constant=_refuse,
            object_pairs_hook=_read_object,
        )
    except RecursionError:
        raise ValidationError(f"{what} are nested deeper than {limits.PAYLOAD_DEPTH} levels") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValidationError(f"{what} are not JSON: {error}") from None


def _read_decimal(literal: str) -> Decimal:
    if len(literal) > limits.DECIMAL_DIGITS + 8:
        raise ValidationError(f"number `{show(literal)}` has more than {limits.DECIMAL_DIGITS} digits")
    return exact(Decimal(literal), f"number `{literal}`")


def _read_integer(literal: str) -> int:
    if len(literal) > 17:
        raise ValidationError(f"number `{show(literal)}` is beyond {limits.INTEGER}: pass it as text")
    return int(literal)


def _refuse(literal: str) -> NoReturn:
    raise ValidationError(f"`{literal}` is not a number")


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValidationError(f"key `{show(twice)}` is there twice")
    return found


def is_plain(properties: Mapping[str, Any]) -> bool:
    """Whether these properties are what `read(write(…))` gives back, so that neither has to be done."""
    return not properties or (type(properties) is dict and all(type(value) in _PLAIN for value in properties.values()))
