"""A condition set judges each of its conditions as the condition's own program would, alone.

Conditions are added, removed and caught up with between the events, and standings are packed and restored.
`REWARDKIT_SCALE=50` runs 20,000 cases; a failure prints its seed:
`REWARDKIT_SEED=… REWARDKIT_SCALE=0` runs that one alone.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable

from rewardkit.language.condition import Condition
from rewardkit.language.event import Event
from rewardkit.language.folding.program import PENDING, Program, State
from rewardkit.language.sets.condition_set import ConditionSet
from rewardkit.language.sets.standing import Decided, Standing
from rewardkit.language.syntax.canonical import structure
from rewardkit.language.syntax.format import format_condition
from rewardkit.testing.random_conditions import RandomConditions, operators
from rewardkit.testing.samples import random_history

START = 1_000
CASES = max(1, int(400 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240101"))
STATUSES = ("pending", "satisfied", "impossible")


class Alone:
    """Every condition by itself: what the set has to agree with."""

    def __init__(self, *, opened: bool, end: int | None, history: list[Event]) -> None:
        self.start = None if opened else START
        self.end = end
        self.history = history
        self.now = START
        self.read: list[Event] = []
        self.programs: dict[str, Program] = {}
        self.states: dict[str, State] = {}

    def open(self, name: str, program: Program) -> list[Decided]:
        """Begin a condition, and have it read all that has been read."""
        state = program.start(self.start, end=self.end, history=self.history)
        opening = PENDING if self.read else state.status
        for event in self.read:
            state = program.step(program.advance(state, event.at), event)
        self.programs[name], self.states[name] = program, program.advance(state, self.now)
        return self._told(name, PENDING, self.states[name]) if opening == PENDING or not self.read else []

    def step(self, event: Event) -> list[Decided]:
        self.read.append(event)
        self.now = event.at
        return self._all(lambda program, state: program.step(program.advance(state, event.at), event))

    def advance(self, now: int) -> list[Decided]:
        self.now = now
        return self._all(lambda program, state: program.advance(state, now))

    def _all(self, move: Callable[[Program, State], State]) -> list[Decided]:
        changes = []
        for name, program in self.programs.items():
            before = self.states[name]
            self.states[name] = after = move(program, before)
            changes += self._told(name, before.status, after)
        return changes

    def _told(self, name: str, before: int, after: State) -> list[Decided]:
        if before != PENDING or after.status == PENDING:
            return []
        return [Decided(name, STATUSES[after.status], after.decided_at or 0)]  # type: ignore[arg-type]

    @property
    def wake_at(self) -> int | None:
        return min((state.wake_at for state in self.states.values() if state.wake_at is not None), default=None)


class Case:
    """One set, one user, and the same conditions alone."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.opened = chance.random() < 0.3
        self.drawn = RandomConditions(chance, windows=not self.opened)
        self.set = ConditionSet(scope="open" if self.opened else "start")
        self.added = 0
        self.reached: Counter[str] = Counter()
        end = None if self.opened else chance.choice((None, None, START + chance.choice((0, 1, 3, 5, 8, 13))))
        events = random_history(chance, START, length=12)
        history = [] if self.opened else [event for event in events if event.at <= START]
        self.events = events[len(history) :]
        self.alone = Alone(opened=self.opened, end=end, history=history)

    def fresh(self) -> tuple[str, Condition]:
        scope = "open" if self.opened else "start"
        while True:
            depth = self.chance.choice((0, 1, 1, 2, 3))
            node = self.drawn.draw(depth)
            # Spans of microseconds cannot be written, so nothing is parsed.
            condition = Condition(format_condition(node), node, [structure(node)])
            if all(found.severity != "error" for found in condition.check(scope=scope)):  # type: ignore[arg-type]
                break
        self.added += 1
        self.reached.update(operators(condition.tree))
        return f"c{self.added}", condition

    def program(self, condition: Condition) -> Program:
        return condition.program(scope="open" if self.opened else "start")

    def run(self) -> None:
        chance = self.chance
        expected = []
        for _ in range(chance.randint(0, 6)):
            name, condition = self.fresh()
            self.set.add(name, condition)
            expected += self.alone.open(name, self.program(condition))
        alone = self.alone
        standing, found = self.set.start(alone.start, end=alone.end, history=alone.history)
        self.compare(standing, expected, found)
        for event in self.events:
            standing = self.disturb(standing)
            self.compare(standing, alone.step(event), self.set.step(standing, event))
            if chance.random() < 0.3:
                now = alone.now + chance.choice((0, 1, 2, 5))
                now = min(now, min((later.at for later in self.events if later not in alone.read), default=now))
                self.compare(standing, alone.advance(now), self.set.advance(standing, now))
        for later in (1, 5, 30):
            standing = self.disturb(standing)
            now = alone.now + later
            self.compare(standing, alone.advance(now), self.set.advance(standing, now))

    def disturb(self, standing: Standing) -> Standing:
        """Add, remove, catch up, pack and restore."""
        chance = self.chance
        if chance.random() < 0.2:
            self.set.add(*self.fresh())
            self.reached["added"] += 1
        if chance.random() < 0.1 and self.set.names:
            name = chance.choice(self.set.names)
            self.set.remove(name)
            self.alone.programs.pop(name, None)
            self.alone.states.pop(name, None)
            self.reached["removed"] += 1
        if chance.random() < 0.5:
            data = self.set.pack(standing)
            standing = self.set.unpack(data)
            assert data == self.set.pack(standing)
        missing = self.set.missing(standing)
        assert set(self.set.names) - self.alone.programs.keys() == set(missing)
        if missing and chance.random() < 0.5:
            expected = [
                change for name in missing for change in self.alone.open(name, self.program(self.set.condition(name)))
            ]
            found = self.set.catch_up(standing, self.alone.read, self.alone.now, history=self.alone.history)
            self.compare(standing, expected, found)
            self.reached["caught up"] += 1
        return standing

    def compare(self, standing: Standing, expected: list[Decided], found: tuple[Decided, ...]) -> None:
        assert sorted(expected) == sorted(found)
        assert [change.at for change in found] == sorted(change.at for change in found)
        for name, state in self.alone.states.items():
            assert STATUSES[state.status] == self.set.status(standing, name)
        wake_at, woken = self.alone.wake_at, standing.wake_at
        # A removed condition's timer may still be there: waking early is harmless.
        assert wake_at == woken or (self.reached["removed"] and woken is not None and (wake_at or woken) >= woken)


def test_a_set_judges_as_each_condition_would_alone() -> None:
    reached: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + CASES):
        case = Case(seed)
        try:
            case.run()
        except AssertionError as error:
            raise AssertionError(f"REWARDKIT_SEED={seed}: {error}") from error
        reached += case.reached
    if CASES > 1:
        for name in ("AtLeast", "And", "Or", "Not", "Some", "Within", "Over", "No", "Then", "Ever"):
            assert reached[name] > CASES // 20, (name, reached)
        assert min(reached["added"], reached["removed"], reached["caught up"]) > CASES // 10, reached
