"""A user's standing as bytes: small, canonical, and refused when they are damaged or another set's."""

from __future__ import annotations

import re
import sys
import zlib
from array import array
from collections.abc import Callable

from rewardkit.errors import InvariantError
from rewardkit.language.event import LATEST
from rewardkit.language.standing import Standing
from rewardkit.language.state import State

_LAYOUT = 1
_STARTED, _ENDED, _OVER = 1, 2, 4
_CODES = "BHI"
_NOT_ZERO = re.compile(rb"[^\0]+(?:\0{1,2}[^\0]+)*")


def pack(standing: Standing, lineage: bytes, pack_state: Callable[[int, State], bytes | None]) -> bytes:
    """The bytes of a standing.

    Args:
        standing: one user's.
        lineage: four bytes that identify the set's additions up to the standing's generation.
        pack_state: the bytes of a condition's state; None where the condition was removed.
    """
    start, end = standing.start, standing.end
    flags = (
        (_STARTED if start is not None else 0) | (_ENDED if end is not None else 0) | (_OVER if standing.over else 0)
    )
    out = bytearray((_LAYOUT, flags))
    out += lineage
    _put(out, standing.generation)
    if start is not None:
        _put(out, start)
    if end is not None:
        _put(out, end)
    _put(out, _CODES.index(standing.counts.typecode))
    _put_bytes(out, _little(standing.counts).tobytes())
    _put_bytes(out, standing.decided)
    _put_bytes(out, standing.satisfied)
    _put(out, len(standing.missing))
    for number in sorted(standing.missing):
        _put(out, number)
    for number in sorted(standing.states):
        state = standing.states[number]
        packed = state if isinstance(state, bytes) else pack_state(number, state)
        if packed is not None:
            _put(out, number)
            _put(out, standing.wakes.get(number, -1) + 1)
            _put(out, len(packed))
            out += packed
    out += zlib.crc32(out).to_bytes(4, "big")
    return bytes(out)


def generation_of(data: bytes) -> tuple[bytes, int]:
    """The lineage and the generation that a standing was packed under.

    Raises:
        InvariantError: the bytes are damaged.
    """
    if len(data) < 12 or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "big") or data[0] != _LAYOUT:
        raise corrupt()
    return data[2:6], _Reader(data, 6).number()


def unpack(data: bytes, slots: int) -> Standing:
    """The standing of bytes that `generation_of` has accepted.

    Raises:
        InvariantError: they were not written by `pack`.
    """
    read = _Reader(data[:-4], 6)
    generation = read.number()
    flags = data[1]
    start = read.number() if flags & _STARTED else None
    end = read.number() if flags & _ENDED else None
    if max(start or 0, end or 0) > LATEST:
        raise corrupt()
    made = Standing(start, end, generation)
    made.over = bool(flags & _OVER)
    code = read.number()
    if code >= len(_CODES):
        raise corrupt()
    made.counts = array(_CODES[code])
    made.counts.frombytes(read.bytes(slots * made.counts.itemsize))
    made.counts = _little(made.counts)
    made.decided = bytearray(read.bytes(generation + 7 >> 3))
    made.satisfied = bytearray(read.bytes(generation + 7 >> 3))
    made.missing = frozenset(read.number() for _ in range(read.number()))
    while read.place < len(read.data):
        number, wake = read.number(), read.number()
        if number >= generation:
            raise corrupt()
        made.states[number] = read.take(read.number())
        if wake:
            made.wakes[number] = wake - 1
    return made


def _little(counts: array[int]) -> array[int]:
    if sys.byteorder == "big":
        counts = counts[:]
        counts.byteswap()
    return counts


def _put(out: bytearray, number: int) -> None:
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _put_bytes(out: bytearray, data: bytes | bytearray) -> None:
    """Bytes whose length the reader knows: without the zeros at their end, or in pieces where most are zeros."""
    plain = data.rstrip(b"\0")
    pieces = bytearray()
    place = many = 0
    for found in _NOT_ZERO.finditer(plain):
        _put(pieces, found.start() - place)
        _put(pieces, found.end() - found.start())
        pieces += found[0]
        place = found.end()
        many += 1
    if len(pieces) < len(plain):
        _put(out, many << 1 | 1)
        out += pieces
    else:
        _put(out, len(plain) << 1)
        out += plain


class _Reader:
    def __init__(self, data: bytes, place: int) -> None:
        self.data = data
        self.place = place

    def number(self) -> int:
        number = shift = 0
        while True:
            if self.place >= len(self.data) or shift > 63:
                raise corrupt()
            byte = self.data[self.place]
            self.place += 1
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7

    def take(self, length: int) -> bytes:
        if length > len(self.data) - self.place:
            raise corrupt()
        self.place += length
        return self.data[self.place - length : self.place]

    def bytes(self, length: int) -> bytes:
        head = self.number()
        if not head & 1:
            made = bytearray(self.take(head >> 1))
        else:
            made = bytearray()
            for _ in range(head >> 1):
                gap, many = self.number(), self.number()
                if gap > length:
                    raise corrupt()
                made += bytes(gap)
                made += self.take(many)
        if len(made) > length:
            raise corrupt()
        return bytes(made.ljust(length, b"\0"))


def corrupt() -> InvariantError:
    """Bytes that no set wrote."""
    return InvariantError("a packed standing is damaged, or belongs to another set: fold it anew from stored events")
