"""Mistakes in calls of the language: each is answered with what to do instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rewardkit import Condition, ConditionSet, ConditionSyntaxError, Event, ValidationError

START = datetime(2024, 1, 1, tzinfo=UTC)
CONDITION: Any = Condition.parse("A then B within 7d")


def called(method: str, events: Any = (), **given: Any) -> Callable[[], object]:
    return lambda: getattr(CONDITION, method)(events, **{"start": START, "now": START, **given})


@pytest.mark.parametrize("method", ["judge", "explain"])
@pytest.mark.parametrize(
    "given, said",
    [
        ({"events": None}, "a history is a list of `Event`s, not `NoneType`"),
        ({"events": 1}, "a history is a list of `Event`s, not `int`"),
        ({"zone": None}, "a zone is an IANA name such as `Europe/Berlin`, not `NoneType`"),
        ({"zone": UTC}, "a zone is an IANA name such as `Europe/Berlin`, not `timezone`"),
        ({"zone": "Berlin"}, "zone `Berlin` is unknown: use an IANA name such as `Europe/Berlin`"),
        ({"mode": "eager"}, "there is no mode `eager`: use `latch`, `live` or `final`"),
        ({"mode": None}, "there is no mode `None`: use `latch`, `live` or `final`"),
        ({"mode": []}, "there is no mode `[]`: use `latch`, `live` or `final`"),
    ],
)
def test_judging_and_explaining_refuse_alike(method: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        called(method, **given)()
    assert said == str(caught.value)


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: CONDITION.analyse(campaign_days="x"), "campaign_days is a whole number from 1, not `'x'`"),
        (lambda: CONDITION.analyse(campaign_days=-1), "campaign_days is a whole number from 1, not `-1`"),
        (lambda: CONDITION.analyse(known_events="A"), "known_events is a list of names, not one text"),
        (lambda: Condition.parse("@a", definitions=["a"]), "definitions are a dict of conditions by name, not `list`"),  # type: ignore[arg-type]
        (lambda: ConditionSet().add(1, "A"), "a condition's name in a set is a text, not `int`"),  # type: ignore[arg-type]
    ],
)
def test_other_calls_say_what_they_take(call: Callable[[], object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        call()
    assert said == str(caught.value)


def test_a_set_tells_how_many_conditions_it_has() -> None:
    judged = ConditionSet()
    judged.add("spring", "A")
    assert "<ConditionSet of 1>" == repr(judged)


def test_an_unknown_condition_is_called_by_its_name_alone() -> None:
    with pytest.raises(ConditionSyntaxError) as caught:
        Condition.parse("satisfied(onboarding) then A").require()
    assert "the condition `onboarding` is not known here" == caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    "text", ["A then B then C within 7d", "(A then no R within 14d) by k", "(A then B) within 99w"]
)
def test_explaining_a_history_four_times_as_long_takes_not_much_more_than_four_times_the_calls(text: str) -> None:
    condition = Condition.parse(text)

    def calls(count: int) -> int:
        step = timedelta(hours=12)
        events = [
            Event("ABR"[place % 2], at=START + step * (place + 1), id=str(place), properties={"k": place})
            for place in range(count)
        ]
        made = 0

        def tally(frame: Any, what: str, value: Any) -> None:
            nonlocal made
            made += what == "call"

        condition.explain(events, start=START, now=START + step * count)
        sys.setprofile(tally)
        try:
            condition.explain(events, start=START, now=START + step * count)
        finally:
            sys.setprofile(None)
        return made

    assert calls(240) < 7 * calls(60)


@pytest.mark.parametrize("method", ["judge", "explain"])
def test_events_of_two_users_are_no_history(method: str) -> None:
    events = [Event("A", START, "1", user="amanda"), Event("B", START, "2", user="ben")]
    with pytest.raises(ValidationError) as caught:
        called(method, events)()
    said = "a history is of one user, and this is of `amanda` and `ben`: judge each user's events alone"
    assert said == str(caught.value)
