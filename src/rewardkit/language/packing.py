"""States as bytes: small, canonical, and refused when they are not what a program wrote.

One head byte, the start in eight bytes, then numbers relative to the start, one byte each while they are small; a last
byte checks the others and belongs to the program, so that another program's bytes do not pass.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple, TypeAlias

from rewardkit.errors import InvariantError
from rewardkit.language.dominance import Thread
from rewardkit.language.event import LATEST
from rewardkit.language.plan import Chain, Counter, Plan, Segment, Slot
from rewardkit.language.state import PENDING, State, decided

_END = 4
_WAKE = 8
_CLOSED_CHAIN = 2
_LARGEST = 2**63


_LONG = 247
"""A number up to this is one byte; above it the byte says how many bytes follow."""

Slots: TypeAlias = tuple["int | tuple[Shape, ...]", ...]
"""Of each slot the largest number that it may hold, or the shapes of a chain's later steps."""


class Shape(NamedTuple):
    """How the threads of one segment are written."""

    phases: int
    """Of its offsets; none where there is no phase to write."""
    slots: Slots


def _shape(segment: Segment) -> Shape:
    return Shape(len(segment.offsets), tuple(_slot(content) for content in segment.slots))


def _slot(content: Slot | None) -> int | tuple[Shape, ...]:
    if isinstance(content, Chain):
        return tuple(_shape(segment) for segment in content.steps)
    return content.most if isinstance(content, Counter) else 1


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
        self._root = _shape(plan.root)
        self._evers = tuple(_shape(segment) for segment in plan.evers)
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
        for shape, thread in zip(self._evers, state.evers, strict=True):
            _write(shape, thread, start, out)
        _write(self._root, state.root, start, out)
        return self._sealed(out)

    def _sealed(self, out: bytearray) -> bytes:
        out.append(self._check(out))
        return bytes(out)

    def _check(self, body: bytes | bytearray) -> int:
        check = zlib.adler32(body, self._seed)
        return ((check >> 16) + (check & 0xFFFF)) % 251

    def unpack(self, data: bytes) -> State:
        """The state of some bytes, or InvariantError."""
        body = data[:-1]
        if not body or self._check(body) != data[-1]:
            raise _corrupt()
        head = body[0]
        if head == PENDING and self.flat and len(body) == self._many + 1:
            counts = tuple(body[1:])
            for count, most in zip(counts, self._mosts, strict=True):
                if count > most or count > _LONG:
                    raise _corrupt()
            return State(PENDING, None, 0, 0, None, None, (0, 0, *counts), ())
        dated = head in (1, 2) or not self.flat
        start = int.from_bytes(body[1:9], "big") if dated else 0
        if start > LATEST or (dated and len(body) < 9):
            raise _corrupt()
        try:
            return self._read(head, start, body, 9 if dated else 1)
        except IndexError:  # it ended in the middle of a number or before it
            raise _corrupt() from None

    def _read(self, head: int, start: int, body: bytes, place: int) -> State:
        if head in (1, 2):
            cause, place = _number(body, place)
            if cause >= self._causes or place != len(body):
                raise _corrupt()
            return decided(head, start, cause)
        if head & ~(_END | _WAKE):
            raise _corrupt()
        end = wake_at = None
        if head & _END:
            end, place = _number(body, place)
            wake_at = end = start + end
        if head & _WAKE:
            wake_at, place = _number(body, place)
            wake_at += start
            if wake_at == start or (end is not None and wake_at >= end):
                raise _corrupt()
        evers: tuple[Thread, ...] = ()
        for shape in self._evers:
            ever, place = _thread(shape, 0, start, body, place)
            evers = (*evers, ever)
        root, place = _thread(self._root, start, start, body, place)
        if place != len(body):
            raise _corrupt()
        return State(PENDING, None, 0, start, end, wake_at, root, evers)


# What follows runs for every event of every user: numbers are read and written in place where they are one byte.


def _write(shape: Shape, thread: Thread, start: int, out: bytearray) -> None:
    phases, slots = shape
    if phases:
        out.append(thread[1])
    place = 2
    for content in slots:
        value = thread[place]
        place += 1
        if value.__class__ is int:
            if value <= _LONG:
                out.append(value)
            else:
                _put(out, value)
            continue
        assert isinstance(content, tuple)
        out.append(_CLOSED_CHAIN + value[0])
        step = 1
        for inner in content:
            threads = value[step]
            step += 1
            _put(out, len(threads))
            for one in threads:
                delta = one[0] - start
                _put(out, delta << 1 if delta >= 0 else (-delta << 1) - 1)
                _write(inner, one, start, out)


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number, which was written in as few bytes as it needs, and the place behind it."""
    number = data[place]
    place += 1
    if number <= _LONG:
        return number, place
    end = place + number - _LONG
    number = int.from_bytes(data[place:end], "big")
    if end > len(data) or number <= _LONG or data[place] == 0 or number > _LARGEST:
        raise _corrupt()
    return number, end


def _thread(shape: Shape, anchor: int, start: int, data: bytes, place: int) -> tuple[Thread, int]:
    """A thread, and the place behind it; past the end of the data, IndexError."""
    phases, slots = shape
    phase = 0
    if phases:
        phase = data[place]
        place += 1
        if phase > phases:
            raise _corrupt()
    made: list[Any] = [anchor, phase]
    for content in slots:
        number = data[place]
        if content.__class__ is not int:
            chain, place = _chain(content, start, data, place)  # type: ignore[arg-type]  # not an int: shapes
            made.append(chain)
            continue
        place += 1
        if number > _LONG:
            number, place = _number(data, place - 1)
        if number > content:
            raise _corrupt()
        made.append(number)
    return tuple(made), place


def _chain(shapes: tuple[Shape, ...], start: int, data: bytes, place: int) -> tuple[int | tuple[Any, ...], int]:
    bits = data[place]
    place += 1
    if bits < _CLOSED_CHAIN:
        return bits, place
    if bits > _CLOSED_CHAIN + 15:
        raise _corrupt()
    lists: list[Any] = [bits - _CLOSED_CHAIN]
    for shape in shapes:
        threads = []
        many, place = _number(data, place)
        for _ in range(many):
            folded, place = _number(data, place)
            anchor = start - (folded + 1 >> 1) if folded & 1 else start + (folded >> 1)
            if not 0 <= anchor <= _LARGEST:
                raise _corrupt()
            thread, place = _thread(shape, anchor, start, data, place)
            threads.append(thread)
        lists.append(tuple(threads))
    return tuple(lists), place


def _corrupt() -> InvariantError:
    return InvariantError("a packed state is damaged, or belongs to another condition: refold it from stored events")
