"""The alphabet of a condition: one representative event for each kind of event that it can tell apart.

Two events of one name that satisfy the same filters are one letter, since no condition can distinguish them. Sums and
keys look at values themselves; for them a few telling values stand in, and the alphabet says that it is not complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import attrs

from rewardkit.language import tree
from rewardkit.language.descent import aggregated, descend, filters, matches
from rewardkit.language.event import Event, Instant
from rewardkit.language.samples.specimen import MISSING, Atom, specimens
from rewardkit.language.values.filter import matches as fits

MOST_COMBINATIONS = 4_096
"""Combinations of values that are tried for one name."""
MOST_LETTERS = 64
"""Of one condition; more of them would make every search give up."""

_BY_CLASS = frozenset({"min", "max", "latest", "first"})


@attrs.frozen
class Letter:
    """One kind of event."""

    name: str
    properties: Mapping[str, Any] = attrs.field(factory=dict)

    def event(self, at: Instant, number: int) -> Event:
        """The letter as the event with this number, counted from 1; numbers order events of one instant."""
        return Event(self.name, at, f"e{number}", order=number, properties=self.properties)


@attrs.frozen
class Alphabet:
    """Letters in the order in which the condition names them."""

    letters: tuple[Letter, ...]
    complete: bool
    """Whether every event that can happen is told apart from all others by one of the letters, or is one of them."""


@attrs.define
class _Interest:
    """What a condition looks at in the events of one name."""

    filters: dict[tree.Predicate, None] = attrs.field(factory=dict)
    atoms: dict[Atom, None] = attrs.field(factory=dict)
    """Comparisons that aggregates make, beside the filters."""
    kinds: set[str] = attrs.field(factory=set)
    """Fields whose type an aggregate sees."""
    values: dict[str, dict[Any, None]] = attrs.field(factory=dict)
    """Telling values of fields that are looked at as they are."""


def alphabet(nodes: Iterable[tree.Node]) -> Alphabet:
    """The letters that tell apart whatever any of these conditions does."""
    interests: dict[str, _Interest] = {}
    complete, listening = True, False
    keys: dict[str, None] = {}
    for node in nodes:
        for part in descend(node):
            for match in matches(part):
                interest = interests.setdefault(match.name, _Interest())
                if match.where is not None:
                    interest.filters[match.where] = None
            if isinstance(part, tree.Comparison):
                complete &= _look(part, interests)
            if isinstance(part, tree.By):
                keys[part.field] = None
            if isinstance(part, tree.Named | tree.Satisfied):
                complete = False
            listening |= isinstance(part, tree.By | tree.InAny)
    if listening:
        interests[_stranger(interests)] = _Interest()
    for interest in interests.values():
        for field in keys:
            interest.values.setdefault(field, {}).update({"k1": None, "k2": None})
    letters: list[Letter] = []
    for name, interest in interests.items():
        found, whole = _letters(name, interest)
        letters += found
        complete &= whole
    return Alphabet(tuple(letters[:MOST_LETTERS]), complete and not keys and len(letters) <= MOST_LETTERS)


def _stranger(names: Mapping[str, object]) -> str:
    name = "Something Else"
    while name in names:
        name += "."
    return name


def _look(comparison: tree.Comparison, interests: Mapping[str, _Interest]) -> bool:
    """Notes what a comparison looks at; whether a few classes of values tell everything."""
    right = comparison.right
    terms = comparison.left if isinstance(right, str) else comparison.left + right
    constants = [right] if isinstance(right, str) else [term.factor for term in terms if term.aggregate is None]
    aggregates = [(term.factor, term.aggregate) for term in terms if term.aggregate is not None]
    complete = True
    for factor, aggregate in aggregates:
        field = aggregate.field
        if field is None:
            continue
        by_class = len(aggregates) == 1 and aggregate.function in _BY_CLASS and factor == 1 and len(constants) == 1
        by_class = by_class and (isinstance(right, str) or len(terms) == 2)
        complete &= by_class
        for match in aggregated(aggregate):
            interest = interests[match.name]
            if by_class:
                interest.kinds.add(field)
                for operator in ("<", "=="):
                    interest.atoms[tree.Compare(field, operator, constants[0])] = None
            else:
                interest.values.setdefault(field, {}).update(dict.fromkeys(_telling(aggregate, constants)))
    return complete


def _telling(aggregate: tree.Aggregate, constants: Sequence[Any]) -> list[Any]:
    """A few values that take an aggregate to, just below and beyond its bounds."""
    if aggregate.function == "distinct":
        return [1, 2, 3, 4]
    numbers = [constant for constant in constants if isinstance(constant, int | Decimal)]
    near = [value for number in numbers for value in (number, number + 1, number - 1, -number)]
    return [*near, 1, -1, 0]


def _letters(name: str, interest: _Interest) -> tuple[list[Letter], bool]:
    predicates = tuple(interest.filters)
    by_field: dict[str, dict[Atom, None]] = {field: {} for field in (*interest.values, *sorted(interest.kinds))}
    for predicate in (*predicates, *interest.atoms):
        for atom in filters(predicate):
            if isinstance(atom, tree.Compare | tree.OneOf | tree.Has):
                by_field.setdefault(atom.field, {})[atom] = None
    complete = True
    choices: list[list[Any]] = []
    for field, atoms in by_field.items():
        found = specimens(tuple(atoms))
        complete &= found.complete
        extra = [*interest.values.get(field, ()), *((1, "text", True, None) if field in interest.kinds else ())]
        known = [value for value in found.values if value is not MISSING]
        new = [value for value in extra if not any(type(value) is type(one) and value == one for one in known)]
        nested: list[Any] = [{}] if any(other.startswith(f"{field}.") for other in by_field) else []
        choices.append([MISSING, *known, *new, *nested])
    fields = list(by_field)
    letters: dict[object, Letter] = {}
    for count, values in enumerate(product(*choices)):
        if count >= MOST_COMBINATIONS:
            complete = False
            break
        properties = _properties(fields, values)
        if properties is not None:
            seen = _signature(properties, predicates, interest, dict(zip(fields, values, strict=True)))
            letters.setdefault(seen, Letter(name, properties))
    return list(letters.values()), complete


def _properties(fields: Sequence[str], values: Sequence[Any]) -> dict[str, Any] | None:
    """The properties that give these fields these values; None where one value leaves no room for another."""
    made: dict[str, Any] = {}
    # Outer fields first, so that an object is there before what it holds.
    for field, value in sorted(zip(fields, values, strict=True), key=lambda pair: pair[0].count(".")):
        if value is MISSING:
            continue
        *steps, last = field.split(".")
        home = made
        for place, step in enumerate(steps):
            if step not in home and ".".join(steps[: place + 1]) in fields:
                return None
            home = home.setdefault(step, {})
            if not isinstance(home, dict):
                return None
        home[last] = {} if value == {} else value
    return made


def _signature(
    properties: Mapping[str, Any], predicates: Sequence[tree.Predicate], interest: _Interest, values: Mapping[str, Any]
) -> object:
    """What the condition sees of these properties."""
    kinds = tuple(type(values[field]).__name__ for field in sorted(interest.kinds))
    kept = tuple((type(values[field]).__name__, repr(values[field])) for field in interest.values)
    truths = tuple(fits(predicate, properties) for predicate in predicates)
    return truths, tuple(fits(atom, properties) for atom in interest.atoms), kinds, kept
