"""Modes and late events: programs agree with the specification after every event and advance, restored in between."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta
from typing import NamedTuple

import pytest

from rewardkit.language import tree
from rewardkit.language.event import Event, Position, instant
from rewardkit.language.folding.modes import compile_in_mode
from rewardkit.language.folding.program import Program, State, bare_program
from rewardkit.language.folding.timely import Timely
from rewardkit.language.folding.timely_state import TimelyState
from rewardkit.language.replay import BEFORE_ALL
from rewardkit.language.specification import Reading, judge
from rewardkit.language.verdict import Mode, Verdict
from rewardkit.testing.random_conditions import EVERY_KIND, PLAIN_KINDS, RandomConditions
from rewardkit.testing.samples import random_history
from rewardkit.testing.world import MICROSECONDS, World, civil_history, random_world

START = 1_000
CASES = max(1, int(300 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240101"))


class Case(NamedTuple):
    node: tree.Node
    events: list[Event]
    start: Position | None
    end: int | None
    world: World = MICROSECONDS

    def later(self) -> int:
        return max([self.world.start, *(event.at for event in self.events)]) + 10 * max(self.world.spans)

    def program(self, mode: Mode) -> Program:
        return compile_in_mode(self.node, mode, self.world.zone)

    def judged(self, known: list[Event], now: int, mode: Mode, lateness: int = 0) -> Reading:
        return judge(self.node, known, self.start, now, self.end, zone=self.world.zone, mode=mode, lateness=lateness)


def draw(seed: int, *, ends: bool) -> Case:
    chance = random.Random(seed)
    opened = chance.random() < 0.1
    world = random_world(chance) if chance.random() < 0.2 else MICROSECONDS
    conditions = RandomConditions(
        chance, windows=not opened, kinds=chance.choice((PLAIN_KINDS, EVERY_KIND)), world=world
    )
    node = conditions.draw(chance.choice((1, 2, 2, 3)))
    events = random_history(chance, START) if world is MICROSECONDS else civil_history(chance, world)
    start = chance.choice(events).position if events and chance.random() < 0.3 else Position(world.start)
    end = start.at + chance.choice((0, 1, *world.spans)) if ends or chance.random() < 0.6 else None
    return Case(node, events, None if opened else start, end, world)


def told(program: Program, state: State) -> Reading:
    return read(program.verdict(state))


def read(verdict: Verdict) -> Reading:
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


def agree(wanted: Reading, found: Reading, about: object) -> None:
    assert wanted.status == found.status, about
    assert wanted.decided_at == found.decided_at, about
    assert wanted.holds_now == found.holds_now, about
    if wanted.wake_at is not None:
        assert found.wake_at is not None, about
        assert found.wake_at <= wanted.wake_at, about


def disagreements(mode: Mode) -> Counter[str]:
    """Asserts that there are none, and counts what was seen."""
    seen: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + CASES):
        case = draw(seed, ends=mode == "final")
        program = case.program(mode)
        before: str | None = None
        for now, known, state in states(case, program):
            wanted, found = case.judged(known, now, mode), told(program, state)
            agree(wanted, found, f"seed {seed} at {now}: {case}")
            seen[found.status] += 1
            seen["no longer held"] += before == "satisfied" and found.status != "satisfied"
            before = found.status
    return seen


def rare(seen: Counter[str], *names: str) -> dict[str, int]:
    return {name: seen[name] for name in names if seen[name] < CASES / 20 and CASES >= 100}


def test_a_live_condition_is_satisfied_while_it_holds() -> None:
    seen = disagreements("live")
    assert {} == rare(seen, "satisfied", "pending", "impossible")
    assert CASES < 100 or seen["no longer held"]


def test_a_final_condition_is_judged_once_at_the_end() -> None:
    seen = disagreements("final")
    assert {} == rare(seen, "satisfied", "pending", "impossible")
    assert 0 == seen["no longer held"]


def test_a_live_verdict_flips_before_its_wake_up_only_by_an_event() -> None:
    """Brute force: every instant between two events."""
    for seed in range(FIRST_SEED, FIRST_SEED + CASES // 6):
        case = draw(seed, ends=False)
        program = case.program("live")
        for at, known, state in states(case, program):
            wake_at = at + 30 if state.wake_at is None else min(state.wake_at, at + 30)
            found = told(program, state)
            for now in {*range(at, min(at + 3, wake_at)), *range(max(at, wake_at - 3), wake_at)}:
                assert state is program.advance(state, now), f"seed {seed} at {at}"
                agree(case.judged(known, now, "live"), found, f"seed {seed} at {at}")


def lagging(case: Case, mode: Mode, chance: random.Random) -> Timely:
    # A program that is exact knows of impossible states that the specification's local rule does not.
    program = bare_program(case.node, case.world.zone) if mode == "latch" else case.program(mode)
    return Timely(program, timedelta(microseconds=chance.choice((0, 1, 2, *case.world.spans))))


@pytest.mark.parametrize("mode", ["latch", "live", "final"])
def test_what_may_be_overturned_in_time_waits(mode: Mode) -> None:
    seen: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + CASES):
        case = draw(seed, ends=mode == "final")
        timely = lagging(case, mode, random.Random(seed))
        for now, known, state in lagged(case, timely):
            wanted = case.judged(known, now, mode, timely.lateness)
            verdict = timely.verdict(state)
            agree(wanted, read(verdict), f"seed {seed} at {now}, {timely.lateness} late: {case}")
            seen[verdict.status] += 1
            seen["at once"] += state.at_once
    assert {} == rare(seen, "satisfied", "pending", "impossible", *(("at once",) if mode == "latch" else ()))


def lagged(case: Case, timely: Timely) -> list[tuple[int, list[Event], TimelyState]]:
    """As `states`, where events may come late, though none does."""
    opening = case.start or BEFORE_ALL
    known = [event for event in case.events if event.position <= opening]
    after = [event for event in case.events if event.position > opening]
    state = timely.start(case.start, end=case.end, history=known)
    last, made = max(opening.at, 0), []
    for number, event in enumerate(after):
        if event.at > last + 1:
            state = timely.advance(state, event.at - 1)
            made.append((event.at - 1, list(known), state))
        known.append(event)
        state, late = timely.receive(timely.unpack(timely.pack(state)), event)
        assert late is None
        last = event.at
        if number == len(after) - 1 or after[number + 1].at > last:
            made.append((last, list(known), state))
    for later in (1, 5, 30):
        state = timely.advance(timely.unpack(timely.pack(state)), last + later)
        made.append((last + later, list(known), state))
    return made


@pytest.mark.parametrize("mode", ["latch", "live", "final"])
def test_events_that_come_out_of_order_in_time_change_nothing(mode: Mode) -> None:
    seen: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + CASES):
        case, chance = draw(seed, ends=mode == "final"), random.Random(seed)
        timely = lagging(case, mode, chance)
        opening = case.start or BEFORE_ALL
        start = timely.start(case.start, end=case.end, history=[e for e in case.events if e.position <= opening])
        longest = timely.lateness + chance.choice((0, 0, 3))
        arrivals = [(event.at + chance.randint(0, longest), event) for event in case.events]
        state, returned = start, 0
        for at, event in sorted(arrivals, key=lambda each: each[0]):
            if event.position > opening:
                state, late = timely.receive(timely.unpack(timely.pack(timely.advance(state, at))), event)
                returned += late is not None
        now = case.later()
        state = timely.advance(state, now)
        whole = timely.fold(case.events, case.start, now=now, end=case.end)
        refolded = timely.refold(state, case.events)
        if not returned:
            assert timely.verdict(whole).status == timely.verdict(state).status, f"seed {seed}: {case}"
        if not returned and not whole.at_once:
            assert timely.verdict(whole) == timely.verdict(state), f"seed {seed}: {case}"
            assert refolded.revision is None, f"seed {seed}: {case}"
        seen["returned"] += returned
        seen["revised"] += refolded.revision is not None
    assert CASES < 100 or seen["returned"]


@pytest.mark.parametrize("mode", ["latch", "live", "final"])
def test_stretches_that_are_merged_give_what_folding_gives(mode: Mode) -> None:
    kept = dropped = 0
    for seed in range(FIRST_SEED, FIRST_SEED + CASES):
        case, chance = draw(seed, ends=mode == "final"), random.Random(seed)
        program = case.program(mode)
        opening = case.start or BEFORE_ALL
        earlier = [event for event in case.events if event.position <= opening]
        after = [event for event in case.events if event.position > opening]
        opened = program.start(None if case.start is None else opening.at, end=case.end, history=earlier)
        cuts = sorted(chance.randint(0, len(after)) for _ in range(3))
        pieces = [after[begin:until] for begin, until in zip([0, *cuts], [*cuts, len(after)], strict=True)]
        one, two, three, four = (
            program.unpack_partial(program.pack_partial(program.partial(chance.sample(piece, len(piece)))))
            for piece in pieces
        )
        folded = opened
        for event in after:
            folded = program.step(folded, event)
        whole = program.merge(program.merge(one, two), program.merge(three, four))
        assert whole == program.merge(one, program.merge(program.merge(two, three), four)), f"seed {seed}: {case}"
        assert whole.events == program.partial(after).events, f"seed {seed}: {case}"
        now = case.later()
        merged = program.advance(
            program.merge(program.merge(opened, program.merge(one, two)), program.merge(three, four)), now
        )
        assert program.verdict(program.advance(folded, now)) == program.verdict(merged), f"seed {seed}: {case}"
        kept += len(whole.events)
        dropped += len(after) - len(whole.events)
    assert min(kept, dropped) > 0
