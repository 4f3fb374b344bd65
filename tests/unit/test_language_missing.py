"""What a pending state says is missing where a comparison is part of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rewardkit.language.condition import Condition
from rewardkit.language.event import Event
from rewardkit.language.values.exact import plain


@pytest.mark.parametrize(
    "text, value, reason",
    [
        ("min(A:x) >= 5 | B*2", 3, "2 more `B`"),
        ("max(A:x) <= 5 | B*2", 7, "2 more `B`"),
        ("max(A:x) >= 5 | B*2", 3, "`max(A:x) >= 5`"),
        ("min(A:x) < 5 | B*2", 7, "`min(A:x) < 5`"),
        ("min(A:x) >= 5 & B", 5, "1 more `B`"),
        ("latest(A:x) != 5 & B", "five", "1 more `B`"),
        ("latest(A:x) + 0 != 5 & B", "five", "`latest(A:x) + 0 != 5`; 1 more `B`"),
    ],
)
def test_what_no_event_brings_about_any_more_is_not_asked_for(text: str, value: object, reason: str) -> None:
    program = Condition.parse(text).program()
    state = program.step(program.start(0), Event("A", 1, "a", properties={"x": value}))
    assert reason == program.verdict(state).reason


def test_equal_numbers_leave_equal_states() -> None:
    program = Condition.parse("sum(A:x) >= 10 & distinct(A:x) >= 2").program()
    states = [
        program.step(program.start(0), Event("A", 1, "a", properties={"x": five})) for five in (5, Decimal("5.0"), 5.0)
    ]
    assert 1 == len({program.pack(state) for state in states})
    assert int is type(plain(Decimal("5.00")))
