"""`impossible` is exact where the table of reachable states says so: no more and no less than brute force finds."""

from __future__ import annotations

import os
import random
from itertools import product

from rewardkit.language import tree
from rewardkit.language.event import Event
from rewardkit.language.folding.program import (
    IMPOSSIBLE,
    PENDING,
    SATISFIED,
    Program,
    State,
    bare_program,
    compile_program,
)
from rewardkit.language.specification import judge
from rewardkit.language.syntax.canonical import structure

CASES = max(1, int(600 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240101"))
NAMES = ("A", "B")
FILTERS = (
    tree.Compare("p", "==", 1),
    tree.Compare("p", ">=", 1),
    tree.Every((tree.Compare("p", "<", 1), tree.Compare("p", ">", 1))),
)
VALUES: tuple[dict[str, int], ...] = ({}, {"p": 0}, {"p": 1}, {"p": 2})
LETTERS = tuple(Event(name, 1, "e", properties=held) for name, held in product(NAMES, VALUES))


def draw(chance: random.Random, depth: int, *, followed: bool = False) -> tree.Node:
    """A small condition that is order alone; what a step follows has an end."""
    if depth == 0 or chance.random() < 0.15:
        where = chance.choice(FILTERS) if chance.random() < 0.35 else None
        return tree.AtLeast((tree.Match(chance.choice(NAMES), where),), chance.choice((1, 1, 2)))
    kind = chance.choice(("and", "and", "or", "not", "not", "some", "then", "then"))
    if kind == "not" and not followed:
        return tree.Not(draw(chance, depth - 1))
    if kind == "then":
        return tree.Then((draw(chance, depth - 1, followed=True), draw(chance, depth - 1, followed=followed)))
    terms = tuple(draw(chance, depth - 1, followed=followed) for _ in range(3 if kind == "some" else 2))
    if kind == "some":
        return tree.Some(2, terms)
    return tree.And(terms) if kind in ("and", "not") else tree.Or(terms)


def satisfiable(program: Program, state: State, known: dict[State, bool]) -> bool:
    """Whether any continuation satisfies, by trying all of them."""
    reached, waiting = {state}, [state]
    while waiting:
        current = waiting.pop()
        if known.get(current):
            return True
        for letter in LETTERS:
            after = program.step(current, letter)
            if after.status == SATISFIED:
                return True
            if after.status == PENDING and after not in reached:
                reached.add(after)
                waiting.append(after)
    return False


def test_impossible_is_said_exactly_where_no_continuation_satisfies() -> None:
    exact = found = 0
    for number in range(CASES):
        chance = random.Random(FIRST_SEED + number)
        node = draw(chance, chance.choice((2, 3)))
        whole, bare = compile_program(node), bare_program(node)
        if not whole.exact:
            continue
        exact += 1
        states, waiting, known = {bare.start(1)}, [bare.start(1)], dict[State, bool]()
        while waiting and len(states) < 60:
            state = waiting.pop()
            for letter in LETTERS:
                after = bare.step(state, letter)
                if after.status == PENDING and after not in states:
                    states.add(after)
                    waiting.append(after)
        for state in states:
            if state.status == PENDING:
                known[state] = satisfiable(bare, state, known)
                said = whole._conclude(None, state.root, (), 0, (), 1, state.start, None, 1).status
                assert (PENDING if known[state] else IMPOSSIBLE) == said, f"seed {FIRST_SEED + number}: {node}"
                found += said == IMPOSSIBLE
    assert exact > CASES * 0.9
    assert CASES < 100 or found > CASES * 0.05


def test_what_the_table_calls_impossible_never_becomes_satisfied_by_the_specification() -> None:
    earlier = 0
    for number in range(CASES // 4):
        chance = random.Random(FIRST_SEED + number)
        node = draw(chance, 2)
        program = compile_program(node)
        state, events = program.start(1), []
        for count in range(5):
            letter = chance.choice(LETTERS)
            events.append(Event(letter.name, 1, f"e{count}", properties=letter.properties))
            state = program.step(state, events[-1])
            said = judge(node, events, 1, 1).status
            if state.status == IMPOSSIBLE:
                assert said != "satisfied", f"seed {FIRST_SEED + number}: {node}"
                earlier += said == "pending"
            else:
                assert ("pending", "satisfied")[state.status] == said
    assert CASES < 100 or earlier > 0


def test_conditions_of_one_shape_share_a_table() -> None:
    def contradiction(name: str, field: str) -> tree.Node:
        leaf = tree.AtLeast((tree.Match(name, tree.Compare(field, "==", name)),))
        return tree.And((leaf, tree.Not(leaf)))

    one, two = compile_program(contradiction("A", "p")), compile_program(contradiction("Other", "q.r"))
    assert one._outlook is not None
    assert two._outlook is not None
    assert structure(one.node) != structure(two.node)
    assert one._outlook.table is two._outlook.table
    assert IMPOSSIBLE == one.start(0).status == two.start(0).status
