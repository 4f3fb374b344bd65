"""Events as callers give them: as arguments, or as mappings with the same names as keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rewardkit.core.values.input import mapping, show, text
from rewardkit.errors import ValidationError
from rewardkit.language.event import Event
from rewardkit.language.syntax.suggestion import suggest


def given_event(
    name: str,
    user: str,
    at: datetime | str | int | None = None,
    id: str | None = None,
    order: int = 0,
    properties: Mapping[str, Any] | None = None,
) -> Event:
    """An event of its parts; what is left out has its default."""
    return Event(
        name, at, "" if id is None else text(id, "an event's id"), user, order, {} if properties is None else properties
    )


def read_event(event: object, index: int) -> Event:
    """An event of many.

    Raises:
        ValidationError: it is none; the message names its index.
    """
    if isinstance(event, Event):
        return event
    try:
        given = mapping(event, "an event")
        _check_keys(given)
        return given_event(**given)
    except ValidationError as error:
        raise ValidationError(f"event {index}: {error}") from None


_EVENT_KEYS = frozenset(("name", "user", "at", "id", "order", "properties"))


def _check_keys(given: Mapping[str, Any]) -> None:
    for key in given.keys() - _EVENT_KEYS:
        close = suggest(str(key), _EVENT_KEYS)
        instead = "put it under `properties`" if close is None else f"did you mean `{close}`?"
        raise ValidationError(f"`{show(str(key))}` is no key of an event: {instead}")
    for key in ("name", "user"):
        if key not in given:
            raise ValidationError(f"`{key}` is missing")
