"""Reasons, what is missing, and explanations: what people read."""

from __future__ import annotations

import pytest

from rewardkit.errors import Conflict
from rewardkit.language.event import Event
from rewardkit.language.explaining.explanation import Explanation, explain
from rewardkit.language.replay import judge
from rewardkit.language.syntax.parse import parse
from rewardkit.language.verdict import Verdict

DAY = 86_400_000_000
START = 1_704_067_200_000_000


def told(history: str) -> list[Event]:
    """`A1 B2`: A on day 1, B on day 2; ids count from 1."""
    return [
        Event(word[0], START + int(word[1:]) * DAY, str(number)) for number, word in enumerate(history.split(), start=1)
    ]


def verdict(text: str, history: str, day: int, end: int | None = None) -> Verdict:
    return judge(parse(text), told(history), START, START + day * DAY, None if end is None else START + end * DAY)


def explained(text: str, history: str, day: int, end: int | None = None) -> Explanation:
    return explain(parse(text), told(history), START, START + day * DAY, None if end is None else START + end * DAY)


@pytest.mark.parametrize(
    "text, history, day, reason",
    [
        ("A*2", "", 1, "2 more `A`"),
        ("A*2", "A1", 1, "1 more `A`"),
        ("(A | B)*3", "A1", 1, "2 more `A` or `B`"),
        ("A & B", "", 1, "1 more `A`; 1 more `B`"),
        ("A*3 | B*2", "A1", 1, "2 more `A`"),
        ("A*3 | B*2", "", 1, "2 more `B`"),
        ("(A*2 | B) & !C", "A1", 1, "1 more `A`"),
        ("2 of (A*2, B, C*3)", "A1", 1, "1 more `A`; 1 more `B`"),
        ("A within 7d", "", 1, "1 more `A` by 2024-01-08T00:00:00Z"),
        ("A then B within 7d", "A1", 1, "1 more `B` by 2024-01-09T00:00:00Z"),
        ("A then B*2 within 7d", "", 1, "1 more `A`; then 2 `B`"),
        ("A then no B within 14d", "A1", 1, "no `B` until 2024-01-16T00:00:00Z"),
        ("no B*3 within 7d", "B1", 1, "at most 1 `B` until 2024-01-08T00:00:00Z"),
        ("A over 7d", "A1", 1, "judged at 2024-01-08T00:00:00Z"),
        ("A[x > 1]", "", 1, "1 more `A[x > 1]`"),
        ("(A*2 | B) & !C", "B1", 2, "`B` happened at 2024-01-02T00:00:00Z"),
        ("(A*2 | B) & !C", "C1", 2, "`C` happened at 2024-01-02T00:00:00Z"),
        ("A within 7d", "", 8, "time ran out at 2024-01-08T00:00:00Z"),
        ("no B within 7d", "", 8, "held at 2024-01-08T00:00:00Z"),
        ("!A", "", 0, "holds from the start"),
    ],
)
def test_a_verdict_says_why(text: str, history: str, day: int, reason: str) -> None:
    assert reason == verdict(text, history, day).reason


def test_a_scope_that_ends_first_can_never_hold() -> None:
    assert "cannot hold from the start" == verdict("A over 7d", "", 0, end=3).reason


def test_a_scope_that_ended_says_so() -> None:
    found = verdict("A*2", "A1", 9, end=3)
    assert ("impossible", "expired") == (found.status, found.reason)


def test_a_verdict_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match="three values"):
        bool(verdict("A", "", 1))


@pytest.mark.parametrize(
    "text, history, ids",
    [
        ("A*2", "A1 A2 A3", ("1", "2")),
        ("A & B", "B1 C2 A3", ("1", "3")),
        ("A | B", "B1 A2", ("1",)),
        ("A*2 | B", "A1 C2 A3", ("1", "3")),
        ("A then B within 3d", "A1 A8 B9", ("2", "3")),
        ("A*2 then B", "A1 A2 A3 B4", ("1", "3", "4")),
        ("A then no B within 3d", "A1 C2", ("1",)),
        ("2 of (A, B, C)", "C1 A2", ("1", "2")),
        ("A then B then C", "A1 B2 B3 C4", ("1", "3", "4")),
        ("(A & B) then C", "A1 B2 C3", ("1", "2", "3")),
        ("!(B over 3d) & A", "A1", ("1",)),
        ("no B within 3d then A", "A4", ("1",)),
    ],
)
def test_an_explanation_names_the_events_that_prove_it(text: str, history: str, ids: tuple[str, ...]) -> None:
    found = explained(text, history, 30)
    assert ("satisfied", ids) == (found.status, found.event_ids)


def test_an_explanation_reads_well() -> None:
    assert (
        "`A` at 2024-01-02T00:00:00Z (event 1)",
        "no `B` between 2024-01-02T00:00:00Z and 2024-01-05T00:00:00Z",
    ) == explained("A then no B within 3d", "A1 C2", 30).sentences
    assert (
        "`A` at 2024-01-02T00:00:00Z (event 1)",
        "`A` at 2024-01-03T00:00:00Z (event 2)",
        "no `C` between 2024-01-01T00:00:00Z and 2024-01-03T00:00:00Z",
    ) == explained("(A*2 | B) & !C", "A1 A2 C3", 30).sentences


def test_an_explanation_names_what_killed_it() -> None:
    assert "1" == explained("A & !C", "C1 A2", 30).killed_by
    assert START + 7 * DAY == explained("A within 7d", "", 30).killed_by
    assert START + 3 * DAY == explained("A*2", "A1", 30, end=3).killed_by


def test_an_explanation_names_what_is_missing() -> None:
    found = explained("A then B within 7d", "A1", 2)
    assert ("1 more `B` by 2024-01-09T00:00:00Z",) == found.missing
    assert START + 8 * DAY == found.wake_at


def test_history_before_the_start_proves_what_ever_covers() -> None:
    events = [Event("A", START - DAY, "old"), Event("B", START + DAY, "new")]
    found = explain(parse("ever A & B"), events, START, START + DAY)
    assert ("old", "new") == found.event_ids


def test_an_id_with_two_bodies_is_a_conflict() -> None:
    events = [Event("A", START, "1"), Event("B", START, "1")]
    with pytest.raises(Conflict, match="different bodies"):
        judge(parse("A"), events, START, START)
