"""Shares and lengths of time, as people read them in a terminal."""

from __future__ import annotations

from fractions import Fraction


def bar(share: Fraction | float, width: int = 10) -> str:
    """A share from 0 to 1 as a bar of so many cells; only the whole fills the last one."""
    full = int(share * width)
    return f"[{'#' * full}{'-' * (width - full)}]"


def length(microseconds: int) -> str:
    """A length of time in its two largest units."""
    units = (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000))
    parts = []
    for unit, size in units:
        amount, microseconds = divmod(microseconds, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts[:2]) or "less than 1s"
