"""Stretches of a history: what is kept of them, and that merging them is folding them."""

from __future__ import annotations

import pytest

from rewardkit import Condition, Event
from rewardkit.errors import Conflict, InvariantError, ValidationError


def events(told: str) -> list[Event]:
    """`A2 B5`: an A at 2 and a B at 5."""
    return [Event(word[0], int(word[1:]), word, properties={"p": int(word[1:]) % 3}) for word in told.split()]


@pytest.mark.parametrize(
    "text, told, kept",
    [
        ("A", "A2 A3 B4 A5", "A2"),
        ("A*2 & !B", "A2 A3 B4 A5 B6", "A2 A3 B4"),
        ("A*3 | A", "A2 A3 B4 A5 A6", "A2 A3 A5"),
        ("A*2 within 7d", "A2 A3 A5", "A2 A3"),
        ("no A within 7d", "A2 A3 B4", "A2"),
        ("ever A*2", "A2 A3 A4", "A2 A3"),
        ("(A | B)*2", "B1 A2 A3 B4", "B1 A2"),
        ("A[p == 0]", "A2 A3 A6", "A3"),
        ("A then B", "A2 A3 C4 B5 B6", "A2 A3 B5 B6"),
    ],
)
def test_what_a_condition_may_need_is_kept(text: str, told: str, kept: str) -> None:
    partial = Condition.parse(text).program().partial(events(told))
    assert kept == " ".join(event.id for event in partial.events)


def test_merging_a_state_with_a_stretch_is_folding_it() -> None:
    program = Condition.parse("A*2 then B").program()
    told = events("A1 A2 B3")
    state = program.start(0)
    assert program.merge(state, program.partial(told)) == program.merge(
        program.merge(state, program.partial(told[:1])), program.partial(told[1:])
    )
    verdict = program.verdict(program.merge(state, program.partial(told)))
    assert "satisfied" == verdict.status


def test_merging_is_associative() -> None:
    program = Condition.parse("A*3 & B*2").program()
    told = events("A1 B2 A3 A4 B5 A6 B7")
    one, two, three = (program.partial(told[begin:end]) for begin, end in ((0, 2), (2, 4), (4, 7)))
    left, right = program.merge(program.merge(one, two), three), program.merge(one, program.merge(two, three))
    assert left == right == program.partial(told)


def test_an_empty_stretch_changes_nothing() -> None:
    program = Condition.parse("A*3").program()
    empty, some = program.partial([]), program.partial(events("A1 A2"))
    assert some == program.merge(some, empty) == program.merge(empty, some)


def test_stretches_are_merged_in_order_and_apart() -> None:
    program = Condition.parse("A*3").program()
    early, late = program.partial(events("A1 C5")), program.partial(events("A4"))
    with pytest.raises(ValidationError, match="merged in order"):
        program.merge(early, late)
    with pytest.raises(Conflict):
        program.partial([Event("A", 1, "1"), Event("B", 1, "1")])


def test_a_partial_is_packed_and_belongs_to_its_program() -> None:
    program, other = Condition.parse("A*3").program(), Condition.parse("A*4").program()
    partial = program.partial(events("A1 B2 A3"))
    assert partial == program.unpack_partial(program.pack_partial(partial))
    with pytest.raises(InvariantError, match="another condition"):
        other.unpack_partial(program.pack_partial(partial))
    with pytest.raises(InvariantError, match="belongs to the condition"):
        other.merge(other.start(0), partial)


def test_a_stretch_keeps_one_more_than_a_range_takes() -> None:
    program = Condition.parse("A*1..2 over 7d").program()
    events = [Event("A", at, f"e{at}") for at in (1, 2, 3)]
    merged = program.merge(program.start(0), program.partial(events))
    assert "impossible" == program.verdict(merged).status
