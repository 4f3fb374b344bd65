"""The normal form keeps the verdict, is its own normal form, and is shared by what the laws call equal.

`REWARDKIT_SCALE=100` runs 100,000 cases; a failure prints its seed, and `REWARDKIT_SEED=… REWARDKIT_SCALE=0` runs it.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

import attrs
import pytest

from rewardkit.language import tree
from rewardkit.language.checks.reach import check_reach
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import compile_program
from rewardkit.language.specification import judge
from rewardkit.language.syntax.canonical import structure
from rewardkit.language.syntax.normal import normalise
from rewardkit.testing.random_conditions import EVERY_KIND, RandomConditions, operators
from rewardkit.testing.samples import random_history
from rewardkit.testing.world import MICROSECONDS, civil_history, random_world

CASES = max(1, int(1_000 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240201"))


class Variation:
    """Writes a condition otherwise, by the laws that the normal form knows."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def vary(self, node: tree.Node, *, followed: bool = False, heard: bool = False) -> tree.Node:
        varied = self._parts(node, followed=followed, heard=heard)
        match self.chance.randrange(8):
            case 0 if not followed and not heard:
                return tree.Not(tree.Not(varied))
            case 1:
                return self.chance.choice((tree.And, tree.Or))((varied, varied))
            case 2:
                return tree.Some(2, (varied, varied))
            case 3 if isinstance(varied, tree.No):
                return tree.Over(tree.Not(varied.body), varied.span)
            case _:
                return varied

    def _parts(self, node: tree.Node, *, followed: bool, heard: bool) -> tree.Node:
        chance = self.chance
        if isinstance(node, tree.And | tree.Or | tree.Some):
            terms = [self.vary(term, followed=followed, heard=heard) for term in node.terms]
            chance.shuffle(terms)
            if isinstance(node, tree.Some):
                return attrs.evolve(node, terms=tuple(terms))
            if len(terms) > 2 and chance.random() < 0.5:
                terms = [type(node)(tuple(terms[:2])), *terms[2:]]
            least = 1 if isinstance(node, tree.Or) else len(terms)
            return tree.Some(least, tuple(terms)) if chance.random() < 0.2 else type(node)(tuple(terms))
        if isinstance(node, tree.Then):
            steps = [self.vary(step, followed=True, heard=heard) for step in node.steps[:-1]]
            steps.append(self.vary(node.steps[-1], followed=followed, heard=heard))
            return tree.Then((tree.Then(tuple(steps[:2])), *steps[2:])) if len(steps) > 2 else tree.Then(tuple(steps))
        body: Any = getattr(node, "body", None)
        if body is None or isinstance(node, tree.No | tree.Streak):
            return node
        if isinstance(node, tree.Not | tree.Over):
            followed = False
        if isinstance(node, tree.Satisfied):
            followed = heard = False
        heard = heard or isinstance(node, tree.InAny | tree.InOne | tree.By)
        one: Any = node
        whole: tree.Node = attrs.evolve(one, body=self.vary(body, followed=followed, heard=heard))
        return whole


def drawn(seed: int) -> tuple[tree.Node, list[Event], Position, int | None, str]:
    chance = random.Random(seed)
    world = random_world(chance) if chance.random() < 0.2 else MICROSECONDS
    node = RandomConditions(chance, kinds=EVERY_KIND, world=world).draw(chance.choice((1, 2, 2, 3)))
    events = random_history(chance, world.start, 6) if world is MICROSECONDS else civil_history(chance, world, 6)
    end = chance.choice((None, None, world.start + chance.choice((1, *world.spans))))
    return node, events, Position(world.start), end, world.zone


