"""What counts between two numbers and comparisons of aggregates come to, value by value, and what is kept of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rewardkit.errors import InvariantError
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, instant
from rewardkit.language.folding.program import Program, State

SECOND = 1_000_000
LATER = 1_000 * SECOND
WORDS = ("pending", "satisfied", "impossible")


def happened(*values: Any) -> list[Event]:
    """Events `A`, a second apart, whose property `x` has these values; `...` is none."""
    return [
        Event("A", number * SECOND, str(number), properties={} if value is ... else {"x": value})
        for number, value in enumerate(values, start=1)
    ]


def folded(program: Program, events: list[Event]) -> State:
    state = program.start(0)
    for event in events:
        state = program.step(state, event)
    return state


def judged(text: str, *values: Any, zone: str = "UTC") -> str:
    """What a comparison comes to when its time is over."""
    condition = Condition.parse(f"({text}) over 15m")
    return condition.judge(happened(*values), start=0, now=LATER, zone=zone).status


YES, NO = "satisfied", "impossible"


@pytest.mark.parametrize(
    "text, values, verdict",
    [
        ("A*1..2", (), NO),
        ("A*1..2", (1, 1), YES),
        ("A*1..2", (1, 1, 1), NO),
        ("A*0..2", (), YES),
        ("count(A) == 0", (), YES),
        ("count(A) != 1", (1, 1), YES),
        ("count(A) > 1.5", (1,), NO),
        ("count(A) > 1.5", (1, 1), YES),
        ("2 <= count(A)", (1, 1), YES),
        ("3 - count(A) > 1", (1,), YES),
        ("3 - count(A) > 1", (1, 1), NO),
        ("sum(A:x) == 0.3", (0.1, 0.2), YES),
        ("sum(A:x) == 0.3", (Decimal("0.1"), Decimal("0.2")), YES),
        ("sum(A:x) >= 0", (), YES),
        ("sum(A:x) == 5", (2, "7", True, ..., None, 3), YES),
        ("sum(A:x) < 0", (5, -6), YES),
        ("sum(A:x) == 10000000000000000000000000001", (10**28, 1), YES),
        ("avg(A:x) == 2", (1, "9", 3), YES),
        ("avg(A:x) != 2", (), NO),
        ("avg(A:x) >= 0.5", (0, 0, 1), NO),
        ("3*avg(A:x) == 1", (0, 0, 1), YES),
        ("min(A:x) < 3", (5, 2, 9), YES),
        ("min(A:x) < 3", ("2",), NO),
        ("min(A:x) != 3", (), NO),
        ("max(A:x) <= 3", (1, 3), YES),
        ("max(A:x) <= 3", (1, 3, 4), NO),
        ("max(A:x) - min(A:x) >= 5", (3, 1, 6), YES),
        ("-1*max(A:x) < -3", (4,), YES),
        ("distinct(A:x) == 3", (1, "1", True, 1.0, ..., None, []), YES),
        ("distinct(A:x) >= 4", (1, "1", True, 1.0), NO),
        ("days(A) == 1", (1, 2, 3), YES),
        ("days(A) == 0", (), YES),
        ('latest(A:x) == "b"', ("a", "b", ...), YES),
        ('latest(A:x) == "b"', ("b", "a"), NO),
        ('latest(A:x) != "b"', (7,), YES),
        ('latest(A:x) != "b"', (), NO),
        ('first(A:x) < "b"', (..., "a", "z"), YES),
        ('first(A:x) >= "b"', (5, "z"), NO),
        ("latest(A:x) != 5", ("a",), YES),
        ("latest(A:x) > 5", ("a",), NO),
        ("latest(A:x) != 5", (True,), YES),
        ("latest(A:x) + 0 != 5", ("a",), NO),
        ("5 != latest(A:x)", ("a",), NO),
        ("latest(A:x) - first(A:x) >= 10", (1, 5, 11), YES),
        ("latest(A:x) - first(A:x) >= 10", ("1", 5, 11), NO),
        ("count(A) == 2*distinct(A:x)", (1, 1, 2, 2), YES),
        ("count(A[x > 1]) == 2", (1, 2, 3), YES),
        ("sum(A | B:x) == 4", (1, 3), YES),
    ],
)
def test_a_comparison_holds_over_the_values_of_its_events(text: str, values: tuple[Any, ...], verdict: str) -> None:
    assert verdict == judged(text, *values)


@pytest.mark.parametrize(
    "text, values, verdict",
    [
        ("!(count(A) >= 2) & B", (1, 1), "impossible"),
        ("count(A) <= 1 & B", (1, 1), "impossible"),
        ("A*0..1 & B", (1, 1), "impossible"),
        ("count(A) == 1 & B", (1, 1), "impossible"),
        ("min(A:x) > 3 & B", (5, 2), "impossible"),
        ("min(A:x) == 3 & B", (2,), "impossible"),
        ("max(A:x) < 3 & B", (5,), "impossible"),
        ("max(A:x) < 3 & B", (), "pending"),
        ("first(A:x) == 3 & B", (2,), "impossible"),
        ('first(A:x) == "a" & B', ("b",), "pending"),
        ("sum(A:x) < 3 & B", (5,), "pending"),
        ("latest(A:x) == 3 & B", (5,), "pending"),
    ],
)
def test_what_more_events_cannot_undo_is_known_at_once(text: str, values: tuple[Any, ...], verdict: str) -> None:
    assert verdict == Condition.parse(text).judge(happened(*values), start=0, now=LATER).status


def test_days_are_those_of_the_zone() -> None:
    text = "days(A) == 2 over 30d"
    events = [Event("A", "2024-01-05T22:30:00Z", "1"), Event("A", "2024-01-05T23:30:00Z", "2")]
    found = {
        zone: Condition.parse(text).judge(events, start="2024-01-01T00:00:00Z", now="2024-03-01T00:00:00Z", zone=zone)
        for zone in ("UTC", "Europe/Berlin")
    }
    assert {"UTC": "impossible", "Europe/Berlin": "satisfied"} == {zone: one.status for zone, one in found.items()}


def test_a_day_that_a_clock_returns_to_counts_once() -> None:
    """In St. John's clocks went back at 00:01, from the new day into the old one."""
    at = instant("2010-11-07T00:00:30-02:30")
    events = [Event("A", at + minutes * 60 * SECOND, str(minutes)) for minutes in (-60, 0, 10, 61, 120)]
    program = Condition.parse("days(A) == 2 over 30d").program(zone="America/St_Johns")
    state = program.start(at - 3_600 * SECOND * 2)
    for event in events:
        state = program.step(state, event)
    assert "satisfied" == WORDS[program.advance(state, at + 40 * 86_400 * SECOND).status]


