"""Late events: what waits, what decides at once, what is late, and what a refold corrects."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rewardkit import Condition, Event
from rewardkit.errors import Conflict, InvariantError, ValidationError
from rewardkit.language.event import instant, moment, rfc3339
from rewardkit.language.folding.timely import Timely
from rewardkit.language.folding.timely_state import TimelyState
from rewardkit.language.verdict import Mode

START = "2024-01-01T00:00:00Z"


def day(number: int) -> str:
    return f"2024-01-{number:02}T00:00:00Z"


def event(word: str) -> Event:
    """`A2`: an A on the 2nd."""
    return Event(word[0], day(int(word[1:])), id=word)


def told(timely: Timely, state: TimelyState) -> tuple[str, str | None, str | None]:
    verdict = timely.verdict(state)
    decided_at, wake_at = verdict.decided_at, verdict.wake_at
    return (
        verdict.status,
        None if decided_at is None else rfc3339(instant(decided_at)),
        None if wake_at is None else rfc3339(instant(wake_at)),
    )


@pytest.mark.parametrize(
    "text, words, now, mode, end, expected",
    [
        ("A", "A2", 2, "latch", None, ("satisfied", day(2), None)),
        ("A*2", "A2 A3", 3, "latch", None, ("satisfied", day(3), None)),
        ("A then B", "A2 B3", 3, "latch", None, ("satisfied", day(3), None)),
        ("A & !B", "A2", 3, "latch", None, ("pending", None, day(4))),
        ("A & !B", "A2", 4, "latch", None, ("satisfied", day(2), None)),
        ("A & !B", "B2", 3, "latch", None, ("pending", None, day(4))),
        ("A & !B", "B2", 4, "latch", None, ("impossible", day(2), None)),
        ("!A", "", 2, "latch", None, ("pending", None, day(3))),
        ("!A", "", 3, "latch", None, ("satisfied", day(1), None)),
        ("A | !B", "A2", 2, "latch", None, ("satisfied", day(2), None)),
        ("A | !B", "", 3, "latch", None, ("satisfied", day(1), None)),
        ("A within 4d", "", 6, "latch", None, ("pending", None, day(7))),
        ("A within 4d", "", 7, "latch", None, ("impossible", day(5), None)),
        ("A then no B within 3d", "A2", 6, "latch", None, ("pending", None, day(7))),
        ("A then no B within 3d", "A2", 7, "latch", None, ("satisfied", day(5), None)),
        ("A", "", 6, "latch", 5, ("pending", None, day(7))),
        ("A", "", 7, "latch", 5, ("impossible", day(5), None)),
        ("A", "A2", 3, "live", None, ("pending", None, day(4))),
        ("A", "A2", 4, "live", None, ("satisfied", day(2), None)),
        ("A", "A2", 6, "final", 5, ("pending", None, day(7))),
        ("A", "A2", 7, "final", 5, ("satisfied", day(5), None)),
    ],
)
def test_what_an_event_in_time_could_overturn_waits_for_the_watermark(
    text: str, words: str, now: int, mode: Mode, end: int | None, expected: tuple[str, str | None, str | None]
) -> None:
    until = None if end is None else day(end)
    timely = Condition.parse(text).timely("2d", mode=mode)
    state = timely.start(START, end=until)
    for word in words.split():
        state, late = timely.receive(timely.unpack(timely.pack(state)), event(word))
        assert late is None
    assert expected == told(timely, timely.advance(state, day(now)))
    verdict = Condition.parse(text).judge(
        map(event, words.split()), start=START, now=day(now), end=until, mode=mode, allowed_lateness=timedelta(days=2)
    )
    assert expected[0] == verdict.status
    assert expected[1] == (None if verdict.decided_at is None else rfc3339(instant(verdict.decided_at)))


def test_an_event_out_of_order_is_folded_in_its_place() -> None:
    timely = Condition.parse("A then B then C").timely("3d")
    state = timely.start(START)
    for word in ("A2", "C5", "B4"):
        state, late = timely.receive(state, event(word))
        assert late is None
    assert ("satisfied", day(5), None) == told(timely, state)


def test_with_no_lateness_an_event_after_the_last_reading_is_not_late() -> None:
    timely = Condition.parse("A then B").timely("0s")
    state = timely.advance(timely.start(START), day(9))
    state, late = timely.receive(state, event("A2"))
    assert late is None
    state, late = timely.receive(state, event("B3"))
    assert late is None
    assert ("satisfied", day(3), None) == told(timely, state)


def test_an_event_before_a_released_reading_is_returned_and_not_applied() -> None:
    timely = Condition.parse("A & !B").timely("2d")
    state = timely.receive(timely.start(START), event("A5")).state
    state = timely.advance(state, day(6))
    state, late = timely.receive(state, event("B3"))
    assert late is None
    state = timely.receive(timely.start(START), event("A5")).state
    state = timely.advance(state, day(7))
    after, late = timely.receive(state, event("B3"))
    assert event("B3") == late
    assert state == after
    assert ("satisfied", day(5), None) == told(timely, after)


def test_an_event_before_a_released_timer_is_late() -> None:
    timely = Condition.parse("no B within 3d").timely("1d")
    state = timely.advance(timely.start(START), day(5))
    assert ("satisfied", day(4), None) == told(timely, state)
    assert event("B3") == timely.receive(state, event("B3")).late
    assert timely.receive(state, event("B4")).late is None


def test_a_revision_tells_of_the_difference_and_revokes_nothing() -> None:
    timely = Condition.parse("A & !B").timely("1d")
    state = timely.advance(timely.receive(timely.start(START), event("A5")).state, day(7))
    refolded = timely.refold(state, [event("A5"), event("B3")])
    assert refolded.revision is not None
    assert ("satisfied", "impossible") == (refolded.revision.verdict.status, refolded.revision.corrected.status)
    assert moment(instant(day(3))) == refolded.revision.corrected.decided_at
    assert state is refolded.state


def test_a_pending_state_is_corrected_by_a_refold() -> None:
    timely = Condition.parse("A then B").timely("1d")
    state = timely.advance(timely.receive(timely.start(START), event("B5")).state, day(9))
    state, late = timely.receive(state, event("A3"))
    assert event("A3") == late
    refolded = timely.refold(state, [event("A3"), event("B5")])
    assert refolded.revision is not None
    assert ("satisfied", day(5), None) == told(timely, refolded.state)


def test_nothing_is_revised_where_nothing_differs() -> None:
    timely = Condition.parse("A & !B").timely("1d")
    state = timely.advance(timely.receive(timely.start(START), event("A5")).state, day(7))
    assert timely.refold(state, [event("A5"), event("B6")]).revision is None


def test_an_event_that_waits_counts_once_and_an_id_has_one_body() -> None:
    timely = Condition.parse("A*2 & !B").timely("2d")
    state = timely.receive(timely.start(START), event("A2")).state
    assert state is timely.receive(state, event("A2")).state
    with pytest.raises(Conflict, match="`A2` came twice"):
        timely.receive(state, Event("B", day(2), id="A2"))


def test_history_before_the_scope_may_come_late_too() -> None:
    timely = Condition.parse("ever A & B & !C").timely("2d")
    state = timely.start(day(3))
    state, late = timely.receive(state, event("A2"))
    assert late is None
    state = timely.receive(state, event("B4")).state
    assert ("satisfied", day(4), None) == told(timely, timely.advance(timely.unpack(timely.pack(state)), day(6)))
    opened = timely.advance(timely.start(day(3)), day(5))
    assert event("A2") == timely.receive(opened, event("A2")).late


def test_a_packed_state_keeps_the_properties_of_what_waits() -> None:
    timely = Condition.parse("A[sum > 1.5 and tags.x == 1] & !B").timely("2d")
    properties = {"sum": 2, "tags": {"x": 1, "list": [1, [2], {"decimal": "no"}]}, "none": None}
    waits = Event("A", day(2), "1", "ada", 3, properties)
    state = timely.receive(timely.start(START), waits).state
    restored = timely.unpack(timely.pack(state))
    assert (state, (waits,)) == (restored, restored.held)
    assert ("satisfied", day(2), None) == told(timely, timely.advance(restored, day(4)))


def test_a_packed_state_belongs_to_its_condition_and_lateness() -> None:
    timely = Condition.parse("A & !B").timely("2d")
    data = timely.pack(timely.start(START))
    for other in (Condition.parse("A & !B").timely("3d"), Condition.parse("A & !C").timely("2d")):
        with pytest.raises(InvariantError, match="belongs to another"):
            other.unpack(data)
    with pytest.raises(InvariantError):
        timely.unpack(data[:-1])


@pytest.mark.parametrize("value", ["2 days", "", "-1d", "1month", "99999999d", timedelta(seconds=-1), 5])
def test_a_lateness_is_elapsed_time(value: object) -> None:
    with pytest.raises(ValidationError, match="`allowed_lateness` is"):
        Condition.parse("A").timely(value)  # type: ignore[arg-type]


def test_an_earlier_instant_of_the_same_verdict_is_a_revision() -> None:
    timely = Timely(Condition.parse("A").program())
    later, earlier = Event("A", 9, "1"), Event("A", 5, "2")
    state = timely.receive(timely.start(0), later).state
    assert earlier == timely.receive(state, earlier).late
    revision = timely.refold(state, [later, earlier]).revision
    assert revision is not None
    assert [moment(9), moment(5)] == [revision.verdict.decided_at, revision.corrected.decided_at]
