"""An event: one thing that a user did. Also the instants and places that events are ordered by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import attrs

from rewardkit.errors import ValidationError

Instant: TypeAlias = int
"""Microseconds since 1970-01-01T00:00:00Z."""

When: TypeAlias = datetime | str | int
"""An instant as callers pass it: an aware datetime, an RFC 3339 text, or microseconds."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Instant = 221845392000000000  # 9000-01-01: room for every deadline that is added to an event's instant
_MICROSECOND = timedelta(microseconds=1)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Position(NamedTuple):
    """A place in a user's total order of events: `(at, order, id)`.

    A bare instant is the place before all events at it: `Position(at)`.
    """

    at: Instant
    order: int = -(2**63)
    id: str = ""


def instant(value: datetime | str | int) -> Instant:
    """Microseconds since 1970 for an aware datetime, an RFC 3339 text with offset, or such a number itself.

    Raises:
        ValidationError: for a naive datetime, another type, or an instant outside 1970 to 9000.
    """
    found = microseconds(value)
    if not 0 <= found <= LATEST:
        shown = f" `{value}`" if type(value) is not int or abs(value) < 10**20 else ""
        raise ValidationError(f"instant{shown} lies outside the years 1970 to 9000")
    return found


def microseconds(value: datetime | str | int) -> int:
    """The same of any instant, however long ago or ahead.

    Raises:
        ValidationError: for a naive datetime, or another type.
    """
    if type(value) is int:
        return value
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValidationError(
                f"`{value.isoformat()}` has no offset: pass an aware datetime, such as one with tzinfo=UTC"
            )
        return (value - EPOCH) // _MICROSECOND
    if isinstance(value, str):
        return microseconds(_read(value))
    raise ValidationError(f"an instant is an aware datetime or an RFC 3339 text, not `{type(value).__name__}`")


def _read(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ValidationError(f"`{text[:64]}` is not an RFC 3339 instant, such as `2026-01-31T12:00:00Z`") from None
    return value


def moment(at: Instant) -> datetime:
    """The aware UTC datetime of an instant."""
    return EPOCH + timedelta(microseconds=at)


def rfc3339(at: Instant) -> str:
    """An instant as text in UTC with `Z`, fractions only where there are any."""
    return moment(at).isoformat().replace("+00:00", "Z")


UNTIMED: Instant = -1
"""The instant of an event whose time was left out."""


def _optional(value: datetime | str | int | None) -> Instant:
    return UNTIMED if value is None else instant(value)


@attrs.frozen
class Event:
    """One thing that a user did.

    Args:
        name: free text, such as `User Signed Up`.
        at: when it happened; an aware datetime or RFC 3339 text becomes microseconds since 1970 UTC; without it, when
            it is emitted. Conditions by themselves need it.
        id: unique per user; the same id with the same body again changes nothing; without it, one is made on emitting.
        user: whose event it is; conditions by themselves judge one user's events and do not need it.
        order: the producer's sequence number, which orders events of one instant before their ids do.
        properties: free JSON data; conditions see numbers as int or Decimal.
    """

    name: str
    at: Instant = attrs.field(default=None, converter=_optional)
    id: str = ""
    user: str = ""
    order: int = 0
    properties: Mapping[str, Any] = _NOTHING

    @property
    def position(self) -> Position:
        """The event's place in its user's total order."""
        return Position(self.at, self.order, self.id)
