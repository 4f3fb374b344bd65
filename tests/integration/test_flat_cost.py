"""What an event costs, counted in Python's own instructions and in bytes, and never in seconds."""

from __future__ import annotations

import random
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from types import FrameType
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.language.folding.program import PENDING, Program, State

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


def folded(program: Program, state: State, events: Iterable[rk.Event]) -> State:
    for event in events:
        state = program.step(state, event)
    return state


def settled(program: Program, events: Iterator[rk.Event]) -> State:
    state = folded(program, program.start(START - SECOND), events)
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


def test_an_event_costs_the_same_in_a_long_window_whose_amounts_are_kept() -> None:
    steps = []
    for window in (10, 1_000, 30_000):
        program = rk.Condition.parse(SUM.format(window=window)).program()
        events = stream(window)
        state = settled(program, islice(events, 2 * window))
        # What is kept is tidied up now and then, which has to be spread over the events between.
        steps.append(instructions(partial(folded, program, state, list(islice(events, 3_000)))) // 3_000)

    assert steps[-1] <= 1.2 * max(steps[:-1])


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


def condition(chance: random.Random, names: Sequence[str]) -> str:
    """A count, a choice or a conjunction of two, with unions, filters and guards among them."""

    def count(least: int) -> str:
        kinds = [f'"{name}"' for name in chance.sample(names, chance.choice((1, 1, 1, 1, 2)))]
        where = chance.choice(("", "", f'[country == "C{chance.randrange(20)}"]', f"[amount > {chance.randrange(9)}]"))
        kind = " | ".join(kind + where for kind in kinds)
        return f"({kind})*{least}" if least > 1 else f"({kind})"

    counts = [count(chance.choice((2, 3, 5, 10, 20, 50))) for _ in range(chance.choice((1, 1, 1, 2)))]
    text = f"({chance.choice((' | ', ' & ')).join(counts)})"
    return f"{text} & !{count(1)}" if chance.random() < 0.2 else text


def set_cost(number: int) -> float:
    """Instructions an event, of a set of conditions over twenty names and forty users with ten events each."""
    chance = random.Random(number)
    names = [f"event {place}" for place in range(20)]
    conditions = rk.ConditionSet()
    for place in range(number):
        conditions.add(f"{place}", condition(chance, names))
    events = [
        rk.Event(
            chance.choice(names),
            at=START + place * SECOND,
            id=f"{place}",
            properties={"country": f"C{chance.randrange(20)}", "amount": chance.randrange(9)},
        )
        for place in range(400)
    ]

    def fold(standings: Sequence[rk.Standing]) -> int:
        return sum(len(conditions.step(standings[place % 40], event)) for place, event in enumerate(events))

    def opened() -> list[rk.Standing]:
        return [conditions.start(START)[0] for _ in range(40)]

    decided = fold(opened())  # the index is worked out at the first event of each name
    assert decided >= number  # what is never decided would cost little, and prove little
    return instructions(partial(fold, opened())) / len(events)


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
