"""A PNG of black and white whose rows are all the same, which is all that a barcode is."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence


def png(row: Sequence[bool], height: int) -> bytes:
    """The file.

    Args:
        row: of pixels, True for black.
        height: in pixels.
    """
    padded = [*row, *[False] * (-len(row) % 8)]
    bits = (
        sum((not black) << 7 - place for place, black in enumerate(padded[at : at + 8]))
        for at in range(0, len(padded), 8)
    )
    line = b"\0" + bytes(bits)
    header = struct.pack(">IIBBBBB", len(row), height, 1, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(line * height, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
