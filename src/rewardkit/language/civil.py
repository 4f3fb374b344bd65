"""Civil time: dates, weeks and months in a named zone, as instants.

A civil day starts at the first existing instant of its date: clocks may skip midnight (São Paulo, 2018-11-04) or a
whole date (Apia, 2011-12-30). Nothing here subtracts datetimes of one zone, which would ignore its changes of offset.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal, TypeAlias

from dateutil import tz
from dateutil.relativedelta import relativedelta

from rewardkit.errors import ValidationError
from rewardkit.language.event import EPOCH, Instant, instant, moment

Unit: TypeAlias = Literal["day", "week", "month", "quarter", "year"]

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MICROSECOND = timedelta(microseconds=1)
_STEPS = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "quarter": relativedelta(months=3),
    "year": relativedelta(years=1),
}


@lru_cache(maxsize=1_024)
def zone_named(name: str) -> tzinfo:
    """The zone of an IANA name, or UTC.

    Raises:
        ValidationError: there is none of this name.
    """
    if name == "UTC":
        return tz.UTC
    if not isinstance(name, str):
        raise ValidationError(f"a zone is an IANA name such as `Europe/Berlin`, not `{type(name).__name__}`")
    found = tz.gettz(name) if _ZONE.fullmatch(name) else None
    if found is None:
        shown = name if name.isprintable() and len(name) <= 64 else f"{name[:64]!r}"
        raise ValidationError(f"zone `{shown}` is unknown: use an IANA name such as `Europe/Berlin`")
    return found


def local_date(at: Instant, zone: str) -> date:
    """The date that clocks in a zone show at an instant."""
    return moment(at).astimezone(zone_named(zone)).date()


@lru_cache(maxsize=65_536)
def first_instant(day: date, zone: str) -> Instant:
    """The first instant of a date; of a date that the zone skipped, that of the next one that exists."""
    midnight = tz.resolve_imaginary(datetime(day.year, day.month, day.day, tzinfo=zone_named(zone)))
    return (midnight.astimezone(UTC) - EPOCH) // _MICROSECOND


def exists(day: date, zone: str) -> bool:
    """Whether a date has any instant in a zone."""
    return first_instant(day, zone) < first_instant(day + timedelta(days=1), zone)


def span_end(start: Instant, count: int, unit: str, zone: str) -> Instant:
    """The end of a calendar span: the first instant of the start's local date and so many units later.

    Months are clamped to their last day, counted from the start itself and never from a clamped date.
    """
    return first_instant(_later(local_date(start, zone), unit, count), zone)


def span_start(now: Instant, count: int, unit: str, zone: str) -> Instant:
    """The start of a calendar span that ends with the day of an instant, which is its last one."""
    return first_instant(_later(local_date(now, zone) + timedelta(days=1), unit, -count), zone)


def bucket(at: Instant, unit: str, zone: str) -> tuple[Instant, Instant]:
    """The calendar bucket that holds an instant, as its first instant and the first one after it; weeks are ISO's."""
    return bucket_of(local_date(at, zone), unit, zone)


def bucket_of(day: date, unit: str, zone: str) -> tuple[Instant, Instant]:
    """The calendar bucket that holds a date."""
    first = bucket_date(day, unit)
    return first_instant(first, zone), first_instant(_later(first, unit, 1), zone)


def bucket_date(day: date, unit: str) -> date:
    """The first date of the calendar bucket that holds a date."""
    match unit:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
    raise ValidationError(f"`{unit}` is no unit of the calendar")


def next_bucket(first: date, unit: str, zone: str) -> date:
    """The first date of the next bucket that exists: a streak does not miss a date that the zone skipped."""
    following = _later(first, unit, 1)
    while unit == "day" and not exists(following, zone):
        following = _later(following, unit, 1)
    return following


def instant_of(text: str, zone: str) -> Instant:
    """The instant of an RFC 3339 text with an offset, or the first instant of a date in a zone.

    Raises:
        ValidationError: it is neither, or lies outside the years 1970 to 9000.
    """
    if not _DATE.fullmatch(text):
        return instant(text)
    try:
        return instant(first_instant(date.fromisoformat(text), zone))
    except ValueError:
        raise ValidationError(f"`{text}` is not a date") from None


def _later(day: date, unit: str, count: int) -> date:
    return day + _STEPS[unit] * count