def test_the_normal_form_keeps_the_verdict_and_is_its_own() -> None:
    reached: Counter[str] = Counter()
    for number in range(CASES):
        seed = FIRST_SEED + number
        node, events, start, end, zone = drawn(seed)
        varied = Variation(random.Random(seed)).vary(node)
        normal = normalise(varied)
        assert normal == normalise(normal), f"seed {seed}"
        assert structure(normal) == structure(normalise(node)), f"seed {seed}: {node} {varied}"
        now = max([event.at for event in events], default=start.at) + 40
        verdict = judge(varied, events, start, now, end, zone=zone)
        assert verdict == judge(normal, events, start, now, end, zone=zone), f"seed {seed}: {varied} {normal}"
        if not list(check_reach(varied)):
            programs(seed, (varied, normal), events, start, end, zone)
            reached["programs"] += 1
        reached.update(operators(varied))
        reached[verdict.status] += 1
        reached["changed"] += structure(varied) != structure(normal)
    print(f"\n{CASES:,} cases: {dict(reached.most_common())}")
    if CASES >= 1_000:
        kinds = ("satisfied", "impossible", "pending", "changed", "programs")
        assert {} == {name: reached[name] for name in kinds if reached[name] < CASES // 20}


def programs(
    seed: int, nodes: tuple[tree.Node, tree.Node], events: list[Event], start: Position, end: int | None, zone: str
) -> None:
    """Both programs say the same; one that finds impossible states by a table may say `impossible` before the other."""
    folded = []
    for node in nodes:
        program = compile_program(node, zone)
        before = [event for event in events if event.position <= start]
        state = program.start(start.at, end=end, history=before)
        for event in events[len(before) :]:
            state = program.step(state, event)
        state = program.advance(state, max([event.at for event in events], default=start.at) + 40)
        folded.append((program.exact, state.status, state.decided_at))
    one, other = folded
    if one[0] == other[0]:
        assert one == other, f"seed {seed}: {nodes}"
    else:
        assert 1 not in {one[1], other[1]} or one[1:] == other[1:], f"seed {seed}: {nodes}"


@pytest.mark.parametrize(
    "text, normal",
    [
        ("B & A & (C & A)", "A & B & C"),
        ("B | A | (A | B*1)", "A | B"),
        ("1 of (B, A)", "A | B"),
        ("2 of (B, A)", "A & B"),
        ("2 of (B, A, A)", "2 of (A, A, B)"),
        ("!!A", "A"),
        ("!!!A & B", "B & !A"),
        ("(!!A & B) then C", "(B & !!A) then C"),
        ("A then !!B", "A then B"),
        ("!!A in any 7d", "(!!A) in any 7d"),
        ("!A over 7d", "no A within 7d"),
        ("(!(A & B)) over 7d", "(!(A & B)) over 7d"),
        ("(!!A) over 7d", "A over 7d"),
        ("A then (B then C)", "A then B then C"),
        ("(A within 7d) within 3d", "A within 3d"),
        ("(A within 7d) within 3 calendar days", "A within 7d within 3 calendar days"),
        ("ever ever A", "ever A"),
        ("(!!(ever A)) within 7d", "(ever A & ever A) within 7d"),
        ("satisfied((B & A)) then C", "satisfied((A & B)) then C"),
        ("(B | A | B)*2", "(A | B)*2"),
        ("1 + sum(B:x) - sum(A | B | A:x) >= 2", "-sum(A | B:x) + sum(B:x) + 1 >= 2"),
        ("A[y == 1 and x == 2 and (y == 1)]", "A[x == 2 and y == 1]"),
        ("A[not (x == 1) & not not has y]", "A[x != 1 and has y]"),
        ("A[x in (2)] | A[x in (2, 1, 2)]", "A[x == 2] | A[x in (1, 2)]"),
        ('A before "2026-01-31T12:00:00.50+02:00"', 'A before "2026-01-31T10:00:00.500000Z"'),
        ('A since "2026-01-31"', 'A since "2026-01-31"'),
        ("((B & A) in any 7d) & C", "C & ((A & B) in any 7d)"),
        ("@b & @a", "@a & @b"),
    ],
)
def test_a_condition_has_its_normal_form(text: str, normal: str) -> None:
    condition = Condition.parse(text)
    assert Condition.parse(normal) == condition.normalised
    assert condition.normalised == condition.normalised.normalised
    assert Condition.parse(normal).identity == condition.identity


@pytest.mark.parametrize(
    "left, right",
    [
        ("(A & B) in any 7d", "A in any 7d & B in any 7d"),
        ("A then B", "B then A"),
        ("A*2", "A & A"),
        ("A over 7d", "A within 7d"),
        ("A[x == 1]", "A[x == true]"),
        ("A[x == 1]", 'A[x == "1"]'),
        ("(!!A & B) then C", "(A & B) then C"),
        ("no A within 7d", "!A"),
    ],
)
def test_what_means_something_else_has_another_identity(left: str, right: str) -> None:
    assert Condition.parse(left).identity != Condition.parse(right).identity


def test_an_identity_never_changes() -> None:
    assert "532410566adb2fc6db1d606e907e4d87" == Condition.parse("(A*2 | B) & !C").identity


def test_the_places_of_a_normal_form_lie_in_its_own_text() -> None:
    normal = Condition.parse("   B   &   A over 7d").normalised
    assert isinstance(normal.tree, tree.And)
    assert ["B", "A over 7d"] == [normal.text[slice(*term.place)] for term in normal.tree.terms]
