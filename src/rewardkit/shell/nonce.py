"""Names for events that came without an id: in the order of their making, and never twice; and chance itself."""

from __future__ import annotations

import itertools
import secrets

_COUNT = itertools.count()
_CHANCE_BYTES = 16


def nonce(now: int) -> str:
    """30 hexadecimal digits: the instant, a count within this process, and chance; they sort as they were made."""
    return f"{now:014x}{next(_COUNT) & 0xFFFFFFFF:08x}{secrets.token_hex(4)}"


def chance() -> bytes:
    """16 bytes that nobody can guess."""
    return secrets.token_bytes(_CHANCE_BYTES)
