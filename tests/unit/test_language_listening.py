"""Which conditions every event matters to."""

from __future__ import annotations

import pytest

from rewardkit.language.condition import Condition
from rewardkit.language.listening import hears_all


@pytest.mark.parametrize(
    "text, everything",
    [
        ("(A & !B) by k", False),
        ("(A | !B) by k", True),
        ("2 of (A, B, !C) by k", False),
        ("1 of (A, !B) by k", True),
        ("A*1..2 by k", False),
        ("A*0..2 by k", True),
        ("count(A) >= 1 by k", False),
        ("count(A) >= 0 by k", True),
        ("(A & !B) in one week", False),
        ("(A & !B) in any 7d", True),
        ("(A over 2d) in any 7d", True),
        ("(A then B) in any 7d", False),
    ],
)
def test_every_event_matters_where_one_that_is_not_named_may_open_what_holds(text: str, *, everything: bool) -> None:
    assert everything == hears_all(Condition.parse(text).tree)
