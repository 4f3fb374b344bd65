"""How sure a difference between two shares is."""

from __future__ import annotations

import math
from typing import Final

import attrs

CONFIDENCE: Final = 0.95

_Z: Final = 1.959963984540054
"""The quantile of the normal distribution that goes with `CONFIDENCE`, on two sides."""


@attrs.frozen
class Difference:
    """One share minus another, and the interval in which the truth lies with a confidence of 95 %."""

    estimate: float
    low: float
    high: float
    confidence: float = CONFIDENCE


def difference(first: int, of_first: int, second: int, of_second: int) -> Difference | None:
    """The difference `first / of_first - second / of_second`; None where either is a share of nothing.

    Method 10 of R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison
    of eleven methods", Statistics in Medicine 17 (1998), 873-890: from the score intervals of E. B. Wilson (1927),
    without a correction for continuity. It holds for few users as well, never leaves -1 … 1, and is not of width 0
    where a share is 0 or 1.
    """
    if not of_first or not of_second:
        return None
    share, other = first / of_first, second / of_second
    low, high = wilson(first, of_first)
    other_low, other_high = wilson(second, of_second)
    estimate = share - other
    below = math.hypot(share - low, other_high - other)
    above = math.hypot(high - share, other - other_low)
    return Difference(estimate, max(-1.0, estimate - below), min(1.0, estimate + above))


def wilson(count: int, of: int) -> tuple[float, float]:
    """The score interval of `count / of`, of at least one."""
    share, z2 = count / of, _Z * _Z
    middle = share + z2 / (2 * of)
    reach = _Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    whole = 1 + z2 / of
    # At its own ends rounding would leave a little more, or less, than nothing.
    return (0.0 if count == 0 else (middle - reach) / whole), (1.0 if count == of else (middle + reach) / whole)
