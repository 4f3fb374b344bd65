"""Analyses over every operator that is evaluated, in zones whose clocks jump: never wrong, and shown by histories."""

from __future__ import annotations

import os
import random
from collections import Counter
from itertools import combinations

from rewardkit.language import tree
from rewardkit.language.analysing.analysis import analyse
from rewardkit.language.analysing.moments import Setting
from rewardkit.language.event import Event
from rewardkit.language.specification import judge
from rewardkit.testing.random_conditions import EVERY_KIND, PLAIN_KINDS, RandomConditions
from rewardkit.testing.samples import random_history
from rewardkit.testing.world import MICROSECONDS, World, civil_history, random_world

CASES = max(1, int(120 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240101"))


def histories(chance: random.Random, world: World) -> list[list[Event]]:
    if world is MICROSECONDS:
        return [random_history(chance, world.start) for _ in range(25)]
    return [civil_history(chance, world) for _ in range(25)]


def test_yes_and_no_are_never_wrong() -> None:
    seen: Counter[str] = Counter()
    for number in range(CASES):
        seed = FIRST_SEED + number
        chance = random.Random(seed)
        world = random_world(chance) if chance.random() < 0.4 else MICROSECONDS
        kinds = chance.choice((EVERY_KIND, (*PLAIN_KINDS, "before", "since")))
        node = RandomConditions(chance, kinds=kinds, world=world).draw(chance.choice((1, 2, 2)))
        end = chance.choice((None, None, world.start + world.spans[-1]))
        found = analyse(node, Setting(world.start, end, world.zone))
        seen[found.satisfiable] += 1
        message = f"seed {seed}: {node}"

        def status(
            events: tuple[Event, ...], now: int, node: tree.Node = node, end: int | None = end, world: World = world
        ) -> str:
            return judge(node, events, world.start, now, end, zone=world.zone).status

        if found.satisfying is not None:
            at, events = found.satisfying.at, found.satisfying.events
            assert "satisfied" == status(events, at), message
            parts = [part for many in range(len(events)) for part in combinations(events, many)]
            assert len(events) > 5 or "satisfied" not in {status(part, at) for part in parts}, message
        if found.refuting is not None:
            said = status(found.refuting.events, found.refuting.at)
            assert said == "impossible" or (found.exact and said == "pending"), message
        for history in histories(chance, world):
            later = max(world.start, *(event.at for event in history), 0) + 400 * 86_400_000_000
            said = status(tuple(history), later)
            assert not (said == "satisfied" and found.satisfiable == "no"), message
            assert not (said == "impossible" and found.refutable == "no"), message
            assert not (said != "satisfied" and found.certain == "yes"), message
    print(f"\n{CASES:,} cases: {dict(seen.most_common())}")
    assert seen["yes"] + seen["no"] > CASES * 0.5
