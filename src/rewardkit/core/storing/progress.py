"""One user's packed progress: which campaigns she has entered, and the state of every condition still open for her.

Layout, all little-endian: a header (layout, slots, timers, bytes of `entered`, bytes of `held`), the two bit sets, the
slots' keys, the slots' lengths, the timers' keys, the timers' instants, the slots' payloads.
Keys are sorted, and a slot's payload is found without decoding the others: an event touches only what listens to it.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from rewardkit.errors import InvariantError

LAYOUT = 2
"""Of the packed bytes. Others are refused: a change of layout, or of a condition's packing, needs a migration."""

ENTRY, ACTIVE, COUNTS = 0, 1, 2
"""Kinds of slots of one campaign: an entry that waits for its start, its active user offers, the counts of entries."""

ENTRIES = 3
"""The key of the slot of all entry conditions; it belongs to no campaign."""

REFERRAL = 3
"""The kind of the slots of referral programs, counted from 1: what an open referral's condition has come to."""

_AUDIENCES = 1 << 28
"""What audiences are counted from, behind all referral programs: they belong to no campaign either."""

_SENT = 1 << 27
"""What referral campaigns are counted from, for the slots of what a sender was drawn for in them; the same holds."""

_HEADER = struct.Struct("<BHHHH")
_COUNTS = struct.Struct("<HH")
_NUMBER = struct.Struct("<H")
_WHOLE = struct.Struct("<HHHq")
_NOT_YET = -1
_SWAP = sys.byteorder == "big"


def key(campaign_id: int, kind: int) -> int:
    """The key of a campaign's slot: campaign in the high bits, kind in the low two."""
    return campaign_id << 2 | kind


def audience_key(number: int) -> int:
    """The key of an audience's slot."""
    return key(_AUDIENCES + number, REFERRAL)


def is_audience(slot: int) -> bool:
    """Whether a slot is an audience's."""
    return slot >= key(_AUDIENCES, 0)


def audience_of(slot: int) -> int:
    """The number of the audience whose slot it is."""
    return (slot >> 2) - _AUDIENCES


def _array(code: str, data: bytes) -> array[int]:
    numbers = array(code)
    numbers.frombytes(data)
    if _SWAP:
        numbers.byteswap()
    return numbers


def _bytes(numbers: array[int]) -> bytes:
    if _SWAP:
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()


