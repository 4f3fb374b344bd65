"""The three modes, by table."""

from __future__ import annotations

import pytest

from rewardkit import Condition, Event
from rewardkit.errors import InvariantError, ValidationError
from rewardkit.language.event import instant, moment
from rewardkit.language.verdict import Verdict

START = "2024-01-01T00:00:00Z"


def day(number: int) -> str:
    return f"2024-01-{number:02}T00:00:00Z"


def events(told: str) -> list[Event]:
    """`A2 B5`: an A on the 2nd and a B on the 5th."""
    return [Event(word[0], day(int(word[1:])), id=word) for word in told.split()]


@pytest.mark.parametrize(
    "text, told, now, end, status, since, wake, holds",
    [
        ("!A", "", 1, None, "satisfied", 1, None, True),
        ("!A", "A2", 3, None, "impossible", 2, None, False),
        ("A", "", 3, None, "pending", None, None, False),
        ("A", "A2 A3", 5, None, "satisfied", 2, None, True),
        ("A & !B", "A2", 3, None, "satisfied", 2, None, True),
        ("A & !B", "A2 B3", 4, None, "impossible", 3, None, False),
        ("A then !B", "A2", 3, None, "satisfied", 2, None, True),
        ("A then !B", "A2 B3", 4, None, "pending", None, None, False),
        ("A then !B", "A2 B3 A5", 6, None, "satisfied", 5, None, True),
        ("!A within 7d", "", 3, None, "satisfied", 1, 8, True),
        ("!A within 7d", "", 9, None, "satisfied", 1, None, True),
        ("A then no B within 3d", "A2", 4, None, "pending", None, 5, False),
        ("A then no B within 3d", "A2", 6, None, "satisfied", 5, None, True),
        ("!(A then no B within 3d)", "A2", 4, None, "satisfied", 1, 5, True),
        ("!(A then no B within 3d)", "A2", 5, None, "impossible", 5, None, False),
        ("A", "", 5, 5, "impossible", 5, None, False),
        ("A & !B", "A2", 9, 5, "satisfied", 2, None, True),
        ("A & !B", "A2 B6", 9, 5, "satisfied", 2, None, True),
        ("A & !B", "A2", 3, 5, "satisfied", 2, 5, True),
    ],
)
def test_a_live_verdict_says_what_holds_now(
    text: str, told: str, now: int, end: int | None, status: str, since: int | None, wake: int | None, *, holds: bool
) -> None:
    until = None if end is None else day(end)
    found = Condition.parse(text).judge(events(told), start=START, now=day(now), end=until, mode="live")
    decided_at = None if since is None else moment(instant(day(since)))
    wake_at = None if wake is None else moment(instant(day(wake)))
    assert (status, decided_at, wake_at, holds) == (found.status, found.decided_at, found.wake_at, found.holds_now)


@pytest.mark.parametrize(
    "text, told, now, status",
    [
        ("A", "A2", 4, "pending"),
        ("A", "A2", 5, "satisfied"),
        ("A", "", 5, "impossible"),
        ("A", "A5", 5, "impossible"),
        ("A", "A5", 9, "impossible"),
        ("!A", "A2", 3, "pending"),
        ("!A", "A2", 5, "impossible"),
        ("!A", "A5", 9, "satisfied"),
        ("A & !B", "A2 B3", 9, "impossible"),
        ("A then !B", "A2 B3 A4", 9, "satisfied"),
        ("no A within 4d", "", 5, "satisfied"),
        ("no A within 5d", "", 9, "impossible"),
    ],
)
def test_a_final_verdict_falls_at_the_end_alone(text: str, told: str, now: int, status: str) -> None:
    found = Condition.parse(text).judge(events(told), start=START, now=day(now), end=day(5), mode="final")
    end = moment(instant(day(5)))
    expected = (status, None, end) if status == "pending" else (status, end, None)
    assert expected == (found.status, found.decided_at, found.wake_at)
    assert found.holds_now is None


def test_a_final_verdict_needs_an_end() -> None:
    with pytest.raises(ValidationError, match="pass `end`"):
        Condition.parse("A").judge([], start=START, now=day(2), mode="final")


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no mode `later`: use `latch`, `live` or `final`"):
        Condition.parse("A").judge([], start=START, now=day(2), mode="later")  # type: ignore[arg-type]


def test_a_latched_verdict_does_not_speak_of_now() -> None:
    assert Verdict("satisfied").holds_now is None
    assert Condition.parse("A").judge(events("A2"), start=START, now=day(3)).holds_now is None


def test_a_live_state_folds_on_after_it_held() -> None:
    program = Condition.parse("A then !B").program(mode="live")
    state = program.start(START)
    seen = []
    for event in events("A2 B3 A5 B6 C7"):
        state = program.step(program.unpack(program.pack(state)), event)
        seen.append(program.verdict(state).holds_now)
    assert [True, False, True, False, False] == seen


def test_a_packed_state_belongs_to_its_mode() -> None:
    latch, live = (Condition.parse("A & B").program(mode=mode) for mode in ("latch", "live"))
    assert latch.fingerprint != live.fingerprint
    packed = live.pack(live.step(live.start(START), events("A2")[0]))
    with pytest.raises(InvariantError):
        latch.unpack(packed)


def test_a_reason_stays_while_it_holds_and_after_it_was_packed() -> None:
    program = Condition.parse("A then count(B) < 3").program(mode="live")
    state = program.step(program.start(0), Event("A", 5, "1"))
    first = program.verdict(state)
    state = program.step(state, Event("B", 9, "2"))
    assert (first.decided_at, first.reason) == (program.verdict(state).decided_at, program.verdict(state).reason)
    assert first.reason == program.verdict(program.unpack(program.pack(state))).reason
