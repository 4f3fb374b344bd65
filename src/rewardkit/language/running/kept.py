"""Events that a state keeps: no more of each than a condition can ask about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import attrs

from rewardkit.language import tree
from rewardkit.language.descent import descend, filters, matches
from rewardkit.language.event import LATEST, Event, Instant
from rewardkit.language.listening import hears_all, names_of
from rewardkit.language.values.filter import look_up
from rewardkit.language.values.number_bytes import corrupt, put_number, put_signed, read_number, read_signed
from rewardkit.language.values.scalar import kept, put_scalar, read_scalar

KeptEvent: TypeAlias = tuple[Instant, int, tuple[Any, ...]]
"""Its instant, the number of its name (0 for any other one), and number and value of each field that it has."""

_OTHER = ""


@attrs.frozen(eq=False)
class Keeping:
    """What is kept of the events that a condition listens to."""

    names: tuple[str, ...]
    fields: tuple[str, ...]
    hears_all: bool
    numbers: Mapping[str, int]

    @classmethod
    def of(cls, node: tree.Node) -> Keeping:
        """What has to be kept for a condition."""
        names = (_OTHER, *sorted(names_of(node)))
        numbers = {name: number for number, name in enumerate(names) if number}
        # Shorter fields first, so that a value inside an object takes the place of the object.
        return cls(
            names, tuple(sorted(_fields(node), key=lambda field: (field.count("."), field))), hears_all(node), numbers
        )

    def hears(self, name: str) -> bool:
        return self.hears_all or name in self.numbers

    def keep(self, event: Event) -> KeptEvent:
        """An event as it is kept."""
        values = []
        for number, field in enumerate(self.fields):
            value = look_up(field, event.properties)
            if value is not _MISSING:
                values.append((number, kept(value)))
        return event.at, self.numbers.get(event.name, 0), tuple(values)

    def restore(self, events: Iterable[KeptEvent], first: int = 0) -> tuple[Event, ...]:
        """The events, numbered in their order from `first` on."""
        return tuple(
            Event(self.names[name], at, str(order), order=order, properties=self._properties(values))
            for order, (at, name, values) in enumerate(events, start=first)
        )

    def _properties(self, values: tuple[Any, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for number, value in values:
            *path, last = self.fields[number].split(".")
            inner = made
            for step in path:
                if not isinstance(inner.get(step), dict):
                    inner[step] = {}
                inner = inner[step]
            inner[last] = value
        return made

    def write(self, events: tuple[KeptEvent, ...], start: Instant, out: bytearray) -> None:
        """Writes kept events, their instants relative to one another."""
        put_number(out, len(events))
        for at, name, values in events:
            put_signed(out, at - start)
            put_number(out, name)
            put_number(out, len(values))
            for number, value in values:
                put_number(out, number)
                put_scalar(out, value)
            start = at

    def read(self, data: bytes, place: int, start: Instant) -> tuple[tuple[KeptEvent, ...], int]:
        """The events that `write` wrote, and the place behind them."""
        many, place = read_number(data, place)
        events: list[KeptEvent] = []
        for _ in range(many):
            after, place = read_signed(data, place)
            name, place = read_number(data, place)
            start += after
            if not 0 <= start <= LATEST or (after < 0 and events) or name >= len(self.names):
                raise corrupt()
            values, place = self._read_values(data, place)
            events.append((start, name, values))
        return tuple(events), place

    def _read_values(self, data: bytes, place: int) -> tuple[tuple[Any, ...], int]:
        many, place = read_number(data, place)
        values: list[tuple[int, Any]] = []
        for _ in range(many):
            number, place = read_number(data, place)
            if number >= len(self.fields) or (values and number <= values[-1][0]):
                raise corrupt()
            value, place = read_scalar(data, place)
            values.append((number, value))
        return tuple(values), place


_MISSING = look_up("missing", {})


def _fields(node: tree.Node) -> set[str]:
    found: set[str] = set()
    for part in descend(node):
        for match in matches(part):
            found |= {field for one in filters(match.where) if (field := getattr(one, "field", None)) is not None}
        if isinstance(part, tree.By):
            found.add(part.field)
        if isinstance(part, tree.Comparison):
            terms = part.left if isinstance(part.right, str) else part.left + part.right
            found |= {term.aggregate.field for term in terms if term.aggregate is not None and term.aggregate.field}
    return found
