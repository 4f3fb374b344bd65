"""Conditions looked at before anything happens: examples, relations and bounds, by the methods that people call."""

from __future__ import annotations

import json

import pytest

from rewardkit.errors import ConditionSyntaxError, ValidationError
from rewardkit.language.condition import Condition


def analyse(text: str, **asked: object) -> dict[str, object]:
    return Condition.parse(text).analyse(**asked).to_json()  # type: ignore[arg-type]


def test_an_example_reads_like_a_story() -> None:
    found = Condition.parse('signup then purchase[amount > 50 and country in ("FR", "DE")] within 7d').example()
    assert found is not None
    assert ["signup", "purchase"] == [event.name for event in found.events]
    assert "2024-01-02T00:00:00Z signup\n2024-01-03T00:00:00Z purchase (amount: 51, country: 'FR')" == str(found)


def test_an_example_says_where_it_waits() -> None:
    assert "2024-01-02T00:00:00Z A\n2024-01-16T00:00:00Z nothing else happens" == str(
        Condition.parse("A then no B within 14d").example()
    )
    assert "2024-01-08T00:00:00Z nothing happens" == str(Condition.parse("no B within 7d").example())


def test_an_example_begins_where_it_is_told_and_stays_before_the_end() -> None:
    found = Condition.parse("A*3").example(start="2030-06-01T00:00:00Z", end="2030-06-01T12:00:00Z")
    assert found is not None
    assert ["2030-06-01T01:00:00Z", "2030-06-01T02:00:00Z", "2030-06-01T03:00:00Z"] == [
        event["at"] for event in found.to_json()["events"]
    ]


def test_events_of_one_instant_keep_their_order() -> None:
    found = Condition.parse("A then B").example(end="2024-01-01T00:00:00.000001Z")
    assert found is not None
    assert ["A", "B"] == [event.name for event in sorted(found.events, key=lambda event: event.position)]


def test_nobody_and_not_found_are_told_apart() -> None:
    assert None is Condition.parse("A & !A").example()
    with pytest.raises(ValidationError, match="no example was found"):
        Condition.parse("A*1000000").example()


def test_what_cannot_be_judged_has_no_analysis() -> None:
    with pytest.raises(ConditionSyntaxError, match="RK140"):
        Condition.parse("@other & A").analyse()
    with pytest.raises(ConditionSyntaxError, match="RK150"):
        Condition.parse("A within 7d").analyse(start=None)
    with pytest.raises(ConditionSyntaxError, match="RK150"):
        Condition.parse("A").analyse(start=None, against="A within 7d")
    with pytest.raises(ValidationError, match="zone"):
        Condition.parse("A").analyse(zone="Nowhere/Land")


def test_an_analysis_is_plain_data() -> None:
    found = analyse("A[x > 1.5] then B within 7d", against="A then B", known_events=["A"], campaign_days=3)
    assert found == json.loads(json.dumps(found, default=str))
    assert {"relation", "satisfying", "dead", "timers"} <= set(found)


def test_a_relation_shows_what_tells_conditions_apart() -> None:
    relation = Condition.parse("A then B").analyse(against="A & B").relation
    assert relation is not None
    assert ("no", "yes", "no") == (relation.equivalent, relation.implies, relation.implied_by)
    assert relation.only_this is None
    assert relation.only_other is not None
    assert ["B", "A"] == [event.name for event in relation.only_other.events]


@pytest.mark.parametrize(
    "text, threads, retention_days",
    [
        ("A", 0, 0),
        ("A*2", 0, None),
        ("A then B", 1, None),
        ("A then B within 7d", 2, 7),
        ("A then B*3 within 7d", 4, 7),
        ("A then no B within 14d", 2, 14),
        ("A then B within 7d then no C within 14d", None, 21),
        ("A & B within 7d", 0, None),
    ],
)
def test_bounds_follow_from_the_shape(text: str, threads: int | None, retention_days: int | None) -> None:
    found = analyse(text)
    assert threads == found["threads"]
    assert (None if retention_days is None else retention_days * 86_400_000_000) == found["retention_microseconds"]


@pytest.mark.parametrize(
    "text, exact",
    [("A then B", True), ("A & !A", True), ("A within 7d", False), ("(A & !B*60) then C*60 & !D*9", False)],
)
def test_it_is_said_whether_impossible_is_exact(text: str, exact: bool) -> None:  # noqa: FBT001 - a column of a table
    assert exact is analyse(text)["exact"]
    assert exact is Condition.parse(text).judge([], start=0, now=1).exact
