"""The active user offers of one campaign and one user, as their slot keeps them.

One behind the other: offer number, entry, flags, what it takes of periods and money where it does, and the packed
state of its condition. A state that another offer follows has its length before it; the last, and nearly always only,
one takes the rest of the slot.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from rewardkit.core.definitions.taking import Taking
from rewardkit.errors import InvariantError

_HEAD = struct.Struct("<IHB")
_LENGTH = struct.Struct("<I")
_DATE = struct.Struct("<Bqq")
_COUNTED, _FOLLOWED, _HELD_OUT, _DATED = 1, 2, 4, 8


class Active(NamedTuple):
    """One active user offer."""

    offer_number: int
    entry: int
    state: bytes
    """Of its condition."""
    taking: Taking = Taking()
    held_out: bool = False
    """Whether there is no offer, and her condition is followed to compare with."""


def unpack(payload: bytes) -> list[Active]:
    """The user offers of a slot, in the order of their entries.

    Raises:
        InvariantError: the bytes were not written by `pack`.
    """
    found: list[Active] = []
    at = 0
    while payload:
        try:
            number, entry, flags = _HEAD.unpack_from(payload, at)
            at += _HEAD.size
            units, made_at, cost = 0, 0, 0
            if flags & _DATED:
                units, made_at, cost = _DATE.unpack_from(payload, at)
                at += _DATE.size
            end = len(payload)
            if flags & _FOLLOWED:
                (length,) = _LENGTH.unpack_from(payload, at)
                at += _LENGTH.size
                end = at + length
        except struct.error as error:
            raise InvariantError(f"active user offers cannot be read: {error}") from None
        taking = Taking(bool(flags & _COUNTED), units, made_at, cost)
        found.append(Active(number, entry, payload[at:end], taking, bool(flags & _HELD_OUT)))
        if not flags & _FOLLOWED:
            break
        at = end
    return found


def pack(offers: Sequence[Active]) -> bytes:
    """The slot's payload."""
    parts = []
    for place, offer in enumerate(offers, start=1):
        followed, taking = place < len(offers), offer.taking
        dated = taking.units > 0 or taking.cost > 0
        flags = taking.counted * _COUNTED | followed * _FOLLOWED | offer.held_out * _HELD_OUT | dated * _DATED
        parts.append(_HEAD.pack(offer.offer_number, offer.entry, flags))
        if dated:
            parts.append(_DATE.pack(taking.units, taking.made_at, taking.cost))
        if followed:
            parts.append(_LENGTH.pack(len(offer.state)))
        parts.append(offer.state)
    return b"".join(parts)
