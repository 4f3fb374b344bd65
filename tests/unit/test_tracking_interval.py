"""The interval of a difference between two shares, against published figures."""

from __future__ import annotations

import pytest

from rewardkit.core.tracking.interval import Difference, difference, wilson


@pytest.mark.parametrize(
    "first, of_first, second, of_second, low, high",
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_the_interval_is_that_of_newcombe_s_table_for_method_10(
    first: int, of_first: int, second: int, of_second: int, low: float, high: float
) -> None:
    found = difference(first, of_first, second, of_second)
    assert found is not None
    assert (low, high) == (round(found.low, 4), round(found.high, 4))
    assert found.estimate == first / of_first - second / of_second


@pytest.mark.parametrize("first, of_first, second, of_second", [(0, 0, 0, 0), (0, 0, 1, 2), (1, 2, 0, 0)])
def test_there_is_no_difference_from_a_share_of_nothing(first: int, of_first: int, second: int, of_second: int) -> None:
    assert difference(first, of_first, second, of_second) is None


def test_an_interval_holds_its_estimate_stays_within_bounds_and_turns_with_the_groups() -> None:
    for of_first in range(1, 9):
        for of_second in range(1, 9):
            for first in range(of_first + 1):
                for second in range(of_second + 1):
                    one = difference(first, of_first, second, of_second)
                    other = difference(second, of_second, first, of_first)
                    assert isinstance(one, Difference)
                    assert isinstance(other, Difference)
                    assert -1 <= one.low <= one.estimate <= one.high <= 1
                    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_a_share_of_none_or_all_has_an_end_at_nothing_or_at_the_whole() -> None:
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == 1
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=0.0001)
