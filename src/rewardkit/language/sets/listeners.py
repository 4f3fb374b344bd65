"""Who listens to an event's name: counters that conditions share, and programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import NamedTuple

import attrs

from rewardkit.language.folding.program import Program
from rewardkit.language.running.state import IMPOSSIBLE, SATISFIED
from rewardkit.language.sets.counter_source import Arm, Count, Crossing, Place, compile_count
from rewardkit.language.sets.counting import Check
from rewardkit.language.tree import Either, Match, Predicate


class Stepped(NamedTuple):
    """A condition that is stepped through its program."""

    byte: int
    """Of a standing's bits, where the condition is; the same for the next."""
    mask: int
    number: int
    name: str
    program: Program


class Listeners(NamedTuple):
    """All that listens to one name."""

    counters: Count | None
    """None where no counter does."""
    stepped: tuple[Stepped, ...]


@attrs.define(eq=False)
class Leaf:
    """A counter that conditions share."""

    slot: int
    matches: tuple[Match, ...]
    most: int = 0
    users: set[int] = attrs.field(factory=set)
    """The conditions that read it."""
    watchers: dict[int, dict[int, tuple[str, Check, int]]] = attrs.field(factory=dict)
    """Count → condition → its name, its check, and what it comes to there by that alone."""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(match.name for match in self.matches)

    def watch(self, number: int, name: str, check: Check, outright: Mapping[int, int]) -> None:
        """Have a condition looked at when the counter reaches one of these numbers, or decided there outright."""
        self.users.add(number)
        for count, status in outright.items():
            self.most = max(self.most, count)
            self.watchers.setdefault(count, {})[number] = (name, check, status)

    def forget(self, number: int) -> None:
        """Look at a condition no more."""
        self.users.discard(number)
        for watching in self.watchers.values():
            watching.pop(number, None)

    @property
    def crossings(self) -> Mapping[int, Crossing]:
        """Which numbers matter, and to whom."""
        return {count: _crossing(watching) for count, watching in self.watchers.items() if watching}

    def filter(self, name: str) -> Predicate | None:
        """What events of this name have to satisfy; None where nothing."""
        filters = [match.where for match in self.matches if match.name == name]
        wanted = [where for where in filters if where is not None]
        if len(wanted) < len(filters):
            return None
        return wanted[0] if len(wanted) == 1 else Either(tuple(wanted))


def _crossing(watching: Mapping[int, tuple[str, Check, int]]) -> Crossing:
    places: dict[int, list[Place]] = {SATISFIED: [], IMPOSSIBLE: []}
    undecided = []
    for condition, (name, check, status) in sorted(watching.items(), key=itemgetter(0)):
        place = condition >> 3, 1 << (condition & 7), name
        if status:
            places[status].append(place)
        else:
            undecided.append((*place, check))
    return Crossing(tuple(places[SATISFIED]), tuple(places[IMPOSSIBLE]), tuple(undecided))


def listeners(name: str, leaves: Iterable[Leaf], stepped: tuple[Stepped, ...]) -> Listeners:
    """The index of one name."""
    guarded = [(leaf.filter(name), Arm(leaf.slot, leaf.most, leaf.crossings)) for leaf in leaves]
    return Listeners(compile_count(guarded) if guarded else None, stepped)
