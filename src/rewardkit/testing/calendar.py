"""Periods of the calendar in UTC, written down a second time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from rewardkit.language.event import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def period_of(at: Instant, unit: str) -> str:
    """The first date of the day, week or month that an instant lies in."""
    day: date = (_EPOCH + timedelta(microseconds=at)).date()
    first = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}
    return first[unit].isoformat()
