"""The job of the evaluators: which conditions become satisfied for whom, and at which event.

Conditions are what every contender can say over counters: counts, unions, choices, conjunctions, guards and filters.
Users have ten events each, of 20 names of Zipf popularity. Users come in cohorts of 1, 1, 2, 4, 8, …: a slow contender
does the first cohorts and no more, and what it did is compared with what the others did there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

import rewardkit as rk

NAMES = [f"event {number:02d}" for number in range(20)]
COUNTRIES = [f"C{number:02d}" for number in range(20)]
EVENTS_EACH = 10
THRESHOLDS = (2, 3, 5, 10, 20, 50)
LOW_THRESHOLDS = (1, 1, 2, 2, 3, 5)
START = 1_767_225_600_000_000  # 2026-01-01
HOUR = 3_600_000_000


class Filter(NamedTuple):
    field: Literal["amount", "country"]
    value: int | str

    @property
    def text(self) -> str:
        return f"[amount > {self.value}]" if self.field == "amount" else f'[country == "{self.value}"]'

    def passes(self, event: rk.Event) -> bool:
        found = event.properties[self.field]
        return bool(found == self.value if self.field == "country" else found > self.value)


class Leaf(NamedTuple):
    """Events that are counted together; a counter of its own for those who keep counters."""

    names: tuple[str, ...]
    where: Filter | None

    def matches(self, event: rk.Event) -> bool:
        return event.name in self.names and (self.where is None or self.where.passes(event))

    def text(self, least: int) -> str:
        kinds = [f'"{name}"{self.where.text if self.where else ""}' for name in self.names]
        kind = kinds[0] if len(kinds) == 1 else f"({' | '.join(kinds)})"
        return kind if least == 1 else f"{kind}*{least}"


@dataclass(frozen=True)
class Rule:
    """Any or all of some counts, unless what `guard` counts came first. Leaves are numbers of `Job.leaves`."""

    connective: Literal["or", "and"]
    counts: tuple[tuple[int, int], ...]
    guard: int | None

    @property
    def leaves(self) -> list[int]:
        """Those that it reads."""
        return sorted({leaf for leaf, _ in self.counts} | (set() if self.guard is None else {self.guard}))

    def text(self, connectives: dict[str, str], count: Callable[[int, int], str], none: Callable[[int], str]) -> str:
        """The rule in somebody's language."""
        terms = [count(leaf, least) for leaf, least in self.counts]
        text = f" {connectives[self.connective]} ".join(terms)
        if len(terms) > 1:
            text = f"({text})"
        return text if self.guard is None else f"{text} {connectives['and']} {none(self.guard)}"


class Reading(NamedTuple):
    user: int
    event: rk.Event
    counts: tuple[tuple[int, int], ...]
    """The leaves that it matches and how often they now did: ready-made, for those who work with counters."""


class Job:
    """Rules over leaves, and a stream of events that is cut off after any number of users.

    Args:
        thresholds: what a count must reach, drawn from these; low ones decide more rules an event.
    """

    def __init__(self, number: int, users: int, thresholds: Sequence[int] = THRESHOLDS) -> None:
        chance = random.Random(number)
        self._thresholds = thresholds
        self.leaves: list[Leaf] = []
        self._known: dict[Leaf, int] = {}
        self.rules = [self._rule(chance) for _ in range(number)]
        self.listening: dict[str, list[int]] = {name: [] for name in NAMES}
        for place, leaf in enumerate(self.leaves):
            for name in leaf.names:
                self.listening[name].append(place)
        self.stream: list[Reading] = []
        for first, last in cohorts(users):
            self.stream += self._cohort(random.Random(first), first, last)

    def listeners(self) -> dict[str, tuple[int, ...]]:
        """The rules that an event's name may change."""
        found: dict[str, list[int]] = {name: [] for name in NAMES}
        for number, rule in enumerate(self.rules):
            for name in {name for leaf in rule.leaves for name in self.leaves[leaf].names}:
                found[name].append(number)
        return {name: tuple(numbers) for name, numbers in found.items()}

    def condition(self, rule: Rule) -> str:
        """The rule in the condition language."""

        def count(leaf: int, least: int) -> str:
            return self.leaves[leaf].text(least)

        return rule.text({"and": "&", "or": "|"}, count, lambda leaf: f"!{count(leaf, 1)}")

    def _rule(self, chance: random.Random) -> Rule:
        shape = chance.choices(("count", "or", "and"), (3, 1, 1))[0]
        counts = [(self._leaf(chance), chance.choice(self._thresholds)) for _ in range(1 if shape == "count" else 2)]
        guard = self._leaf(chance) if chance.random() < 0.2 else None
        return Rule("and" if shape == "and" else "or", tuple(counts), guard)

    def _leaf(self, chance: random.Random) -> int:
        names = chance.sample(NAMES, 2) if chance.random() < 0.2 else [chance.choice(NAMES)]
        where = None
        if chance.random() < 0.3:
            by_country = chance.random() < 0.5
            value = chance.choice(COUNTRIES) if by_country else chance.randrange(0, 200, 20)
            where = Filter("country" if by_country else "amount", value)
        leaf = Leaf(tuple(sorted(names)), where)
        if leaf not in self._known:
            self._known[leaf] = len(self.leaves)
            self.leaves.append(leaf)
        return self._known[leaf]

    def _cohort(self, chance: random.Random, first: int, last: int) -> list[Reading]:
        users = [user for user in range(first, last) for _ in range(EVENTS_EACH)]
        chance.shuffle(users)
        readings = []
        counters: dict[tuple[int, int], int] = {}
        for user, event in zip(users, events(chance, users, since=len(self.stream)), strict=True):
            touched = [leaf for leaf in self.listening[event.name] if self.leaves[leaf].matches(event)]
            for leaf in touched:
                counters[user, leaf] = counters.get((user, leaf), 0) + 1
            readings.append(Reading(user, event, tuple((leaf, counters[user, leaf]) for leaf in touched)))
        return readings


def cohorts(users: int) -> list[tuple[int, int]]:
    """First and past-the-last users: 1, 1, 2, 4, … of them, together at least `users`."""
    found, last = [(0, 1)], 1
    while last < users:
        found.append((last, 2 * last))
        last *= 2
    return found


def events(chance: random.Random, users: Sequence[int], *, since: int) -> list[rk.Event]:
    """An event of each user of the list in turn, one an hour."""
    weights = list(accumulate(1 / rank for rank in range(1, len(NAMES) + 1)))
    return [
        rk.Event(
            chance.choices(NAMES, cum_weights=weights)[0],
            at=START + index * HOUR,
            id=f"{index:09d}",
            user=f"user {user:06d}",
            properties={"amount": chance.randrange(200), "country": chance.choice(COUNTRIES)},
        )
        for index, user in enumerate(users, start=since)
    ]
