"""Straight-line source for what an event of one name does to the counters that conditions share.

A loop over counters and a call a filter would cost several times what they do. Equality of a property is looked up, so
that a thousand conditions on a thousand countries cost one look-up; comparisons with one number read it once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple, TypeAlias

from rewardkit.language.sets.counting import Check, Counts
from rewardkit.language.tree import Compare, Every, Literal, OneOf, Predicate
from rewardkit.language.values.predicate import ORDER, Properties, Writer, number

Place: TypeAlias = tuple[int, int, str]
"""Where a condition is in a standing's bits, byte and mask, and its name."""


class Crossing(NamedTuple):
    """The conditions for which it matters that a counter has reached a number."""

    satisfied: tuple[Place, ...]
    """By that alone; the same for the next."""
    impossible: tuple[Place, ...]
    open: tuple[tuple[int, int, str, Check], ...]
    """It depends on other counters."""


class Arm(NamedTuple):
    """A counter that an event may raise."""

    slot: int
    most: int
    crossings: Mapping[int, Crossing]
    """By the numbers that matter."""


Count: TypeAlias = Callable[[Counts, Properties], list[Crossing]]
"""Raises a user's counters by an event's properties, and gives the crossings that they reached."""

_Guarded: TypeAlias = tuple[Predicate | None, Arm]

_FEW = 2
"""Up to so many values of a property, comparing costs no more than a look-up."""


def compile_count(guarded: Iterable[_Guarded]) -> Count:
    """The function for one name.

    Args:
        guarded: counters, each with what events of the name have to satisfy to raise it; None where nothing.
    """
    source = _Source()
    count: Count = source.function(list(guarded))
    return count


class _Source(Writer):
    """Functions of counters, properties and what they add crossings to, in one namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.names["typed"] = typed
        self._lines: list[str] = []

    def function(self, guarded: Sequence[_Guarded]) -> Any:
        self._lines = ["def count(c, properties):", " found = []"]
        self._group(guarded, " ")
        self._lines.append(" return found")
        return self._made()

    def _made(self) -> Any:
        exec(_code("\n".join(self._lines)), self.names)  # noqa: S102 - generated names, operators and numbers alone
        return self.names.pop("count")

    def _group(self, guarded: Sequence[_Guarded], pad: str) -> None:
        tables, rest = _tables(guarded)
        ordered: dict[str, list[tuple[Compare, Arm]]] = {}
        others: dict[Predicate, list[Arm]] = {}
        for where, arm in rest:
            if where is None:
                self._arm(arm, pad)
            elif isinstance(where, Compare) and where.operator in ORDER and not isinstance(where.value, bool | str):
                ordered.setdefault(where.field, []).append((where, arm))
            else:
                others.setdefault(where, []).append(arm)
        for field, table in sorted(tables.items()):
            self._look_up(field, table, pad)
        for field, compared in ordered.items():
            self._compare(field, compared, pad)
        for where, arms in others.items():
            self._lines.append(f"{pad}if {self.expression(where)}:")
            for arm in arms:
                self._arm(arm, pad + " ")

    def _arm(self, arm: Arm, pad: str) -> None:
        slot, most, crossings = arm
        self._lines += [f"{pad}n = c[{slot}]", f"{pad}if n < {most}:", f"{pad} c[{slot}] = n = n + 1"]
        for count, crossing in crossings.items() if len(crossings) <= _FEW else ():
            self._lines.append(f"{pad} if n == {count}: found.append({self.bind(crossing)})")
        if len(crossings) > _FEW:
            at = self.bind(crossings)
            self._lines.append(f"{pad} if n in {at}: found.append({at}[n])")

    def _look_up(self, field: str, table: Mapping[object, Sequence[_Guarded]], pad: str) -> None:
        home, key = self.field(field)
        looks = {value: self._branch(guarded) for value, guarded in table.items()}
        self._lines += [
            f"{pad}w = {home}.get({key})",
            f"{pad}look = {self.bind(looks)}.get(w if w.__class__ is str else typed(w))",
            f"{pad}if look is not None: look(c, properties, found)",
        ]

    def _branch(self, guarded: Sequence[_Guarded]) -> Any:
        outer, self._lines = self._lines, ["def count(c, properties, found):"]
        self._group(guarded, " ")
        made = self._made()
        self._lines = outer
        return made

    def _compare(self, field: str, compared: Sequence[tuple[Compare, Arm]], pad: str) -> None:
        home, key = self.field(field)
        self._lines += [
            f"{pad}w = {home}.get({key})",
            f"{pad}if w.__class__ is int or (w := number(w)) is not None:",
        ]
        by: dict[Compare, list[Arm]] = {}
        for comparison, arm in compared:
            by.setdefault(comparison, []).append(arm)
        for where, arms in by.items():
            self._lines.append(f"{pad} if w {where.operator} {self.bind(where.value)}:")
            for arm in arms:
                self._arm(arm, pad + "  ")


@lru_cache(maxsize=1_024)
def _code(source: str) -> CodeType:
    """Sets that are made anew of the same conditions share their code."""
    return compile(source, "<counters>", "exec")


def typed(value: Any) -> object:
    """A property's value as equality sees it: `true` is no number, `1` and `1.0` are one."""
    kind = value.__class__
    if kind is str or kind is int:
        return value
    return (value,) if kind is bool else number(value)


def _tables(guarded: Sequence[_Guarded]) -> tuple[dict[str, dict[object, list[_Guarded]]], list[_Guarded]]:
    """What is found by looking a property up, by its values; and the rest."""
    known = [(where, arm, [] if where is None else _equalities(where)) for where, arm in guarded]
    asked = {(field, value) for _, _, equalities in known for field, values in equalities for value in values}
    varied = Counter(field for field, _ in asked)
    tables: dict[str, dict[object, list[_Guarded]]] = {}
    rest: list[_Guarded] = []
    for where, arm, equalities in known:
        wanted = [one for one in equalities if varied[one[0]] > _FEW]
        if not wanted:
            rest.append((where, arm))
            continue
        # The property that tells most values apart leaves the fewest counters to look at.
        field, values = max(wanted, key=lambda found: (varied[found[0]], -len(found[1]), found[0]))
        table = tables.setdefault(field, {})
        left = _without(where, field, values)
        for value in values:
            table.setdefault(value, []).append((left, arm))
    return tables, rest


def _without(where: Predicate | None, field: str, values: tuple[object, ...]) -> Predicate | None:
    """What is left to ask where a property is known to have one of some values."""
    if not isinstance(where, Every):
        return None
    left = tuple(term for term in where.terms if _equality(term) != (field, values))
    return None if not left else left[0] if len(left) == 1 else Every(left)


def _equalities(where: Predicate) -> list[tuple[str, tuple[object, ...]]]:
    """The properties that must have one of some values, and the values, as `typed` gives them."""
    terms = where.terms if isinstance(where, Every) else (where,)
    return [found for found in map(_equality, terms) if found is not None]


def _equality(term: Predicate) -> tuple[str, tuple[object, ...]] | None:
    if isinstance(term, OneOf):
        return term.field, _typed_all(term.values)
    if isinstance(term, Compare) and term.operator == "==":
        return term.field, _typed_all((term.value,))
    return None


def _typed_all(values: tuple[Literal, ...]) -> tuple[object, ...]:
    return tuple(dict.fromkeys(map(typed, values)))
