"""States as bytes: small, canonical, and refused when they are not what a program wrote.

One head byte, the start in eight bytes, then numbers relative to the start, one byte each while they are small; a last
byte checks the others and belongs to the program, so that another program's bytes do not pass.
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


_LONG = 247
"""A number up to this is one byte; above it the byte says how many bytes follow."""


def _put(out: bytearray, number: int) -> None:
    if number <= _LONG:
        out.append(number)
        return
    length = number.bit_length() + 7 >> 3
    out.append(_LONG + length)
    out += number.to_bytes(length, "big")


class Packing:
    """Packs and unpacks the states of one program."""

    def __init__(self, plan: Plan, fingerprint: bytes, causes: int) -> None:
        self._plan = plan
        self._seed = zlib.adler32(fingerprint)
        self._causes = causes
        counters = [slot for slot in plan.root.slots if isinstance(slot, Counter)]
        self.flat = len(counters) == len(plan.root.slots) and not plan.evers and not plan.root.offsets
        """Whether a state is nothing but counters, one byte each while they are small: the commonest, and quickest."""
        self._many = len(counters)
        self._mosts = tuple(counter.most for counter in counters)

    def pack(self, state: State) -> bytes:
        """The bytes of a state."""
        out = bytearray((state.status,))
        if state.status != PENDING:
            out += (state.decided_at or 0).to_bytes(8, "big")
            _put(out, state.cause)
            return self._sealed(out)
        start, end, wake_at = state.start, state.end, state.wake_at
        if self.flat and wake_at is None and max(state.root[2:]) <= _LONG:
            out += bytes(state.root[2:])
            return self._sealed(out)
        if not self.flat:
            out += start.to_bytes(8, "big")
        if end is not None:
            out[0] |= _END
            _put(out, end - start)
        if wake_at is not None and wake_at != end:
            out[0] |= _WAKE
            _put(out, wake_at - start)
        for segment, thread in zip(self._plan.evers, state.evers, strict=True):
            self._write(segment, thread, start, out)
        self._write(self._plan.root, state.root, start, out)
        return self._sealed(out)

    def _sealed(self, out: bytearray) -> bytes:
        out += self._check(out)
        return bytes(out)

    def _check(self, body: bytes | bytearray) -> bytes:
        check = zlib.adler32(body, self._seed)
        return bytes((((check >> 16) + (check & 0xFFFF)) % 251,))

    def _write(self, segment: Segment, thread: Thread, start: int, out: bytearray) -> None:
        if segment.offsets:
            out.append(thread[1])
        for value, content in zip(thread[2:], segment.slots, strict=True):
            if value.__class__ is not tuple:
                _put(out, value)
                continue
            assert isinstance(content, Chain)
            out.append(_CLOSED_CHAIN + value[0])
            for inner, threads in zip(content.steps, value[1:], strict=True):
                _put(out, len(threads))
                for one in threads:
                    delta = one[0] - start
                    _put(out, delta << 1 if delta >= 0 else (-delta << 1) - 1)
                    self._write(inner, one, start, out)

    def unpack(self, data: bytes) -> State:
        """The state of some bytes, or InvariantError."""
        if len(data) < 2 or self._check(data[:-1]) != data[-1:]:
            raise _corrupt()
        head = data[0]
        if head == PENDING and self.flat and len(data) == self._many + 2:
            counts = tuple(data[1:-1])
            for count, most in zip(counts, self._mosts, strict=True):
                if count > most or count > _LONG:
                    raise _corrupt()
            return State(PENDING, None, 0, 0, None, None, (0, 0, *counts), ())
        dated = head in (1, 2) or not self.flat
        start = int.from_bytes(data[1:9], "big") if dated else 0
        if start > LATEST or (dated and len(data) < 10):
            raise _corrupt()
        reader = _Reader(data[:-1], 9 if dated else 1)
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
    def __init__(self, data: bytes, place: int) -> None:
        self._data = data
        self._place = place

    @property
    def left(self) -> int:
        return len(self._data) - self._place

    def number(self, most: int) -> int:
        """The next number, which was written in as few bytes as it needs."""
        data, place = self._data, self._place
        if place >= len(data):
            raise _corrupt()
        number = data[place]
        place += 1
        if number > _LONG:
            end = place + number - _LONG
            number = int.from_bytes(data[place:end], "big")
            if end > len(data) or number <= _LONG or data[place] == 0:
                raise _corrupt()
            place = end
        if number > most:
            raise _corrupt()
        self._place = place
        return number

    def finish(self) -> None:
        if self._place != len(self._data):
            raise _corrupt()


def _corrupt() -> InvariantError:
    return InvariantError("a packed state is damaged, or belongs to another condition: refold it from stored events")
