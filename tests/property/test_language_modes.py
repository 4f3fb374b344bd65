"""Live and final programs agree with the specification after every event and advance, restored in between."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import NamedTuple

from rewardkit.language import tree
from rewardkit.language.event import Event, Position, instant
from rewardkit.language.modes import compile_in_mode
from rewardkit.language.program import Program, State
from rewardkit.language.replay import BEFORE_ALL
from rewardkit.language.specification import Reading, judge
from rewardkit.language.verdict import Mode
from rewardkit.testing.random_conditions import PLAIN_KINDS, RandomConditions
from rewardkit.testing.samples import random_history

START = 1_000
CASES = max(1, int(300 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240101"))


class Case(NamedTuple):
    node: tree.Node
    events: list[Event]
    start: Position | None
    end: int | None


def draw(seed: int, *, ends: bool) -> Case:
    chance = random.Random(seed)
    opened = chance.random() < 0.1
    node = RandomConditions(chance, windows=not opened, kinds=PLAIN_KINDS).draw(chance.choice((1, 2, 2, 3)))
    events = random_history(chance, START)
    start = chance.choice(events).position if events and chance.random() < 0.3 else Position(START)
    end = start.at + chance.choice((0, 1, 3, 5, 8, 13)) if ends or chance.random() < 0.6 else None
    return Case(node, events, None if opened else start, end)


def told(program: Program, state: State) -> Reading:
    verdict = program.verdict(state)
    at = None if verdict.decided_at is None else instant(verdict.decided_at)
    wake_at = None if verdict.wake_at is None else instant(verdict.wake_at)
    return Reading(verdict.status, at, wake_at, holds_now=verdict.holds_now)


def states(case: Case, program: Program) -> list[tuple[int, list[Event], State]]:
    """Instants, the events that are known then, and the state, packed and unpacked before each step."""
    opening = case.start or BEFORE_ALL
    known = [event for event in case.events if event.position <= opening]
    after = [event for event in case.events if event.position > opening]
    state = program.start(None if case.start is None else opening.at, end=case.end, history=list(known))
    last = max(opening.at, 0)
    made = [] if any(event.at == last for event in after) else [(last, list(known), state)]
    for number, event in enumerate(after):
        if event.at > last + 1:
            state = program.advance(state, event.at - 1)
            made.append((event.at - 1, list(known), state))
        known.append(event)
        state = program.step(program.unpack(program.pack(state)), event)
        last = event.at
        if number == len(after) - 1 or after[number + 1].at > last:
            made.append((last, list(known), state))
    for later in (1, 5, 30):
        state = program.advance(program.unpack(program.pack(state)), last + later)
        made.append((last + later, list(known), state))
    return made


def disagreements(mode: Mode) -> Counter[str]:
    """Asserts that there are none, and counts what was seen."""
    seen: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + CASES):
        case = draw(seed, ends=mode == "final")
        program = compile_in_mode(case.node, mode)
        before: str | None = None
        for now, known, state in states(case, program):
            wanted, found = judge(case.node, known, case.start, now, case.end, mode=mode), told(program, state)
            assert (wanted.status, wanted.decided_at) == (found.status, found.decided_at), (
                f"seed {seed} at {now}: {case}"
            )
            assert wanted.holds_now == found.holds_now, f"seed {seed} at {now}: {case}"
            if wanted.wake_at is not None:
                assert found.wake_at is not None
                assert found.wake_at <= wanted.wake_at, f"seed {seed} at {now}: {case}"
            seen[found.status] += 1
            seen["no longer held"] += before == "satisfied" and found.status != "satisfied"
            before = found.status
    return seen


def test_a_live_condition_is_satisfied_while_it_holds() -> None:
    seen = disagreements("live")
    assert {} == {name: seen[name] for name in ("satisfied", "pending", "impossible") if seen[name] < CASES / 10}
    assert CASES < 100 or seen["no longer held"]


def test_a_final_condition_is_judged_once_at_the_end() -> None:
    seen = disagreements("final")
    assert {} == {name: seen[name] for name in ("satisfied", "pending", "impossible") if seen[name] < CASES / 10}
    assert 0 == seen["no longer held"]


def test_a_live_verdict_flips_before_its_wake_up_only_by_an_event() -> None:
    """Brute force: every instant between two events."""
    for seed in range(FIRST_SEED, FIRST_SEED + CASES // 4):
        case = draw(seed, ends=False)
        program = compile_in_mode(case.node, "live")
        for at, _, state in states(case, program):
            for now in range(at, at + 40 if state.wake_at is None else min(state.wake_at, at + 40)):
                assert state is program.advance(state, now), f"seed {seed} at {at}"
                reading = judge(
                    case.node,
                    [event for event in case.events if event.at <= at],
                    case.start,
                    now,
                    case.end,
                    mode="live",
                )
                assert (reading.status, reading.decided_at) == (
                    told(program, state).status,
                    told(program, state).decided_at,
                ), f"seed {seed} at {at}"
