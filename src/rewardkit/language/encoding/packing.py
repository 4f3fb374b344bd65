"""States as bytes: small, canonical, and refused when they are not what a program wrote.

One head byte, the start in eight bytes, then numbers relative to the start, one byte each while they are small; a last
byte checks the others and belongs to the program, so that another program's bytes do not pass.
"""

from __future__ import annotations

import zlib

from rewardkit.language.encoding.shape import Shape, read_thread, shape_of, write_thread
from rewardkit.language.event import LATEST
from rewardkit.language.planning.plan import Counter, Plan
from rewardkit.language.running.dominance import Thread
from rewardkit.language.running.state import IMPOSSIBLE, PENDING, SATISFIED, State, decided
from rewardkit.language.values.number_bytes import LONG, corrupt, put_number, read_number

_END = 4
_WAKE = 8
_HELD = 16


class Packing:
    """Packs and unpacks the states of one program."""

    def __init__(self, plan: Plan, fingerprint: bytes, causes: int) -> None:
        self._root = shape_of(plan.root)
        self._evers = tuple(shape_of(segment) for segment in plan.evers)
        self._derived = plan.derived
        self._seed = zlib.adler32(fingerprint)
        self._causes = causes
        counters = [slot for slot in plan.root.slots if isinstance(slot, Counter)]
        self.flat = len(counters) == len(plan.root.slots) and not plan.evers and not plan.root.bounds
        """Whether a state is nothing but counters, one byte each while they are small: the commonest, and quickest."""
        self._many = len(counters)
        self._mosts = tuple(counter.most for counter in counters)

    def pack(self, state: State) -> bytes:
        """The bytes of a state."""
        out = bytearray((state.status,))
        if state.status != PENDING:
            out += (state.decided_at or 0).to_bytes(8, "big")
            put_number(out, state.cause)
            return self._sealed(out)
        start, end, wake_at = state.start, state.end, state.wake_at
        held = state.decided_at
        if self.flat and wake_at is None and held is None and max(state.root[2:]) <= LONG:
            out += bytes(state.root[2:])
            return self._sealed(out)
        if not self.flat:
            out += start.to_bytes(8, "big")
        if end is not None:
            out[0] |= _END
            put_number(out, end - start)
        if wake_at is not None and wake_at != end:
            out[0] |= _WAKE
            put_number(out, wake_at - start)
        if held is not None:
            out[0] |= _HELD
            put_number(out, held - start)
            put_number(out, state.cause)
        for number, (shape, thread) in enumerate(zip(self._evers, state.evers, strict=True)):
            if number in self._derived:
                out.append(thread[0] if len(thread) == 1 else PENDING)
            if len(thread) > 1:
                write_thread(shape, thread, start, out)
        write_thread(self._root, state.root, start, out)
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
            raise corrupt()
        head = body[0]
        if head == PENDING and self.flat and len(body) == self._many + 1:
            counts = tuple(body[1:])
            for count, most in zip(counts, self._mosts, strict=True):
                if count > most or count > LONG:
                    raise corrupt()
            return State(PENDING, None, 0, 0, None, None, (0, 0, *counts), ())
        dated = head in (1, 2) or not self.flat
        start = int.from_bytes(body[1:9], "big") if dated else 0
        if start > LATEST or (dated and len(body) < 9):
            raise corrupt()
        try:
            return self._read(head, start, body, 9 if dated else 1)
        except IndexError:  # it ended in the middle of a number or before it
            raise corrupt() from None

    def _read(self, head: int, start: int, body: bytes, place: int) -> State:
        if head in (1, 2):
            cause, place = read_number(body, place)
            if cause >= self._causes or place != len(body):
                raise corrupt()
            return decided(head, start, cause)
        if head & ~(_END | _WAKE | _HELD):
            raise corrupt()
        end = wake_at = held = None
        cause = 0
        if head & _END:
            end, place = read_number(body, place)
            wake_at = end = start + end
        if head & _WAKE:
            wake_at, place = read_number(body, place)
            wake_at += start
            if wake_at == start or (end is not None and wake_at >= end):
                raise corrupt()
        if head & _HELD:
            held, place = read_number(body, place)
            held += start
            cause, place = read_number(body, place)
            if cause >= self._causes:
                raise corrupt()
        evers: tuple[Thread, ...] = ()
        for number, shape in enumerate(self._evers):
            ever, place = self._ever(number, shape, start, body, place)
            evers = (*evers, ever)
        root, place = read_thread(self._root, start, start, body, place)
        if place != len(body):
            raise corrupt()
        return State(PENDING, held, cause, start, end, wake_at, root, evers)

    def _ever(self, number: int, shape: Shape, start: int, body: bytes, place: int) -> tuple[Thread, int]:
        """A shared segment's thread, and the place behind it."""
        widened = self._derived.get(number)
        if widened is not None:
            status = body[place]
            place += 1
            if status in (SATISFIED, IMPOSSIBLE):
                return (status,), place
            if status != PENDING:
                raise corrupt()
        return read_thread(shape, start if widened is False else 0, start, body, place)