class Progress:
    """A user's progress, unpacked as little as possible; changed in place and packed again."""

    __slots__ = ("_begins", "_keys", "_lengths", "_payloads", "_timed", "_wakes", "changed", "entered", "held")

    def __init__(self, state: bytes = b"") -> None:
        self.changed = False
        self._begins: list[int] | None = None
        self.entered = 0
        """Bit set by campaign id: the entry condition has been decided."""
        self.held = 0
        """Bit set by campaign id: exactly one entry was made, and its place under the caps is still taken."""
        if state:
            self._unpack(state)
        else:
            self._keys, self._lengths = array("I"), array("I")
            self._timed, self._wakes = array("I"), array("q")
            self._payloads = bytearray()

    def _unpack(self, state: bytes) -> None:
        try:
            layout, slots, timers, entered, held = _HEADER.unpack_from(state)
            if layout != LAYOUT:
                raise InvariantError(f"progress has layout {layout}, this version reads {LAYOUT}")
            at = _HEADER.size
            self.entered = int.from_bytes(state[at : at + entered], "little")
            self.held = int.from_bytes(state[at + entered : at + entered + held], "little")
            at += entered + held
            self._keys = _array("I", state[at : at + 4 * slots])
            at += 4 * slots
            self._lengths = _array("I", state[at : at + 4 * slots])
            at += 4 * slots
            self._timed = _array("I", state[at : at + 4 * timers])
            at += 4 * timers
            self._wakes = _array("q", state[at : at + 8 * timers])
            at += 8 * timers
        except (struct.error, ValueError) as error:
            raise InvariantError(f"progress cannot be read: {error}") from None
        self._payloads = bytearray(state[at:])
        if len(self._lengths) != slots or len(self._wakes) != timers or sum(self._lengths) != len(self._payloads):
            raise InvariantError("progress cannot be read: its parts do not fit together")

    def pack(self) -> bytes:
        """The bytes that are stored; a user with nothing going on has none."""
        if not (self._keys or self.entered or self.held):
            return b""
        entered = self.entered.to_bytes((self.entered.bit_length() + 7) // 8, "little")
        held = self.held.to_bytes((self.held.bit_length() + 7) // 8, "little")
        header = _HEADER.pack(LAYOUT, len(self._keys), len(self._timed), len(entered), len(held))
        return b"".join(
            (
                header,
                entered,
                held,
                _bytes(self._keys),
                _bytes(self._lengths),
                _bytes(self._timed),
                _bytes(self._wakes),
                self._payloads,
            )
        )

    def get(self, slot: int) -> bytes | None:
        """A slot's payload, or None."""
        index = bisect_left(self._keys, slot)
        if index == len(self._keys) or self._keys[index] != slot:
            return None
        begin = self._places()[index]
        return bytes(self._payloads[begin : begin + self._lengths[index]])

    def _places(self) -> list[int]:
        """Where the slots' payloads begin, and where the last one ends; worked out again after a length has changed."""
        if self._begins is None:
            self._begins = list(accumulate(self._lengths, initial=0))
        return self._begins

    def repeat(self, slots: Iterable[int], name: str, steps: Mapping[tuple[int, bytes, str], bytes]) -> list[int]:
        """Take the known steps, what a slot's payload becomes by an event's name; give the slots that are left.

        The loop that every event pays for, so everything in it is local.
        """
        keys, payloads, many = self._keys, self._payloads, len(self._keys)
        begins = self._places()
        left = []
        for slot in slots:
            index = bisect_left(keys, slot)
            if index == many or keys[index] != slot:
                continue
            begin, end = begins[index], begins[index + 1]
            payload = bytes(payloads[begin:end])
            after = steps.get((slot, payload, name))
            if after is None or len(after) != end - begin:
                left.append(slot)
            elif after != payload:
                payloads[begin:end] = after
                self.changed = True
        return left

    def put(self, slot: int, payload: bytes, wake_at: int | None = None) -> None:
        """Set a slot, and when time alone may change it."""
        self.changed = True
        index = bisect_left(self._keys, slot)
        begin = self._places()[index]
        if index < len(self._keys) and self._keys[index] == slot:
            length = self._lengths[index]
            self._payloads[begin : begin + length] = payload
            if length != len(payload):
                self._lengths[index] = len(payload)
                self._begins = None
        else:
            self._begins = None
            self._keys.insert(index, slot)
            self._lengths.insert(index, len(payload))
            self._payloads[begin:begin] = payload
        self.time(slot, wake_at)

    def drop(self, slot: int) -> None:
        """Forget a slot, if it is there."""
        index = bisect_left(self._keys, slot)
        if index == len(self._keys) or self._keys[index] != slot:
            return
        self.changed = True
        begin = self._places()[index]
        self._begins = None
        del self._payloads[begin : begin + self._lengths[index]]
        del self._keys[index], self._lengths[index]
        self.time(slot, None)

    def time(self, slot: int, wake_at: int | None) -> None:
        """Say when time alone may change a slot."""
        index = bisect_left(self._timed, slot)
        there = index < len(self._timed) and self._timed[index] == slot
        if wake_at is None:
            if there:
                del self._timed[index], self._wakes[index]
        elif there:
            self._wakes[index] = wake_at
        else:
            self._timed.insert(index, slot)
            self._wakes.insert(index, wake_at)

    @property
    def wake_at(self) -> int | None:
        """When time alone may next change any slot."""
        return min(self._wakes) if self._wakes else None

    def due(self, now: int) -> list[int]:
        """The slots that time may have changed by `now`, earliest first, then by key."""
        found = [(wake, slot) for slot, wake in zip(self._timed, self._wakes, strict=True) if wake <= now]
        return [slot for _, slot in sorted(found)]

    def slots(self, kind: int) -> Iterator[int]:
        """The ids of the campaigns that have a slot of this kind."""
        return (slot >> 2 for slot in self._keys.tolist() if slot & 3 == kind)

    # --- variants of one referral campaign -----------------------------------------------------

    def sent(self, campaign_id: int) -> int:
        """The number of the variant that the user has referred on in a referral campaign; 0 where there is none."""
        payload = self.get(key(_SENT + campaign_id, REFERRAL))
        return 0 if payload is None else int(_NUMBER.unpack(payload)[0])

    def send(self, campaign_id: int, number: int) -> None:
        """Set what `sent` gives."""
        self.put(key(_SENT + campaign_id, REFERRAL), _NUMBER.pack(number))

    # --- entries of one campaign ---------------------------------------------------------------

    def counts(self, campaign_id: int) -> tuple[int, int]:
        """(made, taken): how many entries were made, and how many of them take a place under the user's cap."""
        if self.held >> campaign_id & 1:
            return 1, 1
        payload = self.get(key(campaign_id, COUNTS))
        if payload is None:
            return 0, 0
        made, taken = _COUNTS.unpack_from(payload)
        return made, taken

    def count(self, campaign_id: int, made: int, taken: int) -> None:
        """Set what `counts` gives."""
        drawn, reopens_at = self._further(campaign_id)
        if drawn or reopens_at != _NOT_YET:
            self.put(key(campaign_id, COUNTS), _WHOLE.pack(made, taken, drawn, reopens_at))
            return
        self.changed = True
        bit = 1 << campaign_id
        if (made, taken) == (1, 1):
            self.held |= bit
            self.drop(key(campaign_id, COUNTS))
            return
        self.held &= ~bit
        if made:
            self.put(key(campaign_id, COUNTS), _COUNTS.pack(made, taken))
        else:
            self.drop(key(campaign_id, COUNTS))

    def _further(self, campaign_id: int) -> tuple[int, int]:
        payload = self.get(key(campaign_id, COUNTS)) or b""
        if len(payload) != _WHOLE.size:
            return 0, _NOT_YET
        _, _, drawn, reopens_at = _WHOLE.unpack(payload)
        return drawn, reopens_at

    def drawn(self, campaign_id: int) -> int:
        """What the user was drawn for, packed; 0 where nothing was kept."""
        return self._further(campaign_id)[0]

    def reopens_at(self, campaign_id: int) -> int:
        """The instant before which she may not enter again; before everything where there is none."""
        return self._further(campaign_id)[1]

    def keep(self, campaign_id: int, *, drawn: int = 0, reopens_at: int = _NOT_YET) -> None:
        """Keep what the user was drawn for, or when she may enter again; what is not given stays."""
        made, taken = self.counts(campaign_id)
        before = self._further(campaign_id)
        self.held &= ~(1 << campaign_id)
        values = drawn or before[0], before[1] if reopens_at == _NOT_YET else reopens_at
        self.put(key(campaign_id, COUNTS), _WHOLE.pack(made, taken, *values))

    def enter(self, campaign_id: int, *, decided: bool) -> None:
        """Say whether the entry condition has been decided; its slot goes with that."""
        bit = 1 << campaign_id
        self.changed = True
        if decided:
            self.entered |= bit
            self.drop(key(campaign_id, ENTRY))
        else:
            self.entered &= ~bit
