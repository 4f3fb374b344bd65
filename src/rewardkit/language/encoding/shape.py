"""How the threads of a segment are written as bytes, and read again."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple, TypeAlias

from rewardkit.language.encoding.family_shape import OPEN, FamilyShape, family_shape
from rewardkit.language.encoding.holding import Holding
from rewardkit.language.planning.gauge import OTHER, Gauge
from rewardkit.language.planning.plan import Chain, Counter, Nested, Run, Segment, Slot
from rewardkit.language.running.dominance import Thread
from rewardkit.language.values.number_bytes import (
    LARGEST,
    LONG,
    corrupt,
    put_number,
    put_signed,
    read_number,
    read_signed,
)

_CLOSED_CHAIN = 2

Content: TypeAlias = "int | tuple[Shape, ...] | FamilyShape | Holding"
"""Of a slot the largest number that it may hold, the shapes of a chain's later steps, or what writes its content."""


class Shape(NamedTuple):
    """How the threads of one segment are written."""

    phases: int
    """The last one; 0 where there is no phase to write."""
    slots: tuple[Content, ...]


def shape_of(segment: Segment) -> Shape:
    """The shape of a segment's threads."""
    return Shape(segment.last_phase, tuple(_slot(content) for content in segment.slots))


def _slot(content: Slot | None) -> Content:
    if isinstance(content, Chain):
        return tuple(shape_of(segment) for segment in content.steps)
    if isinstance(content, Run):
        return family_shape(content, None, None)
    if isinstance(content, Nested):
        body = None if content.body is None else shape_of(content.body)
        return family_shape(content, body and partial(write_thread, body), body and partial(read_thread, body))
    if isinstance(content, Gauge):
        return OTHER if content.coded else LARGEST if content.kind == "numbers" else Holding(content)
    return content.most if isinstance(content, Counter) else 1


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
        if content.__class__ is int:
            if value <= LONG:
                out.append(value)
            else:
                put_number(out, value)
            continue
        if isinstance(content, Holding):
            content.write(out, value)
            continue
        if value.__class__ is int:
            out.append(value)
            continue
        if not isinstance(content, tuple):
            assert not isinstance(content, int)
            content.write(value, start, out)
            continue
        out.append(_CLOSED_CHAIN + value[0])
        step = 1
        for inner in content:
            threads = value[step]
            step += 1
            put_number(out, len(threads))
            for one in threads:
                put_signed(out, one[0] - start)
                write_thread(inner, one, start, out)


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
            slot: Any
            assert not isinstance(content, int)
            if isinstance(content, tuple):
                slot, place = _chain(content, start, data, place)
            elif isinstance(content, Holding):
                slot, place = content.read(data, place)
            elif number < OPEN:
                slot, place = number, place + 1
            else:
                slot, place = content.read(data, place, anchor, start)
            made.append(slot)
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
            after, place = read_signed(data, place)
            anchor = start + after
            if not 0 <= anchor <= LARGEST:
                raise corrupt()
            thread, place = read_thread(shape, anchor, start, data, place)
            threads.append(thread)
        lists.append(tuple(threads))
    return tuple(lists), place
