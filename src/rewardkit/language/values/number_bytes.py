"""Whole numbers as bytes, in as few as they need, and the error for bytes that cannot be meant."""

from __future__ import annotations

from rewardkit.errors import InvariantError

LARGEST = 2**63
LONG = 247
"""A number up to this is one byte; above it the byte says how many bytes follow."""


def put_number(out: bytearray, number: int) -> None:
    """Writes a number that is not negative, and at most LARGEST."""
    if number <= LONG:
        out.append(number)
        return
    length = number.bit_length() + 7 >> 3
    out.append(LONG + length)
    out += number.to_bytes(length, "big")


def read_number(data: bytes, place: int) -> tuple[int, int]:
    """A number, which was written in as few bytes as it needs, and the place behind it."""
    number = data[place]
    place += 1
    if number <= LONG:
        return number, place
    end = place + number - LONG
    number = int.from_bytes(data[place:end], "big")
    if end > len(data) or number <= LONG or data[place] == 0 or number > LARGEST:
        raise corrupt()
    return number, end


def put_signed(out: bytearray, number: int) -> None:
    """Writes a number of either sign, at most half of LARGEST."""
    put_number(out, number << 1 if number >= 0 else (-number << 1) - 1)


def read_signed(data: bytes, place: int) -> tuple[int, int]:
    """A number of either sign, and the place behind it."""
    folded, place = read_number(data, place)
    return (-(folded + 1 >> 1) if folded & 1 else folded >> 1), place


def put_long(out: bytearray, number: int) -> None:
    """Writes a number of any size that is not negative."""
    length = number.bit_length() + 7 >> 3
    put_number(out, length)
    out += number.to_bytes(length, "big")


def read_long(data: bytes, place: int) -> tuple[int, int]:
    """A number of any size, and the place behind it."""
    length, place = read_number(data, place)
    end = place + length
    if end > len(data) or (length and data[place] == 0):
        raise corrupt()
    return int.from_bytes(data[place:end], "big"), end


def corrupt() -> InvariantError:
    """The error for bytes that no state of a program becomes."""
    return InvariantError("a packed state is damaged, or belongs to another condition: refold it from stored events")
