"""The active user offers of one campaign and one user, as their slot keeps them.

One behind the other: offer number, entry, flags, and the packed state of its condition. A state that another offer
follows has its length before it; the last, and nearly always only, one takes the rest of the slot.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from rewardkit.errors import InvariantError

_HEAD = struct.Struct("<IHB")
_LENGTH = struct.Struct("<I")
_COUNTED, _FOLLOWED, _HELD_OUT = 1, 2, 4


class Active(NamedTuple):
    """One active user offer."""

    offer_number: int
    entry: int
    counted: bool
    """Whether it takes a place under the campaign's cap."""
    state: bytes
    """Of its condition."""
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
            end = len(payload)
            if flags & _FOLLOWED:
                (length,) = _LENGTH.unpack_from(payload, at)
                at += _LENGTH.size
                end = at + length
        except struct.error as error:
            raise InvariantError(f"active user offers cannot be read: {error}") from None
        found.append(Active(number, entry, bool(flags & _COUNTED), payload[at:end], bool(flags & _HELD_OUT)))
        if not flags & _FOLLOWED:
            break
        at = end
    return found


def pack(offers: Sequence[Active]) -> bytes:
    """The slot's payload."""
    parts = []
    for place, offer in enumerate(offers, start=1):
        followed = place < len(offers)
        flags = (
            (_COUNTED if offer.counted else 0) | (_FOLLOWED if followed else 0) | (_HELD_OUT if offer.held_out else 0)
        )
        parts.append(_HEAD.pack(offer.offer_number, offer.entry, flags))
        if followed:
            parts.append(_LENGTH.pack(len(offer.state)))
        parts.append(offer.state)
    return b"".join(parts)
