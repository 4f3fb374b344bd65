"""How the slots of families are written as bytes, and read again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

import attrs

from rewardkit.language import tree
from rewardkit.language.event import Instant
from rewardkit.language.planning.plan import Nested, Run
from rewardkit.language.running.chain import FOREVER, TRUE, VALUE
from rewardkit.language.running.dominance import Thread
from rewardkit.language.running.kept import Keeping
from rewardkit.language.running.ledger import Ledger
from rewardkit.language.running.streaks import alternatives
from rewardkit.language.values.exact import Number
from rewardkit.language.values.number_bytes import (
    LARGEST,
    corrupt,
    put_long,
    put_number,
    put_signed,
    read_long,
    read_number,
    read_signed,
)
from rewardkit.language.values.scalar import put_scalar, put_text, read_scalar, read_text

WriteThread: TypeAlias = Callable[[Thread, Instant, bytearray], None]
ReadThread: TypeAlias = Callable[[Instant, Instant, bytes, int], tuple[Thread, int]]
"""From an anchor, the start of the whole scope, the bytes and a place in them."""

OPEN = 2
"""First byte of an open slot; 0 and 1 stand for a decided one."""
_KINDS = ("text", "truth", "number")


class FamilyShape(Protocol):
    """Writes the open slots of one family; anchors are those of the thread around."""

    def write(self, slot: Any, start: Instant, out: bytearray) -> None: ...

    def read(self, data: bytes, place: int, anchor: Instant, start: Instant) -> tuple[Any, int]: ...


def _put_due(out: bytearray, due: Instant) -> None:
    put_number(out, 0 if due == FOREVER else due + 2)


def _read_due(data: bytes, place: int) -> tuple[Instant, int]:
    due, place = read_number(data, place)
    return (due - 2 if due else FOREVER), place


def _bits(data: bytes, place: int, most: int) -> tuple[int, int]:
    bits = data[place] - OPEN
    if not 0 <= bits <= most:
        raise corrupt()
    return bits, place + 1


@attrs.frozen
class KeptShape:
    """Of `in last`, and of a condition that is judged anew."""

    keeping: Keeping
    whole: bool

    def write(self, slot: Any, start: Instant, out: bytearray) -> None:
        bits, due, *opened, kept = slot
        out.append(OPEN + bits)
        _put_due(out, due)
        for number in opened:
            put_number(out, number)
        self.keeping.write(kept, start, out)

    def read(self, data: bytes, place: int, anchor: Instant, start: Instant) -> tuple[Any, int]:  # noqa: ARG002 - every family is asked alike
        bits, place = _bits(data, place, 7)
        due, place = _read_due(data, place)
        if not self.whole:
            kept, place = self.keeping.read(data, place, start)
            return (bits, due, kept), place
        anchored, place = read_number(data, place)
        before, place = read_number(data, place)
        kept, place = self.keeping.read(data, place, start)
        if anchored > 1 or before > len(kept):
            raise corrupt()
        return (bits, due, anchored, before, kept), place


@attrs.frozen
class RingShape:
    """Of a count `in any`: bits, and the newest places, each after the one before it."""

    least: int

    def write(self, slot: Any, start: Instant, out: bytearray) -> None:
        bits, places = slot
        out.append(OPEN + bits)
        put_number(out, len(places))
        for place in places:
            put_signed(out, place - start)
            start = place

    def read(self, data: bytes, place: int, anchor: Instant, start: Instant) -> tuple[Any, int]:  # noqa: ARG002 - every family is asked alike
        bits, place = _bits(data, place, VALUE | TRUE)
        many, place = read_number(data, place)
        if many >= self.least:
            raise corrupt()
        places: list[Instant] = []
        for _ in range(many):
            after, place = read_signed(data, place)
            start += after
            if not 0 <= start <= LARGEST or (places and after < 0):
                raise corrupt()
            places.append(start)
        return (bits, tuple(places)), place


@attrs.frozen
class TotalsShape:
    """Of counts and sums `in any`: bits, the total, and of each open window its beginning and the total before it."""

    def write(self, slot: Any, start: Instant, out: bytearray) -> None:
        bits, total, ledger = slot
        out.append(OPEN + bits)
        put_scalar(out, total)
        put_number(out, len(ledger))
        for at, before in ledger.entries:
            put_signed(out, at - start)
            put_scalar(out, before)
            start = at

    def read(self, data: bytes, place: int, anchor: Instant, start: Instant) -> tuple[Any, int]:  # noqa: ARG002 - every family is asked alike
        bits, place = _bits(data, place, VALUE | TRUE)
        total, place = _read_amount(data, place)
        many, place = read_number(data, place)
        entries: list[tuple[Instant, Number]] = []
        for _ in range(many):
            after, place = read_signed(data, place)
            before, place = _read_amount(data, place)
            start += after
            if not 0 <= start <= LARGEST or (entries and after < 0):
                raise corrupt()
            entries.append((start, before))
        return (bits, total, Ledger(entries)), place


def _read_amount(data: bytes, place: int) -> tuple[Number, int]:
    value, place = read_scalar(data, place)
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise corrupt()
    return value, place


@attrs.frozen
class WindowsShape:
    """Of `in any` and `in one`: bits, the close of the newest bucket, and threads."""

    write_thread: WriteThread
    read_thread: ReadThread
    closes: bool

    def write(self, slot: Any, start: Instant, out: bytearray) -> None:
        bits, *close, threads = slot
        out.append(OPEN + bits)
        for instant in close:
            put_number(out, instant)
        put_number(out, len(threads))
        for thread in threads:
            put_signed(out, thread[0] - start)
            self.write_thread(thread, start, out)

    def read(self, data: bytes, place: int, anchor: Instant, start: Instant) -> tuple[Any, int]:  # noqa: ARG002 - every family is asked alike
        bits, place = _bits(data, place, VALUE | TRUE)
        close: tuple[Instant, ...] = ()
        if self.closes:
            instant, place = read_number(data, place)
            close = (instant,)
        many, place = read_number(data, place)
        threads = []
        for _ in range(many):
            after, place = read_signed(data, place)
            if not 0 <= start + after <= LARGEST:
                raise corrupt()
            thread, place = self.read_thread(start + after, start, data, place)
            threads.append(thread)
        return (bits, *close, tuple(threads)), place


@attrs.frozen
class KeysShape:
    """Of `by`: bits, the next timer, and of each key what is known, its timer and its thread."""

    write_thread: WriteThread
    read_thread: ReadThread

    def write(self, slot: Any, start: Instant, out: bytearray) -> None:
        bits, _, entries = slot
        out.append(OPEN + bits)
        put_number(out, len(entries))
        for (kind, text), known, due, thread in entries:
            out.append(_KINDS.index(kind) << 3 | (4 if thread else 0) | known)
            put_text(out, text)
            if thread:
                _put_due(out, due)
                self.write_thread(thread, start, out)

    def read(self, data: bytes, place: int, anchor: Instant, start: Instant) -> tuple[Any, int]:
        bits, place = _bits(data, place, VALUE | TRUE)
        many, place = read_number(data, place)
        entries: list[Any] = []
        for _ in range(many):
            head = data[place]
            text, place = read_text(data, place + 1)
            due, thread = FOREVER, ()
            if head >> 3 >= len(_KINDS):
                raise corrupt()
            if head & 4:
                due, place = _read_due(data, place)
                thread, place = self.read_thread(anchor, start, data, place)
            key = (_KINDS[head >> 3], text)
            if entries and key <= entries[-1][0]:
                raise corrupt()
            entries.append((key, head & 3, due, thread))
        return (bits, min((entry[2] for entry in entries), default=FOREVER), tuple(entries)), place


@attrs.frozen
class RunShape:
    """Of a `streak`: a bucket, the good ones before it, and counts."""

    leasts: tuple[int, ...]
    many: int

    def write(self, slot: Any, start: Instant, out: bytearray) -> None:  # noqa: ARG002 - every family is asked alike
        day, good, counts = slot
        out.append(OPEN)
        put_number(out, day)
        put_long(out, good)
        for count in counts:
            put_number(out, count)

    def read(self, data: bytes, place: int, anchor: Instant, start: Instant) -> tuple[Any, int]:  # noqa: ARG002 - every family is asked alike
        _, place = _bits(data, place, 0)
        day, place = read_number(data, place)
        good, place = read_long(data, place)
        if not 1 <= day <= date.max.toordinal() or good.bit_length() > self.many:
            raise corrupt()
        counts = []
        for least in () if good & 1 else self.leasts:
            count, place = read_number(data, place)
            if count >= least:
                raise corrupt()
            counts.append(count)
        return (day, good, tuple(counts)), place


def family_shape(
    content: Nested | Run, write_thread: WriteThread | None, read_thread: ReadThread | None
) -> FamilyShape:
    """The shape of a family's slots, given how the threads of its body are written."""
    node = content.node
    if isinstance(content, Run):
        assert isinstance(content.node.span, tree.Calendar)
        return RunShape(tuple(one.least for one in alternatives(content.node.body)), content.node.span.count)
    if content.body is None and isinstance(node, tree.InAny) and not content.whole:
        if isinstance(node.body, tree.Comparison):
            return TotalsShape()
        assert isinstance(node.body, tree.AtLeast)
        return RingShape(node.body.least)
    if write_thread is None or read_thread is None:
        return KeptShape(Keeping.of(node), whole=content.whole)
    if isinstance(node, tree.By):
        return KeysShape(write_thread, read_thread)
    return WindowsShape(write_thread, read_thread, closes=isinstance(node, tree.InOne))
