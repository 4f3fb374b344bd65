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
    """One share or mean minus another, and the interval in which the truth lies with a confidence of 95 %."""

    estimate: float
    low: float
    high: float
    confidence: float = CONFIDENCE


def difference(
    first: int, of_first: int, second: int, of_second: int, worth: tuple[float, float] = (1.0, 1.0)
) -> Difference | None:
    """The difference `first / of_first - second / of_second`; None where either is a share of nothing.

    `worth` is for each group what one of it is worth, as `wilson` has it.

    Method 10 of R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison
    of eleven methods", Statistics in Medicine 17 (1998), 873-890: from the score intervals of E. B. Wilson (1927),
    without a correction for continuity. It holds for few users as well, never leaves -1 … 1, and is not of width 0
    where a share is 0 or 1.
    """
    if not of_first or not of_second:
        return None
    share, other = first / of_first, second / of_second
    low, high = wilson(first, of_first, worth[0])
    other_low, other_high = wilson(second, of_second, worth[1])
    estimate = share - other
    below = math.hypot(share - low, other_high - other)
    above = math.hypot(high - share, other - other_low)
    return Difference(estimate, max(-1.0, estimate - below), min(1.0, estimate + above))


def wilson(count: int, of: int, worth: float = 1.0) -> tuple[float, float]:
    """The score interval of `count / of`, of at least one.

    `worth` is less than 1 where some of them are alike: it is that of so many fewer.
    """
    share, z2, sure = count / of, _Z * _Z, of * worth
    middle = share + z2 / (2 * sure)
    reach = _Z * math.sqrt(share * (1 - share) / sure + z2 / (4 * sure * sure))
    whole = 1 + z2 / sure
    # At its own ends rounding would leave a little more, or less, than nothing.
    return (0.0 if count == 0 else (middle - reach) / whole), (1.0 if count == of else (middle + reach) / whole)


LEAST: Final = 10
"""Members of a group whose mean gets an interval: below that, how far they lie apart is hardly known."""


@attrs.frozen
class Spread:
    """Whole numbers, by their count, their sum and the sum of their squares."""

    count: int
    sum: int
    squares: int

    @property
    def mean(self) -> float:
        """Of at least one."""
        return self.sum / self.count

    @property
    def error(self) -> float:
        """The square of the mean's standard error, of at least two."""
        apart = self.count * self.squares - self.sum * self.sum
        return apart / (self.count * self.count * (self.count - 1))


def difference_of_means(first: Spread, second: Spread) -> Difference | None:
    """One mean minus the other; None where a group has fewer than `LEAST`, or where nobody differs from the others.

    B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
    Biometrika 34 (1947), 28-35. Numbers of few and very uneven members leave the interval somewhat too narrow.
    """
    if min(first.count, second.count) < LEAST:
        return None
    error = first.error + second.error
    if not error:
        return None
    freedom = error**2 / (first.error**2 / (first.count - 1) + second.error**2 / (second.count - 1))
    estimate, reach = first.mean - second.mean, _student(freedom) * math.sqrt(error)
    return Difference(estimate, estimate - reach, estimate + reach)


def _student(freedom: float) -> float:
    """The quantile of Student's distribution that goes with `CONFIDENCE`, right to four digits from 9 degrees on.

    Three terms of the expansion of R. A. Fisher and E. A. Cornish; M. Abramowitz and I. Stegun, 26.7.5.
    """
    z = _Z
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
