"""The specification and the program agree on random conditions and histories, over every operator.

The program folds each history event by event, or packed and restored before each, or with its rest merged as a stretch.
`REWARDKIT_SCALE=250` runs a million cases; continuous integration runs 4,000. A failure prints its seed:
`REWARDKIT_SEED=… REWARDKIT_SCALE=0` runs that one alone.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from itertools import zip_longest
from typing import NamedTuple

from rewardkit.language import tree
from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import IMPOSSIBLE, State, compile_program
from rewardkit.language.replay import BEFORE_ALL
from rewardkit.language.specification import judge
from rewardkit.testing.random_conditions import EVERY_KIND, PLAIN_KINDS, RandomConditions, along, operators
from rewardkit.testing.samples import random_history
from rewardkit.testing.world import DAY, MICROSECONDS, World, civil_history, random_world

START = 1_000
CASES = max(1, int(4_000 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240101"))
STATUSES = ("pending", "satisfied", "impossible")
STYLES = ("folded", "restored", "merged", "folded")
"""Cases come in fours, one condition with four histories, so that most of the time is not spent on compiling."""

CIVIL = 0.3
OPERATORS = (
    "AtLeast", "And", "Or", "Not", "Some", "Within", "Over", "No", "Then", "Ever", "Before", "Since",
    "Between", "Comparison", "InAny", "InOne", "InLast", "By", "Streak", "Satisfied",
)  # fmt: skip


class Case(NamedTuple):
    node: tree.Node
    events: list[Event]
    start: Position | None
    end: int | None
    world: World = MICROSECONDS


def draw(seed: int) -> Case:
    shape, chance = random.Random(seed // len(STYLES)), random.Random(-seed)
    opened = shape.random() < 0.1
    if shape.random() < 0.1:
        chain = RandomConditions(shape).closes()
        return Case(chain, random_history(chance, START, names=along(chance, chain)), Position(START), None)
    world = random_world(shape) if shape.random() < CIVIL else MICROSECONDS
    kinds = shape.choice((PLAIN_KINDS, EVERY_KIND, EVERY_KIND))
    node = RandomConditions(shape, windows=not opened, kinds=kinds, world=world).draw(shape.choice((1, 2, 2, 3)))
    events = random_history(chance, START) if world is MICROSECONDS else civil_history(chance, world)
    start = Position(world.start)
    if events and chance.random() < 0.3:
        start = chance.choice(events).position
    end = chance.choice((None, None, start.at + chance.choice((0, 1, *world.spans))))
    return Case(node, events, None if opened else start, end, world)


def fold(case: Case, *, restore: bool) -> list[tuple[int, State]]:
    """The program's state at every instant at which all events up to it are folded."""
    program = compile_program(case.node, case.world.zone)
    opening = case.start or BEFORE_ALL
    after = [event for event in case.events if event.position > opening]
    state = program.start(
        None if case.start is None else opening.at,
        end=case.end,
        history=[event for event in case.events if event.position <= opening],
    )
    last = max(opening.at, 0)
    states = [] if any(event.at == last for event in after) else [(last, state)]
    for event, following in zip_longest(after, after[1:]):
        if event.at > last + 1:
            state = program.advance(state, event.at - 1)
            states.append((event.at - 1, state))
        # Duplicates are the caller's to drop, so each event comes once; ties come in total order.
        state = program.step(program.unpack(program.pack(state)) if restore else state, event)
        last = event.at
        if following is None or following.at > last:
            states.append((last, state))
    later_by = 1 if case.world is MICROSECONDS else DAY
    for later in (later_by, 5 * later_by, 30 * later_by):
        if restore:
            state = program.unpack(program.pack(state))
        state = program.advance(state, last + later)
        states.append((last + later, state))
    return states


def merged(case: Case, seed: int) -> list[tuple[int, State]]:
    """The state at the end, of a history whose rest was summarised apart, in two stretches that were packed."""
    program = compile_program(case.node, case.world.zone)
    opening = case.start or BEFORE_ALL
    before = [event for event in case.events if event.position <= opening]
    after = case.events[len(before) :]
    chance = random.Random(seed)
    one, two = sorted(chance.randint(0, len(after)) for _ in range(2))
    state = program.start(None if case.start is None else opening.at, end=case.end, history=before)
    for event in after[:one]:
        state = program.step(state, event)
    middle, rest = program.partial(after[one:two][::-1]), program.partial(after[two:])
    rest = program.unpack_partial(program.pack_partial(rest))
    if chance.random() < 0.5:
        state = program.merge(state, program.merge(middle, rest))
    else:
        state = program.merge(program.merge(state, middle), rest)
    now = max([opening.at, 0, *(event.at for event in after)]) + (30 if case.world is MICROSECONDS else 30 * DAY)
    return [(now, program.advance(state, now))]


