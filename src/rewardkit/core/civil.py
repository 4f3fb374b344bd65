"""Instants as people write them in definitions: with an offset, or as a date in a zone."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo

from rewardkit.core.input import show
from rewardkit.errors import ValidationError
from rewardkit.language.event import instant

_FIRST, _LAST = date(1970, 1, 1), date(8999, 12, 31)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def zone_named(name: str) -> tzinfo:
    """The zone of an IANA name.

    Raises:
        ValidationError: there is none of this name.
    """
    from dateutil import tz

    if name == "UTC":
        return tz.UTC
    found = tz.gettz(name) if re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)+", name) else None
    if found is None:
        raise ValidationError(f"zone `{show(name)}` is unknown: use an IANA name such as `Europe/Berlin`")
    return found


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
        return _midnight(value + after, zone)
    return instant(value)


def _midnight(day: date, zone: str) -> int:
    """The first instant of a day: midnight, or where the clocks skip midnight, the first instant after it."""
    from dateutil import tz

    start = datetime(day.year, day.month, day.day, tzinfo=zone_named(zone))
    return instant(tz.resolve_imaginary(start))
