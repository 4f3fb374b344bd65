"""States that hold events back, as bytes."""

from __future__ import annotations

import json
import zlib
from typing import Any

from rewardkit.errors import InvariantError
from rewardkit.language.encoding.event_data import read_events, write_events
from rewardkit.language.event import Instant, Position
from rewardkit.language.folding.program import Program
from rewardkit.language.folding.timely_state import TimelyState
from rewardkit.language.running.state import State


class TimelyPacking:
    """Packs and unpacks the states of one program with one lateness: JSON with a checksum that belongs to both."""

    def __init__(self, program: Program, certain: Program | None, lateness: Instant) -> None:
        self._program = program
        self._certain = certain
        self._seed = zlib.crc32(lateness.to_bytes(8, "big"), zlib.crc32(program.fingerprint))

    def pack(self, state: TimelyState) -> bytes:
        """The bytes of a state."""
        decider = self._certain if state.at_once else self._program
        data = [
            state.opening,
            state.end,
            state.now,
            state.place,
            _packed(decider, state.released),
            int(state.at_once),
            _packed(self._certain, state.certain_released),
            write_events(state.earlier),
            write_events(state.held),
        ]
        body = json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode()
        return zlib.crc32(body, self._seed).to_bytes(4, "big") + body

    def unpack(self, data: bytes) -> TimelyState:
        """The state of some bytes, or InvariantError; its positive part has to be folded anew."""
        if zlib.crc32(data[4:], self._seed).to_bytes(4, "big") != data[:4]:
            raise InvariantError(
                "a packed state is damaged, or belongs to another condition or lateness: refold it from stored events"
            )
        opening, end, now, place, released, at_once, certain, earlier, held = json.loads(data[4:])
        decider = self._certain if at_once else self._program
        return TimelyState(
            _position(opening),
            end,
            now,
            _position(place),
            _unpacked(decider, released),
            bool(at_once),
            _unpacked(self._certain, certain),
            None,
            read_events(earlier),
            read_events(held),
        )


def _position(data: Any) -> Position | None:
    return None if data is None else Position(*data)


def _packed(program: Program | None, state: State | None) -> str | None:
    return None if program is None or state is None else program.pack(state).hex()


def _unpacked(program: Program | None, packed: str | None) -> State | None:
    return None if program is None or packed is None else program.unpack(bytes.fromhex(packed))