KEPT = (
    "sum(A:x) - 2*max(A:x) >= 1000000 & distinct(A:x) >= 9 & days(A) + count(A) >= 100"
    " & avg(A:x) + latest(A:x) - first(A:x) > 50000000 & min(A:x) == 0.5"
)


@pytest.mark.parametrize(
    "values",
    [
        (),
        (1,),
        (-1, 2.5, Decimal("-0.125")),
        ("text", "täxt", "\ud800", True, False, 1),
        (10**30, Decimal("1e-18"), -(10**25)),
        ("", 0, Decimal("1.50")),
        (248, 2**64, 65_536),
    ],
)
def test_what_is_kept_is_packed_in_one_form(values: tuple[Any, ...]) -> None:
    program = Condition.parse(KEPT).program()
    state = folded(program, happened(*values))
    data = program.pack(state)
    assert state == program.unpack(data)
    assert data == program.pack(program.unpack(data))


@pytest.mark.parametrize("values", [(-1, 2.5, "text", True), (10**30, Decimal("1e-18"))])
def test_damaged_bytes_are_refused_or_of_another_state(values: tuple[Any, ...]) -> None:
    """A state that is read from damaged bytes is at least one that these bytes stand for."""
    program = Condition.parse(KEPT).program()
    data = program.pack(folded(program, happened(*values)))
    refused = 0
    for place in range(len(data)):
        for damage in (1, 7, 128, 255):
            broken = bytes([*data[:place], data[place] ^ damage, *data[place + 1 :]])
            try:
                assert broken == program.pack(program.unpack(broken))
            except InvariantError:
                refused += 1
    assert refused > 3.9 * len(data)


@pytest.mark.parametrize("text", ["count(A) >= 3", "max(A:x) >= 5", 'latest(A:x) == "b" & B', "days(A) >= 400"])
def test_what_is_compared_with_a_constant_takes_few_bytes(text: str) -> None:
    program = Condition.parse(text).program()
    state = folded(program, happened(*([1, 2, "a long text that nothing asks about"] * 500))[:2])
    assert len(program.pack(state)) < 20


def test_different_values_beyond_the_ones_asked_for_are_not_kept() -> None:
    program = Condition.parse("distinct(A:x) >= 3 & B").program()
    few, many = (folded(program, happened(*range(number))) for number in (3, 300))
    assert few == many


def test_leaves_that_count_the_same_are_shared() -> None:
    program = Condition.parse("(count(A) >= 3 | A*2) & (sum(A:x) > 1 | avg(A:x) > 1 | 2*sum(A:x) > 8)").program()
    assert 3 == len(program.plan.root.slots)
