"""Who listens to an event's name: counters at once, by the value of a property, or behind a filter; and programs.

Counters whose filter asks for the equality of a property are found by looking its value up, so that a thousand
conditions on a thousand countries cost one look-up and not a thousand filters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import attrs

from rewardkit.language.counting import Check
from rewardkit.language.predicate import Filter, Properties, compile_predicate, descend, number
from rewardkit.language.state import IMPOSSIBLE, SATISFIED
from rewardkit.language.tree import Compare, Either, Every, Literal, Match, OneOf, Predicate

Place: TypeAlias = tuple[int, int, str]
"""Where a condition is in a standing's bits, byte and mask, and its name."""


class Crossing(NamedTuple):
    """The conditions for which it matters that a counter has reached a number."""

    satisfied: tuple[Place, ...]
    """By that alone; the same for the next."""
    impossible: tuple[Place, ...]
    open: tuple[tuple[int, int, str, Check], ...]
    """It depends on other counters."""


Crossings: TypeAlias = Mapping[int, Crossing]
"""By the numbers that matter."""


class Arm(NamedTuple):
    """A counter that an event may raise."""

    slot: int
    most: int
    crossings: Crossings


Guarded: TypeAlias = tuple[Filter | None, tuple[Arm, ...]]
"""Counters to raise where a filter, if there is one, lets the event through."""


class Lookup(NamedTuple):
    """Counters by the value of one property."""

    steps: tuple[str, ...]
    key: str
    table: Mapping[object, tuple[Guarded, ...]]

    def find(self, properties: Properties) -> tuple[Guarded, ...]:
        """What asks for the value that the event has."""
        home = descend(properties, self.steps) if self.steps else properties
        return self.table.get(typed(home.get(self.key)), ())


class Listeners(NamedTuple):
    """All that listens to one name."""

    plain: tuple[Arm, ...]
    lookups: tuple[Lookup, ...]
    filtered: tuple[Guarded, ...]
    programs: tuple[int, ...]
    """Numbers of the conditions that are stepped through their programs."""


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
    def crossings(self) -> Crossings:
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


def typed(value: Any) -> object:
    """A property's value as equality sees it: `true` is no number, `1` and `1.0` are one."""
    kind = value.__class__
    if kind is str or kind is int:
        return value
    return (value,) if kind is bool else number(value)


def listeners(name: str, leaves: Iterable[Leaf], programs: tuple[int, ...]) -> Listeners:
    """The index of one name."""
    plain: list[Arm] = []
    rest: list[tuple[Predicate, Arm]] = []
    for leaf in leaves:
        arm, where = Arm(leaf.slot, leaf.most, leaf.crossings), leaf.filter(name)
        if where is None:
            plain.append(arm)
        else:
            rest.append((where, arm))
    asked = Counter((field, value) for where, _ in rest for field, values in _equalities(where) for value in values)
    varied = Counter(field for field, _ in asked)
    tables: dict[str, dict[object, dict[Predicate | None, list[Arm]]]] = {}
    filtered: dict[Predicate, list[Arm]] = {}
    for where, arm in rest:
        equalities = _equalities(where)
        if not equalities:
            filtered.setdefault(where, []).append(arm)
            continue
        # The property that tells most values apart leaves the fewest counters to look at.
        field, values = max(equalities, key=lambda found: (varied[found[0]], -len(found[1]), found[0]))
        table = tables.setdefault(field, {})
        for value in values:
            table.setdefault(value, {}).setdefault(None if _is_equality(where) else where, []).append(arm)
    return Listeners(
        tuple(plain),
        tuple(_lookup(field, table) for field, table in sorted(tables.items())),
        tuple(_guarded(where, arms) for where, arms in filtered.items()),
        programs,
    )


def _lookup(field: str, table: Mapping[object, Mapping[Predicate | None, list[Arm]]]) -> Lookup:
    *steps, key = field.split(".")
    found = {value: tuple(_guarded(where, arms) for where, arms in by.items()) for value, by in table.items()}
    return Lookup(tuple(steps), key, found)


def _guarded(where: Predicate | None, arms: list[Arm]) -> Guarded:
    return None if where is None else compile_predicate(where), tuple(arms)


def _is_equality(where: Predicate) -> bool:
    return isinstance(where, OneOf) or (isinstance(where, Compare) and where.operator == "==")


def _equalities(where: Predicate) -> list[tuple[str, tuple[object, ...]]]:
    """The properties that must have one of some values, and the values, as `typed` gives them."""
    terms = where.terms if isinstance(where, Every) else (where,)
    found: list[tuple[str, tuple[object, ...]]] = []
    for term in terms:
        if isinstance(term, OneOf):
            found.append((term.field, _typed_all(term.values)))
        elif isinstance(term, Compare) and term.operator == "==":
            found.append((term.field, _typed_all((term.value,))))
    return found


def _typed_all(values: tuple[Literal, ...]) -> tuple[object, ...]:
    return tuple(dict.fromkeys(map(typed, values)))
