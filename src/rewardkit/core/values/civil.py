"""Instants as people write them in definitions: with an offset, or as a date in a zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError
from rewardkit.language.civil import first_instant
from rewardkit.language.event import LATEST, instant, microseconds

_FIRST, _LAST = date(1970, 1, 1), date(2254, 12, 31)
_LATEST = instant(datetime(2255, 1, 1, tzinfo=UTC))
"""Definitions are kept as JSON, whose readers know whole numbers up to 2**53: in microseconds that is June 2255."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def beginning(value: datetime | date | str | None, zone: str) -> int | None:
    """The instant that something starts: a date means the first instant of that day in the zone."""
    return _read(value, zone, timedelta(0))


def ending(value: datetime | date | str | None, zone: str) -> int | None:
    """The instant before which something lasts: a date means the end of that day in the zone."""
    return _read(value, zone, timedelta(days=1))


def _read(value: datetime | date | str | None, zone: str, after: timedelta) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise ValidationError(f"`{value}` is not a date") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        if not _FIRST <= value <= _LAST:
            raise _outside(value, late=value > _LAST)
        return first_instant(value + after, zone)
    at = microseconds(value)
    if not 0 <= at <= _LATEST:
        raise _outside(value, late=at > _LATEST)
    return at


def _outside(value: date | str | int, *, late: bool) -> ValidationError:
    # What has no end of digits cannot be shown.
    shown = "an instant" if isinstance(value, int) and abs(value) > LATEST else f"`{show(str(value))}`"
    instead = ": an end that never comes is left out" if late else ""
    return ValidationError(f"{shown} lies outside the years 1970 to 2254{instead}")
