"""What an analysis says is so: witnesses satisfy, refuters refute, and yes and no are never wrong."""

from __future__ import annotations

import os
import random
from collections import Counter
from itertools import combinations, product
from typing import Any

from hypothesis import given, settings

from rewardkit.language import tree
from rewardkit.language.analysing.analysis import analyse
from rewardkit.language.analysing.branches import dead_branches
from rewardkit.language.analysing.extent import extent
from rewardkit.language.analysing.moments import Setting
from rewardkit.language.analysing.possibility import can_be_again
from rewardkit.language.analysing.relation import relate
from rewardkit.language.analysing.search import Work
from rewardkit.language.analysing.witness import History
from rewardkit.language.event import Event
from rewardkit.language.folding.program import compile_program
from rewardkit.language.specification import judge
from rewardkit.testing.samples import random_history
from rewardkit.testing.strategies import START as EXAMPLE
from rewardkit.testing.strategies import conditions

CASES = max(1, int(150 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240101"))
START = 1_000
LATER = START + 60
SPANS = (2, 3, 5)
NAMES = ("A", "B")
WHERES = (None, None, None, tree.Compare("p", ">=", 2), tree.Compare("p", "==", "x"))


def draw(chance: random.Random, depth: int, *, followed: bool = False, windows: bool = True) -> tree.Node:
    """A small condition; what a step follows has an end."""
    if depth == 0 or chance.random() < 0.15:
        match = tree.Match(chance.choice(NAMES), chance.choice(WHERES))
        return tree.AtLeast((match,), chance.choice((1, 1, 1, 2)))
    kinds = ["and", "or", "some", "then"]
    kinds += ["within", "over", "no"] if windows else []
    kinds += [] if followed else ["not", "not"]
    kind = chance.choice(kinds)
    inner = {"followed": followed, "windows": windows}
    span = tree.Elapsed(chance.choice(SPANS))
    match kind:
        case "not":
            return tree.Not(draw(chance, depth - 1, windows=windows))
        case "within":
            return tree.Within(draw(chance, depth - 1, **inner), span)
        case "over":
            return tree.Over(draw(chance, depth - 1, windows=windows), span)
        case "no":
            return tree.No(tree.AtLeast((tree.Match(chance.choice(NAMES)),)), span)
        case "then":
            return tree.Then(
                (draw(chance, depth - 1, followed=True, windows=windows), draw(chance, depth - 1, **inner))
            )
        case "some":
            return tree.Some(2, tuple(draw(chance, depth - 1, **inner) for _ in range(3)))
        case _:
            terms = tuple(draw(chance, depth - 1, **inner) for _ in range(2))
            return tree.And(terms) if kind == "and" else tree.Or(terms)


def status(node: tree.Node, events: tuple[Event, ...], now: int, end: int | None = None) -> str:
    return judge(node, events, START, now, end).status


def parts(history: History) -> list[tuple[Event, ...]]:
    return [part for many in range(len(history.events)) for part in combinations(history.events, many)]


def histories(chance: random.Random, many: int) -> list[tuple[Event, ...]]:
    """Random ones, and all of two events at telling instants."""
    made = [tuple(event for event in random_history(chance, START) if event.at >= START) for _ in range(many)]
    held: tuple[dict[str, Any], ...] = ({}, {"p": 2}, {"p": "x"})
    letters = list(product(NAMES, held))
    for (one, first), (two, other), gap in product(letters, letters, (0, 1, 2, 5)):
        made.append((Event(one, START, "e1", properties=first), Event(two, START + gap, "e2", properties=other)))
    return made


def test_what_satisfies_satisfies_and_no_part_of_it_does() -> None:
    seen: Counter[str] = Counter()
    for number in range(CASES):
        chance = random.Random(FIRST_SEED + number)
        node = draw(chance, chance.choice((1, 2, 2, 3)))
        end = chance.choice((None, None, START + 4))
        found = analyse(node, Setting(START, end, "UTC"))
        message = f"seed {FIRST_SEED + number}: {node}"
        seen[found.satisfiable] += 1
        if found.satisfying is not None:
            assert "yes" == found.satisfiable
            assert "satisfied" == status(node, found.satisfying.events, found.satisfying.at, end), message
            if len(found.satisfying.events) <= 6:
                assert not any(
                    status(node, part, found.satisfying.at, end) == "satisfied" for part in parts(found.satisfying)
                ), message
        if found.refuting is not None:
            said = status(node, found.refuting.events, found.refuting.at, end)
            exact = compile_program(node).exact
            assert said == "impossible" or (exact and said == "pending"), message
        for events in histories(chance, 40):
            said = status(node, events, LATER, end)
            assert not (said == "satisfied" and found.satisfiable == "no"), message
            assert not (said == "impossible" and found.refutable == "no"), message
            assert not (said != "satisfied" and found.certain == "yes"), message
    assert seen["unknown"] < CASES * 0.2
    assert CASES < 100 or seen["no"] > 0


@settings(max_examples=60, deadline=None)
@given(conditions(depth=2))
def test_an_example_satisfies_and_no_part_of_it_does(node: tree.Node) -> None:
    found = analyse(node, Setting(EXAMPLE, None, "UTC")).satisfying
    if found is not None:
        assert "satisfied" == judge(node, found.events, EXAMPLE, found.at).status
        smaller = parts(found) if len(found.events) <= 6 else []
        assert "satisfied" not in {judge(node, part, EXAMPLE, found.at).status for part in smaller}


def test_what_can_be_satisfied_again_never_becomes_impossible() -> None:
    seen = 0
    for number in range(CASES):
        chance = random.Random(FIRST_SEED + number)
        node = draw(chance, 2)
        if can_be_again(node):
            seen += 1
            assert not any(status(node, events, LATER) == "impossible" for events in histories(chance, 20))
    assert seen > CASES * 0.1


def test_implications_hold_and_what_tells_conditions_apart_does() -> None:
    seen: Counter[str] = Counter()
    for number in range(CASES // 2):
        chance = random.Random(FIRST_SEED + number)
        this = draw(chance, chance.choice((1, 2)), windows=chance.random() < 0.6)
        other = chance.choice((draw(chance, 1), tree.Or((this, draw(chance, 1))), tree.And((this, draw(chance, 1)))))
        found = relate(this, other, Setting(START, None, "UTC"), Work())
        message = f"seed {FIRST_SEED + number}: {this} {other}"
        seen.update((found.implies, found.implied_by))
        pairs = ((this, other, found.implies, found.only_this), (other, this, found.implied_by, found.only_other))
        for one, two, answer, apart in pairs:
            assert ("no" == answer) == (apart is not None)
            if apart is not None:
                assert "satisfied" == status(one, apart.events, apart.at), message
                assert "satisfied" != status(two, apart.events, apart.at), message
            if answer == "yes":
                for events in histories(chance, 30):
                    for now in {START, LATER, *(event.at for event in events), START + 3}:
                        known = tuple(event for event in events if event.at <= now)
                        held = status(one, known, now) == "satisfied"
                        assert not held or status(two, known, now) == "satisfied", message
    assert seen["yes"] > CASES * 0.1
    assert seen["no"] > CASES * 0.1


def test_a_condition_without_its_dead_branches_is_the_same() -> None:
    seen = 0
    for number in range(CASES):
        chance = random.Random(FIRST_SEED + number)
        node = draw(chance, 2, windows=chance.random() < 0.5)
        setting = Setting(START, None, "UTC")
        if analyse(node, setting).satisfiable != "yes":
            continue
        pruned = dead_branches(node, setting, Work())
        seen += len(pruned.branches)
        for events in histories(chance, 30) if pruned.branches else ():
            for now in {START, LATER, *(event.at for event in events), START + 3}:
                known = tuple(event for event in events if event.at <= now)
                held, kept = status(node, known, now), status(pruned.node, known, now)
                assert (held == "satisfied") == (kept == "satisfied"), f"seed {FIRST_SEED + number}: {node}"
    assert seen > CASES * 0.05


def test_an_analysis_is_the_same_each_time() -> None:
    for number in range(CASES // 5):
        node = draw(random.Random(FIRST_SEED + number), 2)
        setting = Setting(START, None, "UTC")
        assert analyse(node, setting).to_json() == analyse(node, setting).to_json()


def test_a_packed_state_keeps_to_its_bound() -> None:
    bounded = 0
    for number in range(CASES):
        chance = random.Random(FIRST_SEED + number)
        node = draw(chance, 3)
        most = extent(node).state_bytes
        program = compile_program(node)
        state = program.start(START)
        for event in random_history(chance, START, 20):
            if event.at < START:
                continue
            state = program.step(program.advance(state, event.at), event)
            if most is not None:
                bounded += 1
                assert len(program.pack(state)) <= most, f"seed {FIRST_SEED + number}: {node}"
    assert bounded > CASES
