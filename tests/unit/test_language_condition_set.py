"""What a condition set does for its callers, and what an event costs it: counts of work, never seconds."""

from __future__ import annotations

import gc
import random
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from types import FrameType
from typing import Any

import pytest

from rewardkit import Condition, ConditionSet, Event, InvariantError, ValidationError
from rewardkit.language.folding.program import Program
from rewardkit.language.sets import roster
from rewardkit.language.sets.counting import compile_check

START = 1_767_225_600_000_000
DAY = 86_400_000_000


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often conditions were looked at, and programs stepped."""
    counted: Counter[str] = Counter()

    def counting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted_call(*arguments: Any) -> Any:
            counted[name] += 1
            return call(*arguments)

        return counted_call

    check, step = compile_check, Program.step
    monkeypatch.setattr(roster, "compile_check", lambda *given: counting("checks", check(*given)))
    monkeypatch.setattr(Program, "step", counting("steps", step))
    return counted


def at(number: int, name: str, **properties: Any) -> Event:
    return Event(name, at=START + number, id=f"{number:09d}", properties=properties)


def names_of(decided: tuple[Any, ...]) -> list[tuple[str, str]]:
    return sorted((change.name, change.status) for change in decided)


def test_an_event_looks_only_at_conditions_that_a_counter_has_reached(work: Counter[str]) -> None:
    chance = random.Random(3)
    names = [f"event {number}" for number in range(20)]
    looked = {}
    for many in (200, 5_000):
        conditions = ConditionSet()
        for number in range(many):
            one, other = chance.sample(names, 2)
            joined = "&" if number % 2 else "|"
            conditions.add(f"c{number}", f'"{one}"*{chance.choice((5, 10, 20))} {joined} "{other}"*3')
        standing, _ = conditions.start(START)
        work.clear()
        for number in range(2_000):
            conditions.step(standing, at(number, chance.choice(names)))
        looked[many] = work["checks"]
    # Of 2,000 events, each condition is looked at as often as it has thresholds that do not decide it, and no oftener.
    assert looked[200] <= 2 * 200
    assert looked[5_000] <= 2 * 5_000


def lines(call: Callable[[], object]) -> int:
    """How many lines of Python a call executes, those of generated source among them."""
    counted = 0

    def trace(_frame: FrameType, kind: str, _value: Any) -> Any:
        nonlocal counted
        counted += kind == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return counted


def test_a_thousand_values_of_a_property_cost_one_look_up() -> None:
    counted = {}
    for many in (10, 1_000):
        conditions = ConditionSet()
        for number in range(many):
            conditions.add(f"c{number}", f'A[country == "c{number}" and amount > 5]*2')
            conditions.add(f"d{number}", f'A[country == "c{number}"]*3')
        standing, _ = conditions.start(START)
        conditions.step(standing, at(0, "A", country="c7", amount=0))  # the index is worked out here
        events = [at(number, "A", country="c7", amount=number) for number in range(1, 10)]
        counted[many] = lines(partial(conditions.step_many, standing, events))
        assert ("satisfied", "satisfied") == (conditions.status(standing, "c7"), conditions.status(standing, "d7"))
        assert "pending" == conditions.status(standing, "c8")
    assert counted[10] == counted[1_000]


def test_programs_are_stepped_only_by_what_they_listen_to_and_not_once_decided(work: Counter[str]) -> None:
    conditions = ConditionSet()
    for number in range(50):
        conditions.add(f"c{number}", f'"a{number}" then "b{number}" within 1d')
    standing, _ = conditions.start(START)
    conditions.step_many(standing, [at(1, "a7"), at(2, "b7"), at(3, "a7"), at(4, "other")])
    assert {"steps": 2} == dict(work)


def test_counters_take_a_byte_each_and_nothing_that_the_collector_walks() -> None:
    conditions = ConditionSet()
    for number in range(200):
        conditions.add(f"c{number}", f'"event {number % 20}"*{5 + number} & !"event {(number + 1) % 20}"')
    standing, _ = conditions.start(START)
    for number in range(500):
        conditions.step(standing, at(number, f"event {number % 3}"))
    assert not any(map(gc.is_tracked, (standing.counts, standing.decided, standing.satisfied)))
    assert 20 == len(bytes(standing.counts))
    assert len(conditions.pack(standing)) <= 100


def test_equality_is_typed_and_exact() -> None:
    conditions = ConditionSet()
    conditions.add("number", "A[v == 1]")
    conditions.add("text", 'A[v == "1"]')
    conditions.add("truth", "A[v == true]")
    conditions.add("any", 'A[v in (1, "x", true)]*2')
    for value, expected in ((1.0, ["number"]), ("1", ["text"]), (True, ["truth"]), ([1], []), (None, [])):
        standing, _ = conditions.start(START)
        assert expected == [change.name for change in conditions.step(standing, at(1, "A", v=value))]


FILTERS = [
    *(f"v {operator} {value}" for operator in ("==", "!=", "<", "<=", ">", ">=") for value in ("0", "2.5", "7")),
    *(f'v {operator} "{value}"' for operator in ("==", "<", ">=") for value in ("", "b", "x")),
    "v == true",
    "v != false",
    'v in (1, "x", true)',
    'v in (2.5, "b") and w > 1',
    'v == "x" and w == 1',
    'v == "x" and w in (1, 2) and w > 1',
    "w == 2 and v < 3",
    'w == 3 or v == "b"',
    "not w == 1",
    'v like "?*"',
    "has v",
    "deep.er == 1",
    "deep.er == 2",
    "deep.er > 1",
    'deep.er in (3, "x")',
]
VALUES = (
    None,
    0,
    1,
    2.5,
    Decimal("2.5"),
    7,
    10**20,
    -1.0,
    float("nan"),
    "",
    "x",
    "b",
    "bc",
    True,
    False,
    [1],
    {"er": 1},
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_shared_counters_let_through_what_each_filter_alone_does(value: Any) -> None:
    alone = {f"c{number}": Condition.parse(f"A[{where}]*2 | B*3") for number, where in enumerate(FILTERS)}
    conditions = ConditionSet()
    for name, condition in alone.items():
        conditions.add(name, condition)
    for other in (1, 2, 3, None):
        standing, _ = conditions.start(START)
        events = [at(number, "A", v=value, w=other, deep={"er": other}) for number in range(2)]
        expected = []
        for name, condition in alone.items():
            program = condition.program()
            state = program.start(START)
            for event in events:
                state = program.step(state, event)
            if state.status:
                expected.append((name, "satisfied"))
        assert sorted(expected) == names_of(conditions.step_many(standing, events))


def test_thousands_of_counters_that_are_mostly_zero_take_little_room() -> None:
    conditions = ConditionSet()
    for number in range(2_400):
        conditions.add(f"c{number}", f"A{number}*9")
    standing, _ = conditions.start(START)
    sizes = []
    for heard in ([], [3, 3, 8, 2_399], range(0, 2_400, 60), range(2_400)):
        for number in heard:
            conditions.step(standing, at(number, f"A{number}"))
        data = conditions.pack(standing)
        restored = conditions.unpack(data)
        assert standing.counts == restored.counts
        assert data == conditions.pack(restored)
        sizes.append(len(data))
    empty, few, some, full = sizes
    assert few - empty <= 60
    assert some - empty <= 400
    assert full - empty == 2_400


def test_a_counter_may_go_beyond_what_a_byte_holds_after_standings_were_begun() -> None:
    conditions = ConditionSet()
    conditions.add("few", "A*200")
    standing, _ = conditions.start(START)
    read = [at(number, "A") for number in range(250)]
    assert [("few", "satisfied")] == names_of(conditions.step_many(standing, read))
    conditions.add("many", "A*300")
    conditions.add("most", "A*70000")
    assert ("many", "most") == conditions.missing(standing)
    standing = conditions.unpack(conditions.pack(standing))
    assert () == conditions.catch_up(standing, read, START + 250)
    assert [("many", "satisfied")] == names_of(conditions.step_many(standing, [at(250 + n, "A") for n in range(100)]))
    assert standing.counts[0] == 350


def test_damaged_bytes_and_those_of_another_set_are_refused() -> None:
    conditions, other = ConditionSet(), ConditionSet()
    conditions.add("one", "A then B within 1d")
    other.add("one", "A then B within 2d")
    for made in (conditions, other):
        made.add("two", "A*3 | B")
    standing, _ = conditions.start(START)
    conditions.step(standing, at(1, "A"))
    data = conditions.pack(standing)
    assert conditions.recognises(data)
    assert not other.recognises(data)
    with pytest.raises(InvariantError):
        other.unpack(data)
    for place in range(len(data)):
        for damaged in (data[:place], data[:place] + bytes([data[place] ^ 5]) + data[place + 1 :]):
            with pytest.raises(InvariantError):
                conditions.unpack(damaged)
    later = ConditionSet()
    later.add("one", "A then B within 1d")
    with pytest.raises(InvariantError):
        later.unpack(data)


def test_the_end_of_the_scope_decides_what_is_pending() -> None:
    conditions = ConditionSet()
    conditions.add("count", "A*2")
    conditions.add("quiet", "no B within 1d")
    standing, _ = conditions.start(START, end=START + DAY)
    assert standing.wake_at == START + DAY
    expected = [("count", "impossible"), ("quiet", "satisfied")]
    assert expected == names_of(conditions.advance(standing, START + 2 * DAY))
    assert standing.wake_at is None
    assert () == conditions.step(standing, at(3 * DAY, "A"))


def test_names_are_taken_once_and_known() -> None:
    conditions = ConditionSet()
    conditions.add("one", Condition.parse("A"))
    with pytest.raises(ValidationError, match="is in the set"):
        conditions.add("one", "B")
    with pytest.raises(ValidationError, match="is not in the set"):
        conditions.remove("two")
    conditions.remove("one")
    conditions.add("one", "B")
    assert ("one",) == conditions.names
    standing, _ = conditions.start(START)
    assert [("one", "satisfied")] == names_of(conditions.step_many(standing, [at(1, "A"), at(2, "B")]))


def test_what_is_dropped_for_a_user_is_judged_no_more_for_her() -> None:
    conditions = ConditionSet()
    conditions.add("one", "A")
    conditions.add("two", "A & B")
    standing, _ = conditions.start(START)
    conditions.drop(standing, "one")
    assert () == conditions.step(standing, at(1, "A"))
    assert [("two", "satisfied")] == names_of(conditions.step(standing, at(2, "B")))


def test_a_scope_has_a_start_or_is_open() -> None:
    with pytest.raises(ValidationError, match="pass `at`"):
        ConditionSet().start()
    with pytest.raises(ValidationError, match="pass `at`"):
        ConditionSet(scope="open").start(START)
    with pytest.raises(ValidationError, match="ends at or after"):
        ConditionSet().start(START, end=START - 1)
    conditions = ConditionSet()
    conditions.add("one", "A")
    standing, _ = conditions.start(START)
    with pytest.raises(ValidationError, match="has no instant"):
        conditions.step(standing, Event("A"))
