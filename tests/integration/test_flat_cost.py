"""What an event costs, counted in Python's own instructions and in bytes, and never in seconds."""

from __future__ import annotations

import random
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from types import FrameType
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.language.program import PENDING, Program, State

SECOND = 1_000_000
START = 1_767_225_600_000_000  # 2026-01-01
FEW = 60
"""Events that a cost is counted over."""

BOUNDED = [
    "E then Z within {window}s",
    "E then no F within {window}s",
    "E then (B*3 & Z) within {window}s",
    "F*5 in any {window}s",
]
SUM = "sum(B:amount) >= 1000000000 in any {window}s"
"""Remembers each amount in its window, and so takes no more time, but more room."""
UNBOUNDED = ["E*1000000", "(E*1000000 | Z) & !Y"]


def instructions(call: Callable[[], object]) -> int:
    """How many instructions of Python a call executes."""
    counted = 0

    def trace(frame: FrameType, kind: str, _value: Any) -> Any:
        nonlocal counted
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        counted += kind == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return counted


def allocated(call: Callable[[], object]) -> int:
    """Bytes that a call holds at most, beyond those that were held before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def stream(window: int) -> Iterator[rk.Event]:
    """An event a second: F twice a window, B at every seventh second, E at all others."""
    half = (window + 1) // 2
    for second in range(sys.maxsize):
        name = "F" if second % half == 1 else "B" if second % 7 == 3 else "E"
        yield rk.Event(name, at=START + second * SECOND, id=f"{second:09d}", properties={"amount": 1})


def settled(program: Program, events: Iterator[rk.Event]) -> State:
    state = program.start(START - SECOND)
    for event in events:
        state = program.step(state, event)
    assert PENDING == state.status  # what is decided costs nothing, and would prove nothing
    return state


def cost(program: Program, state: State, events: Sequence[rk.Event]) -> tuple[int, int, int]:
    """Instructions an event, bytes allocated by one at most, and bytes of the packed state."""
    after = state

    def fold() -> None:
        nonlocal after
        for event in events:
            after = program.step(after, event)

    steps = instructions(fold) // len(events)
    memory = [allocated(partial(program.step, state, event)) for event in events]
    return steps, max(memory), len(program.pack(after))


@pytest.mark.parametrize("text", BOUNDED)
def test_an_event_costs_the_same_in_a_window_of_ten_events_and_of_thirty_thousand(text: str) -> None:
    costs = []
    for window in (10, 1_000, 30_000):
        program = rk.Condition.parse(text.format(window=window)).program()
        events = stream(window)
        state = settled(program, islice(events, window + 20))
        costs.append(cost(program, state, list(islice(events, FEW))))

    steps, memory, stored = zip(*costs, strict=True)
    assert steps[-1] <= 1.1 * max(steps[:-1])
    assert max(memory) <= 4_096
    assert max(stored) <= 100


@pytest.mark.parametrize("text", [*BOUNDED, *UNBOUNDED])
def test_an_event_costs_the_same_after_ten_events_and_after_thirty_thousand(text: str) -> None:
    costs = []
    for length in (10, 1_000, 30_000):
        program = rk.Condition.parse(text.format(window=1_000)).program()
        events = stream(1_000)
        state = settled(program, islice(events, length))
        costs.append(cost(program, state, list(islice(events, FEW))))

    steps, memory, stored = zip(*costs, strict=True)
    assert steps[-1] <= 1.1 * max(steps[:-1])
    assert max(memory) <= 4_096
    assert max(stored) <= 100


def set_cost(number: int) -> float:
    """Instructions an event, of a set of conditions over twenty names and twenty users."""
    chance = random.Random(number)
    names = [f"event {place}" for place in range(20)]
    conditions = rk.ConditionSet()
    for place in range(number):
        first, second = chance.sample(names, 2)
        where = f'[country == "C{chance.randrange(20)}"]' if chance.random() < 0.5 else ""
        conditions.add(f"{place}", f'"{first}"{where}*{chance.choice((2, 5, 20, 50))} & !"{second}"*40')
    standings = [conditions.start(START)[0] for _ in range(20)]
    events = [
        rk.Event(
            chance.choice(names), at=START + place * SECOND, id=f"{place}", properties={"country": f"C{place % 20}"}
        )
        for place in range(400)
    ]

    def fold() -> None:
        for place, event in enumerate(events):
            conditions.step(standings[place % 20], event)

    fold()  # the index is worked out at the first event of each name
    standings = [conditions.start(START)[0] for _ in range(20)]
    return instructions(fold) / len(events)


def test_twenty_five_times_as_many_conditions_cost_at_most_ten_times_as_much_an_event() -> None:
    assert set_cost(5_000) <= 10 * set_cost(200)


def test_conditions_that_do_not_listen_cost_an_event_nothing() -> None:
    def measured(silent: int) -> int:
        conditions = rk.ConditionSet()
        conditions.add("heard", "E*50")
        for place in range(silent):
            conditions.add(f"silent {place}", f'"nothing {place}"*2')
        standing, _ = conditions.start(START)
        events = list(islice(stream(100), 40))
        conditions.step_many(standing, events)
        fresh, _ = conditions.start(START)
        return instructions(lambda: conditions.step_many(fresh, events))

    assert measured(0) == measured(2_000)
