"""How far a condition is, and when that falls back."""

from __future__ import annotations

import pickle
from fractions import Fraction

import pytest

from rewardkit.language.condition import Condition
from rewardkit.language.event import Event
from rewardkit.language.explaining.explanation import Explanation

DAY = 86_400_000_000
START = 1_704_067_200_000_000


def told(history: str) -> list[Event]:
    """`A1 B2:5`: A on day 1, B on day 2 with `x` 5; ids count from 1."""
    made = []
    for number, word in enumerate(history.split(), start=1):
        day, _, value = word[1:].partition(":")
        properties = {"x": int(value)} if value else {}
        made.append(Event(word[0], START + int(day) * DAY, str(number), properties=properties))
    return made


def explained(text: str, history: str, day: int) -> Explanation:
    return Condition.parse(text).explain(told(history), start=START, now=START + day * DAY)


@pytest.mark.parametrize(
    "text, history, day, progress",
    [
        ("A*4", "", 1, 0.0),
        ("A*4", "A1", 1, 0.25),
        ("A*4", "A1 A2 A3 A4", 4, 1.0),
        ("A & B", "A1", 1, 0.5),
        ("A then B", "A1", 1, 0.5),
        ("A*2 | B", "A1", 1, 0.0),
        ("A*2 | B*2", "A1", 1, 0.5),
        ("A*2 & A*4", "A1", 1, 0.25),
        ("A[x > 1] & A", "A1:1", 1, 0.0),
        ("2 of (A, B, C)", "B1", 1, 0.5),
        ("sum(A:x) >= 100", "A1:40", 1, 0.4),
        ("sum(A:x) - sum(B:x) >= 100", "A1:40 B2:20", 2, 0.2),
        ("count(A) >= 5", "A1 A2", 2, 0.4),
        ("count(A) - count(B) >= 3", "A1 A2 B2", 2, 0.3333),
        ("distinct(A:x) >= 4", "A1:1 A2:1 A3:2", 3, 0.5),
        ("days(A) >= 4", "A1 A1 A2", 2, 0.5),
        ("A then no B within 14d", "A1", 1, 0.909),
        ("no B within 14d", "", 1, 0.0),
        ("A*2 in any 7d", "A1", 2, 0.5),
        ("A*2 in any 7d", "A1", 9, 0.0),
        ("A*3 in one month", "A1 A2", 2, 0.6666),
        ("A*2 by x", "A1:1 A2:2", 2, 0.5),
        ("streak(A, 4 calendar days)", "A1 A2", 2, 0.5),
        ("streak(A, 4 calendar days)", "A1 A2", 4, 0.0),
        ("A then B within 7d", "A1", 9, 0.0),
        ("A*2 & !C", "C1", 1, 0.0),
    ],
)
def test_progress_is_the_share_of_events_that_are_not_needed_any_more(
    text: str, history: str, day: int, progress: float
) -> None:
    assert progress == explained(text, history, day).progress


@pytest.mark.parametrize(
    "text, history, day, lapsed",
    [
        ("A then B within 7d", "A1", 9, (8, 1, 2)),
        ("A*2 in any 7d", "A1", 9, (8, 1, 2)),
        ("streak(A, 3 calendar days)", "A1 A2", 4, (4, 1, 3)),
        ("A*3 in one month", "A1", 31, (31, 2, 3)),
    ],
)
def test_a_lapse_that_makes_the_rest_longer_is_told(
    text: str, history: str, day: int, lapsed: tuple[int, int, int]
) -> None:
    found = explained(text, history, day)
    on, before, after = lapsed
    assert (START + on * DAY, Fraction(before), Fraction(after)) == found.lapsed
    assert "so more is missing" in found.sentences[-1]


def test_what_was_made_up_for_has_not_lapsed() -> None:
    assert explained("A then B within 7d", "A1 A9", 9).lapsed is None


def test_a_verdict_of_a_history_knows_its_progress_and_can_be_pickled() -> None:
    verdict = Condition.parse("A*4").judge(told("A1"), start=START, now=START + DAY)
    assert 0.25 == verdict.progress
    assert 0.25 == pickle.loads(pickle.dumps(verdict)).progress


def test_a_pending_verdict_of_a_state_alone_does_not_know_its_progress() -> None:
    program = Condition.parse("A*2").program()
    state = program.step(program.start(START), told("A1")[0])
    assert program.verdict(state).progress is None
    assert 1.0 == program.verdict(program.step(state, told("A1 A2")[1])).progress