def test_specification_and_program_agree() -> None:
    reached: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + CASES):
        case = draw(seed)
        style = STYLES[seed % len(STYLES)]
        states = merged(case, seed) if style == "merged" else fold(case, restore=style == "restored")
        now = states[-1][0]
        expected = judge(case.node, case.events * 2, case.start, now, case.end, zone=case.world.zone)
        exact = compile_program(case.node, case.world.zone).exact
        for at, state in states:
            decided = expected.decided_at is not None and expected.decided_at <= at
            wanted = (expected.status, expected.decided_at) if decided else ("pending", None)
            if exact and state.status == IMPOSSIBLE:
                # The specification knows the local rule alone, and may say it later or never.
                assert expected.status != "satisfied", f"seed {seed} at {at}: {case}"
                assert expected.decided_at is None or (state.decided_at or 0) <= expected.decided_at
                continue
            assert wanted == (STATUSES[state.status], state.decided_at), f"seed {seed}, {style}, at {at}: {case}"
        reached.update(operators(case.node))
        reached[expected.status] += 1
        reached["ended"] += case.end is not None
        reached["open"] += case.start is None
        reached["civil"] += case.world is not MICROSECONDS
        reached[style] += 1
    print(f"\n{CASES:,} cases: {dict(reached.most_common())}")
    if CASES >= 1_000:
        rare = {name: reached[name] for name in (*OPERATORS, *STATUSES, "open") if reached[name] < CASES * 0.03}
        assert {} == rare


def test_packing_is_the_inverse_of_unpacking() -> None:
    for number in range(CASES // 4):
        case = draw(FIRST_SEED + number)
        program = compile_program(case.node, case.world.zone)
        for _, state in fold(case, restore=False):
            data = program.pack(state)
            assert state == program.unpack(data)
            assert data == program.pack(program.unpack(data))


def test_a_verdict_changes_before_its_wake_up_only_by_an_event() -> None:
    """Brute force: every instant between two events."""
    woken = 0
    for number in range(CASES // 8):
        case = draw(FIRST_SEED + number)
        program = compile_program(case.node, case.world.zone)
        for at, state in fold(case, restore=False):
            limit = at + 40 if state.wake_at is None else min(state.wake_at, at + 40)
            verdict = program.verdict(state)
            for now in range(at, limit):
                assert state is program.advance(state, now)
                assert verdict == program.verdict(program.advance(state, now))
            if state.wake_at is not None:
                assert state.wake_at > at
                woken += 1
            known = [event for event in case.events if event.at <= at]
            upcoming = judge(case.node, known, case.start, at, case.end, zone=case.world.zone)
            if state.status == 0 and upcoming.wake_at is not None:
                assert state.wake_at is not None
                assert state.wake_at <= upcoming.wake_at
    assert woken > CASES // 16


def test_time_may_be_advanced_in_any_steps() -> None:
    for number in range(CASES // 8):
        seed = FIRST_SEED + number
        chance = random.Random(seed)
        case = draw(seed)
        program = compile_program(case.node, case.world.zone)
        at, state = chance.choice(fold(case, restore=False))
        whole = program.advance(state, at + 30)
        by_steps = state
        for now in sorted(chance.randint(at, at + 30) for _ in range(4)):
            by_steps = program.advance(program.advance(by_steps, now), now - 1)
        assert whole == program.advance(by_steps, at + 30), f"seed {seed}"


def test_an_unchanged_state_is_the_same_object() -> None:
    same = 0
    for number in range(CASES // 8):
        case = draw(FIRST_SEED + number)
        program = compile_program(case.node, case.world.zone)
        at, state = fold(case, restore=False)[0]
        assert state is program.step(state, Event("unheard of", at, "zz")) or state.wake_at is not None
        other = program.step(state, Event("A", at + 1, "zzz"))
        if other == state:
            same += 1
            assert other is state
    assert same > 0
