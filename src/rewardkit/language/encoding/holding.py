"""What gauges hold as bytes: typed values, exact numbers and sets, each in one form alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from rewardkit.language.planning.gauge import DAYS_BACK, TEXT, Gauge
from rewardkit.language.values.exact import EXACT, plain
from rewardkit.language.values.number_bytes import (
    corrupt,
    put_long,
    put_number,
    put_signed,
    read_long,
    read_number,
    read_signed,
)
from rewardkit.language.values.scalar import put_text, read_text

_NOTHING, _NO_NUMBER, _WHOLE, _NEGATIVE, _DECIMAL, _NEGATIVE_DECIMAL, _TEXT, _FALSE, _TRUE = range(9)
_LARGEST_EXPONENT = 10**17
_LATEST_DAY = 3_652_059
"""The last date that there is, as the calendar numbers them."""


@attrs.frozen
class Holding:
    """How the content of one gauge is written."""

    gauge: Gauge

    def write(self, out: bytearray, held: Any) -> None:
        """Appends a content."""
        if self.gauge.kind == "distinct":
            put_number(out, len(held))
            for value in sorted(map(_written, held)):
                out += value
        elif self.gauge.kind == "days":
            for number in held:
                put_number(out, number)
        elif held is TEXT:
            out.append(_NO_NUMBER)
        else:
            out += _written(held)

    def read(self, data: bytes, place: int) -> tuple[Any, int]:
        """A content and the place behind it; InvariantError or IndexError where there is none."""
        if self.gauge.kind == "distinct":
            return self._values(data, place)
        if self.gauge.kind == "days":
            return self._days(data, place)
        if data[place] in (_NO_NUMBER, _NOTHING):
            held = TEXT if data[place] == _NO_NUMBER else None
            if self.gauge.kind == "sum" or (held is TEXT and self.gauge.kind != "first"):
                raise corrupt()
            return held, place + 1
        value, place = _value(data, place)
        if value.__class__ is str or value.__class__ is tuple:
            raise corrupt()
        return value, place

    def _values(self, data: bytes, place: int) -> tuple[frozenset[Any], int]:
        many, place = read_number(data, place)
        if self.gauge.most is not None and many > self.gauge.most:
            raise corrupt()
        values = []
        before = b""
        for _ in range(many):
            value, end = _value(data, place)
            if data[place:end] <= before:
                raise corrupt()
            before, place = data[place:end], end
            values.append(value)
        return frozenset(values), place

    def _days(self, data: bytes, place: int) -> tuple[tuple[int, int, int], int]:
        many, place = read_number(data, place)
        newest, place = read_number(data, place)
        before, place = read_number(data, place)
        most = self.gauge.most
        if (many == 0) != (newest == 0) or newest > _LATEST_DAY or before >> DAYS_BACK or before.bit_count() > many:
            raise corrupt()
        if most is not None and many > most:
            raise corrupt()
        return (many, newest, before), place


def _written(value: Any) -> bytes:
    """A value with its type before it; a truth value comes as a tuple of itself."""
    out = bytearray()
    if value is None:
        out.append(_NOTHING)
    elif value.__class__ is int:
        out.append(_NEGATIVE if value < 0 else _WHOLE)
        put_long(out, abs(value))
    elif value.__class__ is str:
        out.append(_TEXT)
        put_text(out, value)
    elif value.__class__ is tuple:
        out.append(_TRUE if value[0] else _FALSE)
    else:
        sign, _, exponent = value.as_tuple()
        out.append(_NEGATIVE_DECIMAL if sign else _DECIMAL)
        put_signed(out, exponent)
        put_long(out, abs(int(value.scaleb(-exponent, EXACT))))
    return bytes(out)


def _value(data: bytes, place: int) -> tuple[Any, int]:
    kind = data[place]
    place += 1
    if kind in (_FALSE, _TRUE):
        return (kind == _TRUE,), place
    if kind == _TEXT:
        return read_text(data, place)
    if kind in (_WHOLE, _NEGATIVE):
        number, place = read_long(data, place)
        if kind == _NEGATIVE and number == 0:
            raise corrupt()
        return (-number if kind == _NEGATIVE else number), place
    if kind not in (_DECIMAL, _NEGATIVE_DECIMAL):
        raise corrupt()
    exponent, place = read_signed(data, place)
    number, place = read_long(data, place)
    if abs(exponent) > _LARGEST_EXPONENT:
        raise corrupt()
    value = Decimal(-number if kind == _NEGATIVE_DECIMAL else number).scaleb(exponent, EXACT)
    same = plain(value)
    if not isinstance(same, Decimal) or same.as_tuple() != value.as_tuple():
        raise corrupt()
    return value, place
