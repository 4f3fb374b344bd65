"""The active user offers of one campaign and one user, as their slot keeps them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from rewardkit.errors import InvariantError

_HEAD = struct.Struct("<IHBH")


class Active(NamedTuple):
    """One active user offer."""

    offer_number: int
    entry: int
    counted: bool
    """Whether it takes a place under the campaign's cap."""
    state: bytes
    """Of its condition."""


def unpack(payload: bytes) -> list[Active]:
    """The user offers of a slot, in the order of their entries."""
    found = []
    at = 0
    try:
        while at < len(payload):
            number, entry, counted, length = _HEAD.unpack_from(payload, at)
            at += _HEAD.size
            found.append(Active(number, entry, bool(counted), payload[at : at + length]))
            at += length
    except struct.error as error:
        raise InvariantError(f"active user offers cannot be read: {error}") from None
    if at != len(payload):
        raise InvariantError("active user offers cannot be read: the last one is cut off")
    return found


def pack(offers: Iterable[Active]) -> bytes:
    """The slot's payload."""
    return b"".join(
        _HEAD.pack(offer.offer_number, offer.entry, offer.counted, len(offer.state)) + offer.state for offer in offers
    )
