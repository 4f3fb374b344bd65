"""Senders beside those held out: how sure a difference is where the referrals of one sender are alike."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from rewardkit.core.tracking.interval import Difference, Spread, difference, difference_of_means, wilson
from rewardkit.core.tracking.sender_holdout import compared, worth_of
from rewardkit.core.tracking.tallies import SpreadTally

Counts = Sequence[tuple[int, int]]
"""What each sender opened, and completed."""


def tally(counts: Counts) -> SpreadTally:
    return SpreadTally(
        senders=len(counts),
        opened=sum(opened for opened, _ in counts),
        completed=sum(completed for _, completed in counts),
        undecided=0,
        voided=0,
        opened_squared=sum(opened**2 for opened, _ in counts),
        completed_squared=sum(completed**2 for _, completed in counts),
        both=sum(opened * completed for opened, completed in counts),
    )


def test_referrals_that_have_their_senders_for_themselves_are_compared_as_users_are() -> None:
    first, second = tally([(1, 1)] * 56 + [(1, 0)] * 14), tally([(1, 1)] * 48 + [(1, 0)] * 32)
    found = compared(first, second).effect
    assert found is not None
    expected = difference(56, 70, 48, 80)
    assert expected is not None
    assert found.estimate == expected.estimate
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.002)


def test_ten_friends_who_all_do_the_same_are_worth_one() -> None:
    alike = tally([(10, 10)] * 20 + [(10, 0)] * 20)
    assert worth_of(alike) == pytest.approx(0.1, rel=0.03)
    assert (compared(alike, alike).offering.low, compared(alike, alike).offering.high) == pytest.approx(
        wilson(20, 40), abs=0.01
    )


def test_referrals_are_never_worth_more_than_they_are() -> None:
    assert worth_of(tally([(2, 1)] * 30)) == 1


@pytest.mark.parametrize("counts", [[(10, 0)] * 5, [(10, 10)] * 5, [(10, 3)]])
def test_where_nothing_shows_how_alike_they_are_all_of_a_sender_are_worth_one(counts: Counts) -> None:
    assert worth_of(tally(counts)) == pytest.approx(1 / 10)


def test_the_design_effect_is_the_variance_between_senders_over_that_of_a_share() -> None:
    counts = [(1, 0), (4, 3), (2, 2), (7, 1), (3, 0)]
    opened, completed = 17, 6
    share = completed / opened
    between = 5 / 4 * sum((done - share * had) ** 2 for had, done in counts) / opened**2
    assert worth_of(tally(counts)) == pytest.approx(share * (1 - share) / opened / between)


def test_intervals_hold_the_truth_as_often_as_they_say_though_senders_differ() -> None:
    """Senders of whom each has a share of her own; taken one by one, their referrals would seem far surer."""
    chance = random.Random(7)

    def group(truth: float) -> Counts:
        found = []
        for _ in range(60):
            own = chance.betavariate(truth, 1 - truth)
            opened = 1 + int(chance.expovariate(1 / 6))
            found.append((opened, sum(chance.random() < own for _ in range(opened))))
        return found

    held = naive = 0
    for _ in range(600):
        first, second = tally(group(0.5)), tally(group(0.3))
        found = compared(first, second).effect
        plain = difference(first.completed, first.opened, second.completed, second.opened)
        assert found is not None
        assert plain is not None
        held += found.low <= 0.2 <= found.high
        naive += plain.low <= 0.2 <= plain.high
    assert 0.92 < held / 600 < 0.98
    assert naive / 600 < 0.75


def test_of_nobody_there_is_no_comparison() -> None:
    found = compared(tally([]), tally([(2, 1)]))
    assert (found.offering.conversion, found.offering.low, found.offering.referrals_per_sender) == (None, None, None)
    assert (found.held_out.conversion, found.held_out.referrals_per_sender) == (0.5, 2)
    assert (found.effect, found.effect_per_sender) == (None, None)


def test_the_interval_of_a_difference_of_means_is_welch_s() -> None:
    """Against figures that SciPy's `ttest_ind(first, second, equal_var=False).confidence_interval()` gives."""
    first = [27, 21, 19, 23, 24, 25, 20, 17, 18, 22, 28, 20]
    second = [21, 25, 28, 26, 30, 22, 31, 24, 29, 23]
    found = difference_of_means(*(Spread(len(one), sum(one), sum(n * n for n in one)) for one in (first, second)))
    assert isinstance(found, Difference)
    assert (found.estimate, found.low, found.high) == pytest.approx((-3.9000, -7.0187, -0.7813), abs=0.001)


def test_means_of_few_or_of_numbers_that_are_all_the_same_have_no_interval() -> None:
    many = Spread(10, 15, 27)
    assert difference_of_means(many, many) is not None
    assert difference_of_means(many, Spread(9, 15, 29)) is None
    assert difference_of_means(Spread(9, 15, 29), many) is None
    assert difference_of_means(Spread(10, 10, 10), Spread(20, 20, 20)) is None
    sure = difference_of_means(Spread(10, 10, 10), many)
    assert sure is not None
    assert math.isclose(sure.estimate, -0.5)
