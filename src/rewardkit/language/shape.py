"""How the threads of a segment are written as bytes, and read again."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from rewardkit.errors import InvariantError
from rewardkit.language.dominance import Thread
from rewardkit.language.plan import Chain, Counter, Segment, Slot

_CLOSED_CHAIN = 2
LARGEST = 2**63
LONG = 247
"""A number up to this is one byte; above it the byte says how many bytes follow."""

Slots: TypeAlias = tuple["int | tuple[Shape, ...]", ...]
"""Of each slot the largest number that it may hold, or the shapes of a chain's later steps."""


class Shape(NamedTuple):
    """How the threads of one segment are written."""

    phases: int
    """The last one; 0 where there is no phase to write."""
    slots: Slots


def shape_of(segment: Segment) -> Shape:
    """The shape of a segment's threads."""
    return Shape(segment.last_phase, tuple(_slot(content) for content in segment.slots))


def _slot(content: Slot | None) -> int | tuple[Shape, ...]:
    if isinstance(content, Chain):
        return tuple(shape_of(segment) for segment in content.steps)
    return content.most if isinstance(content, Counter) else 1


def put_number(out: bytearray, number: int) -> None:
    """Writes a number that is not negative, in as few bytes as it needs."""
    if number <= LONG:
        out.append(number)
        return
    length = number.bit_length() + 7 >> 3
    out.append(LONG + length)
    out += number.to_bytes(length, "big")


# What follows runs for every event of every user: numbers are read and written in place where they are one byte.


def write_thread(shape: Shape, thread: Thread, start: int, out: bytearray) -> None:
    """Writes a thread but for its anchor."""
    phases, slots = shape
    if phases:
        put_number(out, thread[1])
    place = 2
    for content in slots:
        value = thread[place]
        place += 1
        if value.__class__ is int:
            if value <= LONG:
                out.append(value)
            else:
                put_number(out, value)
            continue
        assert isinstance(content, tuple)
        out.append(_CLOSED_CHAIN + value[0])
        step = 1
        for inner in content:
            threads = value[step]
            step += 1
            put_number(out, len(threads))
            for one in threads:
                delta = one[0] - start
                put_number(out, delta << 1 if delta >= 0 else (-delta << 1) - 1)
                write_thread(inner, one, start, out)


def read_number(data: bytes, place: int) -> tuple[int, int]:
    """A number, which was written in as few bytes as it needs, and the place behind it."""
    number = data[place]
    place += 1
    if number <= LONG:
        return number, place
    end = place + number - LONG
    number = int.from_bytes(data[place:end], "big")
    if end > len(data) or number <= LONG or data[place] == 0 or number > LARGEST:
        raise corrupt()
    return number, end


def read_thread(shape: Shape, anchor: int, start: int, data: bytes, place: int) -> tuple[Thread, int]:
    """A thread, and the place behind it; past the end of the data, IndexError."""
    phases, slots = shape
    phase = 0
    if phases:
        phase, place = read_number(data, place)
        if phase > phases:
            raise corrupt()
    made: list[Any] = [anchor, phase]
    for content in slots:
        number = data[place]
        if content.__class__ is not int:
            chain, place = _chain(content, start, data, place)  # type: ignore[arg-type]  # not an int: shapes
            made.append(chain)
            continue
        place += 1
        if number > LONG:
            number, place = read_number(data, place - 1)
        if number > content:
            raise corrupt()
        made.append(number)
    return tuple(made), place


def _chain(shapes: tuple[Shape, ...], start: int, data: bytes, place: int) -> tuple[int | tuple[Any, ...], int]:
    bits = data[place]
    place += 1
    if bits < _CLOSED_CHAIN:
        return bits, place
    if bits > _CLOSED_CHAIN + 15:
        raise corrupt()
    lists: list[Any] = [bits - _CLOSED_CHAIN]
    for shape in shapes:
        threads = []
        many, place = read_number(data, place)
        for _ in range(many):
            folded, place = read_number(data, place)
            anchor = start - (folded + 1 >> 1) if folded & 1 else start + (folded >> 1)
            if not 0 <= anchor <= LARGEST:
                raise corrupt()
            thread, place = read_thread(shape, anchor, start, data, place)
            threads.append(thread)
        lists.append(tuple(threads))
    return tuple(lists), place


def corrupt() -> InvariantError:
    """The error for bytes that no state of a program becomes."""
    return InvariantError("a packed state is damaged, or belongs to another condition: refold it from stored events")
