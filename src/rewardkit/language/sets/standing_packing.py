"""A user's standing as bytes: small, canonical, and refused when they are damaged or another set's."""

from __future__ import annotations

import re
import struct
import sys
import zlib
from array import array
from collections.abc import Callable

from rewardkit.errors import InvariantError
from rewardkit.language.event import LATEST
from rewardkit.language.running.state import State
from rewardkit.language.sets.standing import Standing, code_of

_LAYOUT = 1
_STARTED, _ENDED, _OVER, _MISSING, _STATES = 1, 2, 4, 8, 16
_CODES = "BHI"
_HEAD = struct.Struct("<BBB4sIIHH")
"""Layout, flags, width of counters, lineage, generation; lengths of the counters and of the two rows of bits."""
_CHECK = struct.Struct("<I")
_NOT_ZERO = re.compile(rb"[^\0]+(?:\0{1,2}[^\0]+)*")
_SPARSE = 2**31
_SHORT = 48
"""Up to so many bytes of counters, leaving out zeros costs more time than it spares room."""


def pack(standing: Standing, lineage: bytes, pack_state: Callable[[int, State], bytes | None]) -> bytes:
    """The bytes of a standing.

    Args:
        standing: one user's.
        lineage: four bytes that identify the set's additions up to the standing's generation.
        pack_state: the bytes of a condition's state; None where the condition was removed.
    """
    start, end, missing = standing.start, standing.end, standing.missing
    states = _states(standing, pack_state) if standing.states else b""
    flags = (_STARTED if start is not None else 0) | (_ENDED if end is not None else 0)
    flags |= (_OVER if standing.over else 0) | (_MISSING if missing else 0) | (_STATES if states else 0)
    counts = bytes(_little(standing.counts)).rstrip(b"\0")
    length = len(counts)
    if length > _SHORT and counts.count(0) > length >> 1:
        counts = _pieces(counts)
        length = len(counts) | _SPARSE
    decided, satisfied = standing.decided.rstrip(b"\0"), standing.satisfied.rstrip(b"\0")
    code = _CODES.index(code_of(standing.counts))
    head = _HEAD.pack(_LAYOUT, flags, code, lineage, standing.generation, length, len(decided), len(satisfied))
    parts: list[bytes | bytearray] = [head, counts, decided, satisfied]
    if flags:
        rest = bytearray()
        for at in (start, end):
            if at is not None:
                _put(rest, at)
        if missing:
            _put(rest, len(missing))
            for number in sorted(missing):
                _put(rest, number)
        rest += states
        parts.append(rest)
    body = b"".join(parts)
    return body + _CHECK.pack(zlib.crc32(body))


def _states(standing: Standing, pack_state: Callable[[int, State], bytes | None]) -> bytes:
    """Of each condition that has left its opening: number, timer and state."""
    out = bytearray()
    for number in sorted(standing.states):
        state = standing.states[number]
        packed = state if isinstance(state, bytes) else pack_state(number, state)
        if packed is not None:
            _put(out, number)
            _put(out, standing.wakes.get(number, -1) + 1)
            _put(out, len(packed))
            out += packed
    return bytes(out)


def generation_of(data: bytes) -> tuple[bytes, int]:
    """The lineage and the generation that a standing was packed under.

    Raises:
        InvariantError: the bytes are damaged.
    """
    if len(data) < _HEAD.size + 4 or data[0] != _LAYOUT or zlib.crc32(data[:-4]) != _CHECK.unpack(data[-4:])[0]:
        raise corrupt()
    _, _, _, lineage, generation, *_ = _HEAD.unpack_from(data)
    return lineage, generation


def unpack(data: bytes, slots: int) -> Standing:
    """The standing of bytes that `generation_of` has accepted.

    Raises:
        InvariantError: they were not written by `pack`.
    """
    _, flags, code, _, generation, length, decided, satisfied = _HEAD.unpack_from(data)
    read = _Reader(data[:-4], _HEAD.size)
    if code >= len(_CODES):
        raise corrupt()
    written = read.take(length & ~_SPARSE)
    written = _unpieced(written) if length & _SPARSE else written
    counts: bytearray | array[int]
    if code == 0:
        counts = bytearray(_padded(written, slots))
    else:
        counts = array(_CODES[code])
        counts.frombytes(_padded(written, slots * counts.itemsize))
    room = generation + 7 >> 3
    bits = bytearray(_padded(read.take(decided), room)), bytearray(_padded(read.take(satisfied), room))
    start = read.number() if flags & _STARTED else None
    end = read.number() if flags & _ENDED else None
    if max(start or 0, end or 0) > LATEST:
        raise corrupt()
    made = Standing(start, end, generation)
    made.counts = _little(counts)
    made.decided, made.satisfied = bits
    made.over = bool(flags & _OVER)
    if flags & _MISSING:
        made.missing = frozenset(read.number() for _ in range(read.number()))
    if flags & _STATES:
        while read.place < len(read.data):
            number, wake = read.number(), read.number()
            made.states[number] = read.take(read.number())
            if wake:
                made.wakes[number] = wake - 1
    if read.place != len(read.data) or max((*made.states, *made.missing), default=0) >= max(generation, 1):
        raise corrupt()
    return made


def _padded(data: bytes, length: int) -> bytes:
    if len(data) > length:
        raise corrupt()
    return data.ljust(length, b"\0")


def _little(counts: bytearray | array[int]) -> bytearray | array[int]:
    if sys.byteorder == "big" and not isinstance(counts, bytearray):
        counts = counts[:]
        counts.byteswap()
    return counts


def _put(out: bytearray, number: int) -> None:
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _pieces(data: bytes) -> bytes:
    """What is not zero, each piece with the zeros before it and its own length."""
    out = bytearray()
    place = 0
    for found in _NOT_ZERO.finditer(data):
        _put(out, found.start() - place)
        _put(out, found.end() - found.start())
        out += found[0]
        place = found.end()
    return bytes(out)


def _unpieced(data: bytes) -> bytes:
    read, made = _Reader(data, 0), bytearray()
    while read.place < len(data):
        gap = read.number()
        if gap > _SPARSE:
            raise corrupt()
        made += bytes(gap)
        made += read.take(read.number())
    return bytes(made)


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


def corrupt() -> InvariantError:
    """Bytes that no set wrote."""
    return InvariantError("a packed standing is damaged, or belongs to another set: fold it anew from stored events")
