"""Ids and digests that are derived, so that every retry, and every store, comes to the same one."""

from __future__ import annotations

from hashlib import blake2b

_BYTES = 12


def derive(prefix: str, *parts: str | int) -> str:
    """An id made from what it stands for: `gr_` and 24 hexadecimal digits; equal parts give equal ids."""
    body = "\x1f".join(map(str, parts)).encode()
    return f"{prefix}_{blake2b(body, digest_size=_BYTES).hexdigest()}"


def digest(*parts: str) -> bytes:
    """16 bytes that differ wherever a part does."""
    return blake2b("\x1f".join(parts).encode(), digest_size=16).digest()


def chained(fingerprint: int, *parts: str) -> int:
    """The next fingerprint of a chain: 63 bits of what came before and of what is new."""
    body = "\x1f".join((str(fingerprint), *parts)).encode()
    return int.from_bytes(blake2b(body, digest_size=8).digest(), "big") >> 1
