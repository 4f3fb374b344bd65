"""Programs: what is refused, what identifies them, how small and how flat their states are."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from rewardkit.errors import InvariantError, RewardKitError, ValidationError
from rewardkit.language import tree
from rewardkit.language.event import Event
from rewardkit.language.folding.program import IMPOSSIBLE, PENDING, SATISFIED, Program, State, compile_program
from rewardkit.language.syntax.parse import parse
from rewardkit.testing.random_conditions import RandomConditions
from rewardkit.testing.samples import random_history

DAY = 86_400_000_000
START = 1_704_067_200_000_000


def program_of(text: str) -> Program:
    return compile_program(parse(text))


def folded(program: Program, *told: tuple[str, int], end: int | None = None) -> State:
    state = program.start(START, end=end)
    for number, (name, at) in enumerate(told):
        state = program.step(state, Event(name, START + at, f"e{number:06}"))
    return state


@pytest.mark.parametrize(
    "text, operator",
    [
        ("@name & A", "@name"),
        ("(@name in any 3d over 7d) within 1d", "@name"),
        ("satisfied(name)", "satisfied"),
        ("ever (A within 7d)", "no start"),
        ("A then ever B then C", "cannot be followed"),
    ],
)
def test_what_was_not_inlined_is_refused_by_its_name(text: str, operator: str) -> None:
    with pytest.raises(RewardKitError, match=operator.replace("*", r"\*").replace("..", r"\.\.")):
        program_of(text)


def test_a_window_needs_a_start() -> None:
    with pytest.raises(ValidationError, match="needs a start"):
        program_of("A within 7d").start(None)
    assert PENDING == program_of("A then B within 7d").start(None).status


def test_an_end_lies_after_the_start() -> None:
    with pytest.raises(ValidationError, match="ends at or after"):
        program_of("A").start(START, end=START - 1)


def test_one_structure_has_one_program_and_types_are_part_of_it() -> None:
    assert program_of("A[x == 1]") is program_of("A[ x == 1 ]")
    assert program_of("A[x == 1]") is not program_of("A[x == true]")
    one = compile_program(tree.AtLeast((tree.Match("A", tree.Compare("x", "==", 1)),)))
    also = compile_program(tree.AtLeast((tree.Match("A", tree.Compare("x", "==", Decimal("1.00"))),)))
    truth = compile_program(tree.AtLeast((tree.Match("A", tree.Compare("x", "==", True)),)))
    assert one.fingerprint == also.fingerprint
    assert one.fingerprint != truth.fingerprint
    assert SATISFIED == truth.step(truth.start(START), Event("A", START, "1", properties={"x": True})).status
    assert PENDING == one.step(one.start(START), Event("A", START, "1", properties={"x": True})).status


def test_a_changed_meaning_changes_the_fingerprint() -> None:
    texts = ("A", "B", "A*2", "A*3", "A & B", "A | B", "A then B", "B then A", "!A & B", "A within 7d", "A over 7d")
    assert len(texts) == len({program_of(text).fingerprint for text in texts})
    assert {8} == {len(program_of(text).fingerprint) for text in texts}


def test_a_program_listens_to_its_names_alone() -> None:
    program = program_of('"User Signed Up" then (order.completed | A[x > 1]) within 7d & !C')
    assert frozenset({"User Signed Up", "order.completed", "A", "C"}) == program.names
    assert not program.uses_history
    assert program_of("ever A & B").uses_history


@pytest.mark.parametrize(
    "text, told, most",
    [
        ("A*2", [("A", DAY)], 12),
        ("A*200", [("A", DAY)] * 3, 12),
        ("(A*2 | B) & !C", [("A", DAY)], 16),
        ("A & !C", [], 12),
        ("A then B within 7d", [("A", DAY), ("A", 2 * DAY)], 40),
        ("A then no B within 14d", [("A", DAY), ("A", 2 * DAY)], 40),
        ("A then B*3 within 7d", [("A", DAY), ("B", DAY), ("A", 2 * DAY), ("B", 3 * DAY)], 40),
        ("signup then purchase*2 within 7d then no refund within 14d", [("signup", DAY), ("purchase", 2 * DAY)], 60),
        ("A*2", [("A", DAY), ("A", DAY)], 12),
        ("A & !C", [("C", DAY)], 12),
    ],
)
def test_states_are_small(text: str, told: list[tuple[str, int]], most: int) -> None:
    program = program_of(text)
    state = folded(program, *told)
    data = program.pack(state)
    assert len(data) <= most
    assert state == program.unpack(data)


@pytest.mark.parametrize("text", ["A then B within 7d", "A then B*5 within 7d", "A then no B within 7d", "A then B"])
def test_a_state_does_not_grow_with_the_history(text: str) -> None:
    program = program_of(text)
    few = folded(program, *(("A", number * 60_000_000) for number in range(10)))
    many = folded(program, *(("A", number * 60_000_000) for number in range(5_000)))
    assert len(program.pack(many)) <= len(program.pack(few)) + 8


def test_where_neither_anchor_dominates_those_of_the_last_span_are_kept() -> None:
    program = program_of("A then (B within 5d & no C within 10d)")
    told = [("A", number * DAY) for number in range(40)]
    assert 5 == len(folded(program, *told).root[-1][1])


def test_damaged_bytes_are_refused() -> None:
    chance = random.Random(11)
    refused = 0
    for text in (
        "A*2",
        "(A*2 | B) & !C",
        "A then B*3 within 7d",
        "ever A*3 then no B within 3d",
        "2 of (A over 3d, B, C)",
    ):
        program = program_of(text)
        for state in (program.start(START), folded(program, ("A", DAY), ("B", 2 * DAY), end=START + 90 * DAY)):
            data = program.pack(state)
            damaged = [data[:length] for length in range(len(data))] + [data + b"\0"]
            damaged += [_flipped(data, bit) for bit in range(len(data) * 8)]
            damaged += [bytes(chance.choices(range(256), k=chance.randint(0, 40))) for _ in range(300)]
            for wrong in damaged:
                try:
                    read = program.unpack(wrong)
                except InvariantError:
                    refused += 1
                else:
                    assert wrong == program.pack(read)
            assert all(_refuses(program, _flipped(data, bit)) for bit in range(len(data) * 8))
    assert refused > 3_000


def _flipped(data: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(data))


def _refuses(program: Program, data: bytes) -> bool:
    try:
        program.unpack(data)
    except InvariantError:
        return True
    return False


def test_bytes_of_another_program_are_refused() -> None:
    data = program_of("A*2").pack(folded(program_of("A*2"), ("A", DAY)))
    with pytest.raises(InvariantError, match="another condition"):
        program_of("B*2").unpack(data)


def test_a_decided_state_absorbs() -> None:
    program = program_of("(A*2 | B) & !C")
    satisfied = folded(program, ("B", DAY))
    impossible = folded(program, ("C", DAY))
    assert (SATISFIED, IMPOSSIBLE) == (satisfied.status, impossible.status)
    for state in (satisfied, impossible):
        assert state is program.step(state, Event("C", START + 2 * DAY, "z"))
        assert state is program.advance(state, START + 900 * DAY)
        assert len(program.pack(state)) <= 11


@pytest.mark.parametrize("scope", ["in any 3d", "in one month", "by order_id"])
@pytest.mark.parametrize("text", ['((B before "2024-01-05") | C*2)', '((B before "2023-01-05") | C*2)'])
def test_a_scope_that_opens_after_an_instant_does_not_wait_for_it(text: str, scope: str) -> None:
    program = program_of(f"{text} {scope}")
    state = program.step(program.start(START), Event("B", START + 5 * DAY, "e", properties={"order_id": 1}))
    month_end = START + 31 * DAY
    assert state.wake_at in (None, month_end)
    assert state == program.unpack(program.pack(state))


def test_a_deep_condition_compiles_and_runs() -> None:
    node: tree.Node = tree.AtLeast((tree.Match("A"),), 2)
    for depth in range(30):
        body = tree.Then((tree.AtLeast((tree.Match("B"),)), node)) if depth % 3 == 0 else tree.Not(tree.Not(node))
        node = tree.Within(body, tree.Elapsed(DAY * (40 - depth)))
    program = compile_program(node)
    state = folded(program, *(("B", number) for number in range(20)), ("A", DAY), ("A", DAY + 1))
    assert SATISFIED == state.status


def test_a_wide_condition_compiles_and_runs() -> None:
    names = [f"event {number}" for number in range(200)]
    program = compile_program(tree.And(tuple(tree.AtLeast((tree.Match(name),)) for name in names)))
    assert PENDING == folded(program, *((name, 1) for name in names[1:])).status
    assert SATISFIED == folded(program, *((name, 1) for name in names)).status


def test_samples_hit_deadlines_ties_and_their_neighbours() -> None:
    chance = random.Random(5)
    near = ties = 0
    for _ in range(300):
        events = random_history(chance, START)
        gaps = {later.at - event.at for event in events for later in events if later.position > event.position}
        near += bool(gaps & {2, 3, 4, 5, 6, 8, 9})
        ties += 0 in gaps
        assert events == sorted(events, key=lambda event: event.position)
    assert near > 150
    assert ties > 60
    assert compile_program(RandomConditions(chance).draw()).names <= {"A", "B", "C"}
