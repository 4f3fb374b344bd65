"""A user's standing as bytes: small, canonical, and refused when they are damaged or another set's.

Head, counters, the two rows of bits, then what there is of start, end, missing conditions, and states with timers.
It is read and written in slices and rows, with a loop over nothing but the states that have left their opening.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, compress, pairwise

from rewardkit.errors import InvariantError
from rewardkit.language.event import LATEST
from rewardkit.language.standing import Standing, code_of
from rewardkit.language.state import State

_LAYOUT = 2
_STARTED, _ENDED, _OVER, _MISSING, _STATES, _SPARSE = 1, 2, 4, 8, 16, 32
_CODES = "BHI"
_HEAD = struct.Struct("<BBB4sIIHH")
"""Layout, flags, width of counters, lineage, generation; lengths of the counters and of the two rows of bits."""
_CHECK = struct.Struct("<I")
_INSTANT = struct.Struct("<q")
_MANY = struct.Struct("<I")
_ROWS = struct.Struct("<IIB")
"""How many states there are, how many timers, and the width of the states' lengths."""
_SHORT = 256
"""Up to so many bytes, or where one in eight is not zero, leaving out zeros costs more time than it spares room."""
_ONES = bytes([ord("0"), *(ord("1") for _ in range(255))])
_BITS = bytes(number == ord("1") for number in range(256))
_SWAP = sys.byteorder == "big"

PackState = Callable[[int, State], bytes | None]


def pack(standing: Standing, lineage: bytes, pack_state: PackState) -> bytes:
    """The bytes of a standing.

    Args:
        standing: one user's.
        lineage: four bytes that identify the set's additions up to the standing's generation.
        pack_state: the bytes of a condition's state; None where the condition was removed.
    """
    flags = 0
    rest = b""
    if standing.start is not None:
        flags |= _STARTED
        rest += _INSTANT.pack(standing.start)
    if standing.end is not None:
        flags |= _ENDED | (_OVER if standing.over else 0)
        rest += _INSTANT.pack(standing.end)
    if standing.missing:
        flags |= _MISSING
        rest += _MANY.pack(len(standing.missing)) + _row(_width(standing.generation), sorted(standing.missing))
    states = _states(standing, pack_state) if standing.states else b""
    if states:
        flags |= _STATES
        rest += states
    values = standing.counts
    written: bytes | bytearray = values if isinstance(values, bytearray) else _row(values.typecode, values)
    counts = written.rstrip(b"\0")
    length = len(counts)
    if _is_sparse(counts):
        flags |= _SPARSE
        counts = _squeezed(counts)
    decided, satisfied = standing.decided.rstrip(b"\0"), standing.satisfied.rstrip(b"\0")
    code = _CODES.index(code_of(values))
    head = _HEAD.pack(_LAYOUT, flags, code, lineage, standing.generation, length, len(decided), len(satisfied))
    body = b"".join((head, counts, decided, satisfied, rest))
    return body + _CHECK.pack(zlib.crc32(body))


def _states(standing: Standing, pack_state: PackState) -> bytes:
    """Of conditions that have left their opening: numbers, lengths, numbers of those with timers, timers, states."""
    packed = {}
    for number, state in sorted(standing.states.items(), key=_number):
        data = state if isinstance(state, bytes) else pack_state(number, state)
        if data is not None:
            packed[number] = data
    if not packed:
        return b""
    timed = sorted(packed.keys() & standing.wakes.keys())
    lengths = [len(data) for data in packed.values()]
    code, width = _width(max(lengths, default=0) + 1), _width(standing.generation)
    return b"".join(
        (
            _ROWS.pack(len(packed), len(timed), _CODES.index(code)),
            _row(width, packed),
            _row(code, lengths),
            _row(width, timed),
            _row("q", [standing.wakes[number] for number in timed]),
            *packed.values(),
        )
    )


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
    if code >= len(_CODES) or length > slots << code:
        raise corrupt()
    place = _HEAD.size
    written: bytes | bytearray
    if flags & _SPARSE:
        written, place = _spread(data, place, length)
    else:
        written, place = data[place : place + length], place + length
    made = Standing(None, None, generation)
    if code == 0:
        made.counts = bytearray(_padded(written, slots))
    else:
        made.counts = array(_CODES[code])
        made.counts.frombytes(_padded(written, slots * made.counts.itemsize))
        if _SWAP:
            made.counts.byteswap()
    room, middle, end = generation + 7 >> 3, place + decided, place + decided + satisfied
    made.decided = bytearray(_padded(data[place:middle], room))
    made.satisfied = bytearray(_padded(data[middle:end], room))
    if flags & ~_SPARSE:
        try:
            end = _rest(made, flags, data, end)
        except (struct.error, ValueError, IndexError):
            raise corrupt() from None
    if end != len(data) - 4:
        raise corrupt()
    return made


