"""One cycle of an entry condition that begins anew: where it began, and how far it is, as a user's row keeps it."""

from __future__ import annotations

import struct
from typing import NamedTuple

from rewardkit.errors import InvariantError
from rewardkit.language.event import Position

_FIRST, _LATER = 0, 1
_AFTER = struct.Struct("<qqH")


class Cycle(NamedTuple):
    """The condition is folded over what follows a place; the first cycle over all that is known."""

    after: Position | None
    state: bytes = b""
    """Of the condition; empty where nothing was heard yet, because the place is yet to come, say."""

    def pack(self) -> bytes:
        """The bytes of a slot."""
        if self.after is None:
            return bytes((_FIRST,)) + self.state
        name = self.after.id.encode()
        return bytes((_LATER,)) + _AFTER.pack(self.after.at, self.after.order, len(name)) + name + self.state


FIRST = Cycle(None)


def unpack(payload: bytes | None) -> Cycle:
    """The cycle of a slot; the first one where there is none.

    Raises:
        InvariantError: the bytes were not written by `pack`.
    """
    if payload is None:
        return FIRST
    kind = payload[0] if payload else -1
    if kind == _FIRST:
        return Cycle(None, payload[1:])
    if kind != _LATER or len(payload) < 1 + _AFTER.size:
        raise InvariantError(f"a cycle of an entry condition cannot be read: `{payload[:32].hex()}`")
    at, order, length = _AFTER.unpack_from(payload, 1)
    begin = 1 + _AFTER.size
    after = Position(at, order, payload[begin : begin + length].decode())
    return Cycle(after, payload[begin + length :])
