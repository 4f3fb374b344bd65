"""States as bytes: small, canonical, and refused when they are not what a program wrote.

One head byte, the start in eight bytes, then variable-length numbers relative to the start, one byte each while they
are small; a last byte checks the others and belongs to the program, so that another program's bytes do not pass.
"""

from __future__ import annotations

import zlib
from typing import Any

from rewardkit.errors import InvariantError
from rewardkit.language.dominance import Thread
from rewardkit.language.event import LATEST
from rewardkit.language.plan import Chain, Counter, Plan, Segment
from rewardkit.language.state import PENDING, State, decided

_END = 4
_WAKE = 8
_CLOSED_CHAIN = 2
_LARGEST = 2**63


def _varint(number: int) -> bytes:
    if number < 128:
        return bytes((number,))
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)


class Packing:
    """Packs and unpacks the states of one program."""

    def __init__(self, plan: Plan, fingerprint: bytes, causes: int) -> None:
        self._plan = plan
        self._seed = zlib.adler32(fingerprint)
        self._causes = causes

    def pack(self, state: State) -> bytes:
        """The bytes of a state."""
        if state.status != PENDING:
            body = bytes((state.status,)) + (state.decided_at or 0).to_bytes(8, "big") + _varint(state.cause)
            return body + self._check(body)
        head, start = PENDING, state.start
        parts = [b"", start.to_bytes(8, "big")]
        if state.end is not None:
            head |= _END
            parts.append(_varint(state.end - start))
        if state.wake_at is not None and state.wake_at != state.end:
            head |= _WAKE
            parts.append(_varint(state.wake_at - start))
        parts[0] = bytes((head,))
        for segment, thread in zip(self._plan.evers, state.evers, strict=True):
            self._write(segment, thread, start, parts)
        self._write(self._plan.root, state.root, start, parts)
        body = b"".join(parts)
        return body + self._check(body)

    def _check(self, body: bytes) -> bytes:
        check = zlib.adler32(body, self._seed)
        return bytes(((check >> 16) + (check & 0xFFFF)) % 251 for _ in range(1))

    def _write(self, segment: Segment, thread: Thread, start: int, parts: list[bytes]) -> None:
        if segment.offsets:
            parts.append(_varint(thread[1]))
        for slot, content in enumerate(segment.slots, start=2):
            value = thread[slot]
            if not isinstance(content, Chain) or isinstance(value, int):
                parts.append(_varint(value))
            else:
                parts.append(_varint(_CLOSED_CHAIN + value[0]))
                for inner, threads in zip(content.steps, value[1:], strict=True):
                    parts.append(_varint(len(threads)))
                    for one in threads:
                        delta = one[0] - start
                        parts.append(_varint(delta << 1 if delta >= 0 else (-delta << 1) - 1))
                        self._write(inner, one, start, parts)

    def unpack(self, data: bytes) -> State:
        """The state of some bytes, or InvariantError."""
        if len(data) < 10 or self._check(data[:-1]) != data[-1:]:
            raise _corrupt()
        head, start = data[0], int.from_bytes(data[1:9], "big")
        if start > LATEST:
            raise _corrupt()
        reader = _Reader(data, 9, len(data) - 1)
        if head in (1, 2):
            cause = reader.number(self._causes - 1)
            reader.finish()
            return decided(head, start, cause)
        if head & ~(_END | _WAKE):
            raise _corrupt()
        end = start + reader.number(_LARGEST) if head & _END else None
        wake_at = start + reader.number(_LARGEST) if head & _WAKE else end
        if head & _WAKE and (wake_at == start or (end is not None and wake_at is not None and wake_at >= end)):
            raise _corrupt()
        evers = tuple(self._read(segment, 0, start, reader) for segment in self._plan.evers)
        root = self._read(self._plan.root, start, start, reader)
        reader.finish()
        return State(PENDING, None, 0, start, end, wake_at, root, evers)

    def _read(self, segment: Segment, anchor: int, start: int, reader: _Reader) -> Thread:
        thread: list[Any] = [anchor, reader.number(len(segment.offsets)) if segment.offsets else 0]
        for content in segment.slots:
            if isinstance(content, Counter):
                thread.append(reader.number(content.most))
            elif isinstance(content, Chain):
                thread.append(self._read_chain(content, start, reader))
            else:
                thread.append(reader.number(1))
        return tuple(thread)

    def _read_chain(self, chain: Chain, start: int, reader: _Reader) -> int | tuple[Any, ...]:
        bits = reader.number(_CLOSED_CHAIN + 15)
        if bits < _CLOSED_CHAIN:
            return bits
        lists: list[Any] = [bits - _CLOSED_CHAIN]
        for segment in chain.steps:
            threads = []
            for _ in range(reader.number(reader.left)):
                folded = reader.number(_LARGEST)
                anchor = start + (-(folded + 1 >> 1) if folded & 1 else folded >> 1)
                if not 0 <= anchor <= _LARGEST:
                    raise _corrupt()
                threads.append(self._read(segment, anchor, start, reader))
            lists.append(tuple(threads))
        return tuple(lists)


class _Reader:
    def __init__(self, data: bytes, place: int, end: int) -> None:
        self._data = data
        self._place = place
        self._end = end

    @property
    def left(self) -> int:
        return self._end - self._place

    def number(self, most: int) -> int:
        """The next number, written in as few bytes as it needs."""
        number = shift = 0
        while True:
            if self._place >= self._end or shift > 63:
                raise _corrupt()
            byte = self._data[self._place]
            self._place += 1
            number |= (byte & 127) << shift
            if byte < 128:
                break
            shift += 7
        if number > most or (shift and byte == 0):
            raise _corrupt()
        return number

    def finish(self) -> None:
        if self._place != self._end:
            raise _corrupt()


def _corrupt() -> InvariantError:
    return InvariantError("a packed state is damaged, or belongs to another condition: refold it from stored events")
