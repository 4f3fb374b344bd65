"""Events as JSON data, for states that keep some: every value as it was, decimals exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rewardkit.language.event import Event


def write_events(events: Iterable[Event]) -> list[Any]:
    """The events as lists of JSON values."""
    return [[event.name, event.at, event.id, event.user, event.order, _write(event.properties)[0]] for event in events]


def read_events(data: Iterable[Any]) -> tuple[Event, ...]:
    """The events that `write_events` wrote."""
    return tuple(
        Event(name, at, event_id, user, order, {key: _read(value) for key, value in properties.items()})
        for name, at, event_id, user, order, properties in data
    )


def _write(value: Any) -> Any:
    """Objects and lists stand in a list of their own, so that a decimal may be an object."""
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, Mapping):
        return [{key: _write(inner) for key, inner in value.items()}]
    if isinstance(value, list | tuple):
        return [[_write(inner) for inner in value]]
    return value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return Decimal(value["decimal"])
    if isinstance(value, list):
        (whole,) = value
        if isinstance(whole, dict):
            return {key: _read(inner) for key, inner in whole.items()}
        return [_read(inner) for inner in whole]
    return value
