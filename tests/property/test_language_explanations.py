"""Every explanation is justified: a second reading of the language re-validates it, and refuses what was changed in it.

`REWARDKIT_SCALE=250` runs 500,000 cases; continuous integration runs 2,000. A failure prints its seed:
`REWARDKIT_SEED=… REWARDKIT_SCALE=0` runs that one alone.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import attrs

from rewardkit.language import tree
from rewardkit.language.checks.reach import check_reach
from rewardkit.language.descent import descend
from rewardkit.language.event import Event, Position
from rewardkit.language.explaining.checker import objections
from rewardkit.language.explaining.explanation import Explanation, explain
from rewardkit.language.folding.modes import compile_in_mode
from rewardkit.language.positive import positive_part
from rewardkit.language.replay import BEFORE_ALL
from rewardkit.language.verdict import Mode
from rewardkit.testing.random_conditions import EVERY_KIND, RandomConditions
from rewardkit.testing.samples import random_history
from rewardkit.testing.world import MICROSECONDS, World, civil_history, random_world

CASES = max(1, int(2_000 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240101"))


class Case(NamedTuple):
    node: tree.Node
    events: list[Event]
    start: Position | None
    now: int
    end: int | None
    world: World
    mode: Mode

    def explained(self) -> Explanation:
        return explain(self.node, self.events, self.start, self.now, self.end, zone=self.world.zone, mode=self.mode)

    def objections(self, explanation: Explanation) -> tuple[str, ...]:
        return objections(
            self.node, explanation, self.events, self.start, self.now, self.end, zone=self.world.zone, mode=self.mode
        )


def draw(seed: int) -> Case:
    chance = random.Random(seed)
    opened = chance.random() < 0.1
    world = random_world(chance) if chance.random() < 0.3 else MICROSECONDS
    conditions = RandomConditions(chance, windows=not opened, kinds=EVERY_KIND, world=world)
    node = conditions.draw(chance.choice((1, 2, 2, 3)))
    events = random_history(chance, world.start) if world is MICROSECONDS else civil_history(chance, world)
    start = chance.choice(events).position if events and chance.random() < 0.3 else Position(world.start)
    end = chance.choice((None, None, start.at + chance.choice((0, 1, *world.spans))))
    last = max([world.start, *(event.at for event in events)])
    now = max(0, last + chance.choice((0, 0, -2, 5, 30)))
    modes: tuple[Mode, ...] = ("latch", "latch", "latch", "live", "live" if end is None else "final")
    mode = chance.choice(modes)
    if mode == "latch" and any(isinstance(part, tree.InLast) for part in descend(node)):
        mode = "live"
    return Case(node, events, None if opened else start, now, end, world, mode)


def test_every_explanation_is_justified() -> None:
    reached: Counter[Any] = Counter()
    for number in range(CASES):
        seed = FIRST_SEED + number
        case = draw(seed)
        explained = case.explained()
        assert () == case.objections(explained), f"seed {seed}: {case}"
        assert explained.sentences
        assert all(explained.sentences)
        reached[case.mode, explained.status] += 1
        reached.update({type(part).__name__ for part in descend(case.node)})
    print(f"\n{CASES:,} explanations: {dict(reached.most_common())}")
    if CASES >= 1_000:
        statuses = {(mode, status) for mode in ("latch", "live") for status in ("pending", "satisfied", "impossible")}
        assert set() == {pair for pair in statuses if reached[pair] < CASES * 0.02}


def changed(explained: Explanation, case: Case) -> Iterator[tuple[str, Explanation]]:
    """The same explanation with something wrong in it."""
    for status in ("satisfied", "pending", "impossible"):
        if status != explained.status:
            yield "status", attrs.evolve(explained, status=status)
    if explained.decided_at is not None:
        for off in (-1, 1):
            yield "instant", attrs.evolve(explained, decided_at=explained.decided_at + off)
    if explained.wake_at is not None and case.mode != "live":
        yield "wake", attrs.evolve(explained, wake_at=explained.wake_at + 10**12 + 7)
    positive = positive_part(case.node) == case.node
    for dropped in explained.event_ids if positive else ():
        ids = tuple(one for one in explained.event_ids if one != dropped)
        yield "event", attrs.evolve(explained, event_ids=ids)
    strangers = [event.id for event in case.events if event.id not in explained.event_ids]
    for added in strangers if positive and explained.status == "satisfied" else ():
        yield "idle", attrs.evolve(explained, event_ids=(*explained.event_ids, added))
    if isinstance(explained.killed_by, str):
        yield "killer", attrs.evolve(explained, killed_by=explained.decided_at)
        for other in strangers:
            if other != explained.killed_by:
                yield "killer", attrs.evolve(explained, killed_by=other)
    elif explained.killed_by is not None and case.mode != "final":
        yield "killer", attrs.evolve(explained, killed_by=explained.killed_by + 1)
    yield "progress", attrs.evolve(explained, progress=0.5 if explained.status == "satisfied" else 1.0)


def test_an_explanation_with_something_wrong_in_it_is_refused() -> None:
    refused: Counter[str] = Counter()
    for number in range(CASES // 2):
        seed = FIRST_SEED + number
        case = draw(seed)
        explained = case.explained()
        for what, wrong in changed(explained, case):
            assert case.objections(wrong), f"seed {seed}: {what}: {wrong} of {case}"
            refused[what] += 1
    print(f"\nrefused: {dict(refused)}")
    if CASES >= 1_000:
        assert {"status", "instant", "wake", "event", "idle", "killer", "progress"} == set(refused)


def test_an_absence_that_is_not_one_is_refused() -> None:
    refused = 0
    for number in range(CASES // 2):
        case = draw(FIRST_SEED + number)
        explained = case.explained()
        if any(isinstance(part, tree.By) for part in descend(case.node)):
            continue
        for absence in explained.absences:
            if absence.fewer_than > 1 and absence.matches:
                never = absence._replace(fewer_than=0)
                assert case.objections(attrs.evolve(explained, absences=(never,))) or explained.status != "satisfied"
                refused += explained.status == "satisfied"
    assert CASES < 1_000 or refused


def test_the_reason_of_a_state_is_never_empty() -> None:
    """Read from a state alone, after each event, for every condition that a program folds."""
    read = 0
    for number in range(CASES):
        seed = FIRST_SEED + number
        case = draw(seed)
        if any(True for _ in check_reach(case.node)) or case.mode == "final":
            continue
        program = compile_in_mode(case.node, case.mode, case.world.zone)
        opening = case.start or BEFORE_ALL
        history = [event for event in case.events if event.position <= opening]
        state = program.start(None if case.start is None else opening.at, end=case.end, history=history)
        for event in case.events:
            assert program.verdict(state).reason, f"seed {seed}: {case}"
            if event.position > opening:
                state = program.step(state, event)
            read += 1
        assert program.verdict(program.advance(state, max(case.now, opening.at))).reason, f"seed {seed}: {case}"
    assert CASES < 1_000 or read > CASES