def _rest(made: Standing, flags: int, data: bytes, place: int) -> int:
    """What only some standings have; where it ends."""
    if flags & _STARTED:
        (made.start,) = _INSTANT.unpack_from(data, place)
        place += _INSTANT.size
    if flags & _ENDED:
        (made.end,) = _INSTANT.unpack_from(data, place)
        place += _INSTANT.size
        made.over = bool(flags & _OVER)
    if not (0 <= (made.start or 0) <= LATEST and 0 <= (made.end or 0) <= LATEST):
        raise corrupt()
    width = _width(made.generation)
    if flags & _MISSING:
        (many,) = _MANY.unpack_from(data, place)
        missing, place = _read(width, data, place + _MANY.size, many)
        made.missing = frozenset(missing)
    if flags & _STATES:
        many, timed, code = _ROWS.unpack_from(data, place)
        numbers, place = _read(width, data, place + _ROWS.size, many)
        lengths, place = _read(_CODES[code], data, place, many)
        woken, place = _read(width, data, place, timed)
        wakes, place = _read("q", data, place, timed)
        made.wakes = dict(zip(woken, wakes, strict=True))
        ends = list(accumulate(lengths, initial=place))
        made.states = {number: data[first:last] for number, (first, last) in zip(numbers, pairwise(ends), strict=True)}
        place = ends[-1]
        if not made.wakes.keys() <= made.states.keys():
            raise corrupt()
    if max((*made.states, *made.missing), default=-1) >= made.generation:
        raise corrupt()
    return place


def _number(item: tuple[int, State | bytes]) -> int:
    return item[0]


def _width(generation: int) -> str:
    """The code of a row of numbers below this one."""
    return "B" if generation <= 2**8 else "H" if generation <= 2**16 else "I"


def _row(code: str, numbers: Iterable[int]) -> bytes:
    row = array(code, numbers)
    if _SWAP:
        row.byteswap()
    return row.tobytes()


def _read(code: str, data: bytes, place: int, many: int) -> tuple[Sequence[int], int]:
    row = array(code)
    end = place + many * row.itemsize
    row.frombytes(data[place:end])
    if _SWAP:
        row.byteswap()
    if len(row) != many:
        raise corrupt()
    return row, end


def _padded(data: bytes | bytearray, length: int) -> bytes | bytearray:
    if len(data) > length:
        raise corrupt()
    return data.ljust(length, b"\0")


def _is_sparse(data: bytes | bytearray) -> bool:
    return len(data) > _SHORT and data.count(0) > len(data) * 7 >> 3


def _squeezed(data: bytes | bytearray) -> bytes:
    """Which bytes are not zero, a bit each, and those; the bits are squeezed in turn where they are mostly zeros."""
    bits = int(data.translate(_ONES), 2).to_bytes(len(data) + 7 >> 3, "big")
    values = data.translate(None, b"\0")
    if _is_sparse(bits):
        return b"".join((b"\1", _squeezed(bits), values))
    return b"".join((b"\0", bits, values))


def _spread(data: bytes, place: int, length: int) -> tuple[bytearray, int]:
    """What was squeezed, and where it ends."""
    room = length + 7 >> 3
    if data[place]:
        if room <= _SHORT:
            raise corrupt()
        bits: bytes | bytearray
        bits, place = _spread(data, place + 1, room)
    else:
        bits, place = data[place + 1 : place + 1 + room], place + 1 + room
    flags = f"{int.from_bytes(bits, 'big'):0{length}b}".encode().translate(_BITS)
    end = place + flags.count(1)
    if len(flags) != length or end > len(data):
        raise corrupt()
    made = bytearray(length)
    for slot, value in zip(compress(range(length), flags), data[place:end], strict=True):
        made[slot] = value
    return made, end


def corrupt() -> InvariantError:
    """Bytes that no set wrote."""
    return InvariantError("a packed standing is damaged, or belongs to another set: fold it anew from stored events")
