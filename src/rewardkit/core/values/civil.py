"""Instants as people write them in definitions: with an offset, or as a date in a zone."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from rewardkit.errors import ValidationError
from rewardkit.language.civil import first_instant
from rewardkit.language.event import instant

_FIRST, _LAST = date(1970, 1, 1), date(8999, 12, 31)
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
            raise ValidationError(f"`{value}` lies outside the years 1970 to 9000")
        return first_instant(value + after, zone)
    return instant(value)
