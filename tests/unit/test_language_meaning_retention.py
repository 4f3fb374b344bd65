"""What a state keeps is bounded by its condition: it grows neither with its windows nor with the history."""

from __future__ import annotations

import random

import pytest

from rewardkit.errors import InvariantError
from rewardkit.language.event import Event
from rewardkit.language.folding.program import Program, compile_program
from rewardkit.language.running.state import PENDING, State
from rewardkit.language.syntax.parse import parse

START = 1_704_153_600_000_000
SECOND = 1_000_000
KEYS = 4


def folded(program: Program, length: int) -> tuple[State, int]:
    """The state after a history of an event a second, and the most bytes that it took on the way."""
    chance = random.Random(length)
    state, most = program.start(START), 0
    for number in range(length):
        at = START + (number + 1) * SECOND
        properties = {"k": chance.randrange(KEYS), "n": number}
        state = program.step(state, Event(chance.choice("ABC"), at, f"e{number:06}", properties=properties))
        if number % 10 == 0 or number > length - 100:
            most = max(most, len(program.pack(state)))
    return state, most


@pytest.mark.parametrize(
    "text, bound",
    [
        ("A*3 in any {} then Z", 40),
        ("(A*3 & Z) in any {}", 60),
        ("(A then Z) in any {}", 40),
        ("(A & B & Z) in any {}", 60),
        ("(A then B then Z) in any {}", 80),
        ("(A*2 & Z) in one month", 40),
        ("A then Z within {}", 30),
        ("A then (B*3 in any {} & Z)", 80),
        ("streak(A, 400 calendar days) then Z", 90),
        ("A*3 in last {} & Z", 60),
        ("(A then B & Z) by k", 25 + 16 * KEYS),
        ("A*3 in any {} by k then Z", 25 + 40 * KEYS),
        ("satisfied((A then B)) then Z", 40),
    ],
)
def test_a_state_is_as_small_for_long_windows_and_histories(text: str, bound: int) -> None:
    for window in ("10s", "1000s", "100000s"):
        program = compile_program(parse(text.format(window)))
        for length in (300, 3_000):
            state, most = folded(program, length)
            assert PENDING == state.status
            assert most <= bound, f"{window} {length}"


def test_a_key_is_forgotten_where_its_next_event_begins_it_anew() -> None:
    program = compile_program(parse("((purchase then no refund within 14d) by order_id) & never"))
    state = program.start(START)
    sizes = []
    for number in range(200):
        at = START + number * 10 * SECOND
        bought = Event("purchase", at, f"p{number:03}", properties={"order_id": number})
        back = Event("refund", at + SECOND, f"r{number:03}", properties={"order_id": number})
        state = program.step(program.step(state, bought), back)
        sizes.append(len(program.pack(state)))
    assert {sizes[0]} == set(sizes)


@pytest.mark.parametrize(
    "text",
    ["A*3 in any 7d then Z", "(A then B & Z) by k", "streak(A, 400 calendar days) then Z", "A*3 in last 1d & Z"],
)
def test_damaged_bytes_of_a_state_are_refused(text: str) -> None:
    program = compile_program(parse(text))
    state, _ = folded(program, 50)
    data = program.pack(state)
    assert state == program.unpack(data)
    for length in range(len(data)):
        with pytest.raises(InvariantError):
            program.unpack(data[:length])
    refused = 0
    for place in range(len(data)):
        for other in (0, 1, 127, 255):
            damaged = data[:place] + bytes([other]) + data[place + 1 :]
            try:
                program.unpack(damaged)
            except InvariantError:
                refused += 1
    assert refused > 3 * len(data)
