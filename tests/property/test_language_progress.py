"""Progress: its laws over every operator, and where it counts events exactly.

Exact are conditions of counts, `|`, `within`, `no … within`, `then`, `in any` and `satisfied`, and `&` and `k of` over
single events: there the rest is as long as the shortest continuation that satisfies, found by trying all. `&` over
unions and over steps, comparisons other than of one count, guards, keys, buckets and streaks are estimates.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from itertools import combinations_with_replacement, product

import attrs

from rewardkit.language import tree
from rewardkit.language.descent import descend, matches
from rewardkit.language.event import Event
from rewardkit.language.explaining.continuation import way_on
from rewardkit.language.explaining.explanation import explain
from rewardkit.language.explaining.need import Way
from rewardkit.language.listening import opened_by_any
from rewardkit.language.replay import judge as judged
from rewardkit.language.samples.alphabet import alphabet
from rewardkit.language.specification import decided, judge
from rewardkit.testing.random_conditions import EVERY_KIND, PLAIN_KINDS, RandomConditions
from rewardkit.testing.samples import random_history

CASES = max(1, int(600 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
FIRST_SEED = int(os.environ.get("REWARDKIT_SEED", "20240101"))
START = 1_000
MOST = 2
"""Events that are tried."""
LATER = 60


def counted(way: Way) -> int | None:
    """The events of a way."""
    return None if way is None else sum(need.events for need in way)


def shortest(node: tree.Node, events: Sequence[Event], now: int) -> int | None:
    """The length of the shortest continuation that satisfies; None past the most that are tried."""
    letters = alphabet([node]).letters
    spans = [span.microseconds for part in descend(node) if isinstance(span := getattr(part, "span", 0), tree.Elapsed)]
    times = sorted({now + span + off for span in (0, *spans) for off in (0, 1)})
    for many in range(MOST + 1):
        for at in combinations_with_replacement(times, many):
            for some in product(letters, repeat=many):
                more = [
                    attrs.evolve(letter.event(instant, 100 + number), id=f"more{number}")
                    for number, (letter, instant) in enumerate(zip(some, at, strict=True))
                ]
                if judge(node, [*events, *more], START, now + LATER).status == "satisfied":
                    return many
    return None


def plain(node: tree.Node) -> bool:
    """Small, and without filters; `&` and `k of` over single events."""
    parts = list(descend(node))
    return (
        len(parts) <= 6
        and all(found.where is None for part in parts for found in matches(part))
        and all(
            isinstance(term, tree.AtLeast) and len(term.matches) == 1
            for part in parts
            if isinstance(part, tree.And | tree.Some)
            for term in part.terms
        )
    )


def test_the_rest_is_as_long_as_the_shortest_continuation() -> None:
    tried = 0
    for number in range(CASES):
        seed = FIRST_SEED + number
        chance = random.Random(seed)
        kinds = chance.choice((("or", "within", "no", "then", "in any", "satisfied"), ("and", "or", "some", "within")))
        node = RandomConditions(chance, kinds=kinds).draw(2)
        events = random_history(chance, START, 4)
        now = max([START, *(event.at for event in events)])
        found = decided(node, events, START, now)
        if found.reading.status != "pending" or not plain(node):
            continue
        estimate = counted(way_on(node, found.scope, found.at))
        least = shortest(node, events, now)
        assert (None if estimate is None or estimate > MOST else estimate) == least, f"seed {seed}: {node} {events}"
        tried += 1
    print(f"\n{tried:,} rests")
    assert CASES < 100 or tried > CASES // 10


def test_progress_is_one_where_it_is_satisfied_and_nowhere_else() -> None:
    seen: set[float] = set()
    for number in range(CASES):
        seed = FIRST_SEED + number
        chance = random.Random(seed)
        node = RandomConditions(chance, kinds=EVERY_KIND).draw(chance.choice((1, 2, 2, 3)))
        events = random_history(chance, START)
        now = max([START, *(event.at for event in events)]) + chance.choice((0, 0, 3))
        found = explain(node, events, START, now)
        assert 0.0 <= found.progress <= 1.0, f"seed {seed}"
        assert (found.progress == 1.0) == (found.status == "satisfied"), f"seed {seed}"
        seen.add(found.progress)
    assert CASES < 100 or len(seen) > 5


def test_an_irrelevant_event_changes_nothing() -> None:
    for number in range(CASES):
        seed = FIRST_SEED + number
        chance = random.Random(seed)
        node = RandomConditions(chance, kinds=EVERY_KIND).draw(chance.choice((1, 2, 2, 3)))
        listening = tree.InAny | tree.InOne | tree.By
        if any(isinstance(part, listening) and opened_by_any(part) for part in descend(node)):
            continue
        events = random_history(chance, START)
        now = max([START, *(event.at for event in events)])
        other = Event("Unheard Of", now, "unheard", properties={"p": 1})
        before, after = (explain(node, history, START, now) for history in (events, [*events, other]))
        assert (before.progress, before.missing) == (after.progress, after.missing), f"seed {seed}"


def test_a_verdict_has_the_progress_of_its_explanation() -> None:
    for number in range(CASES):
        chance = random.Random(FIRST_SEED + number)
        node = RandomConditions(chance, kinds=PLAIN_KINDS).draw(2)
        events = random_history(chance, START)
        now = max([START, *(event.at for event in events)])
        assert explain(node, events, START, now).progress == judged(node, events, START, now).progress
