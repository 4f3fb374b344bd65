"""Civil time, where clocks and calendars jump."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardkit.errors import ValidationError
from rewardkit.language import civil
from rewardkit.language.event import instant, rfc3339

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "America/Havana",
    "America/New_York",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Africa/Cairo",
    "Australia/Lord_Howe",
)


@pytest.mark.parametrize(
    "day, zone, first",
    [
        (date(2024, 3, 31), "Europe/Berlin", "2024-03-30T23:00:00Z"),
        (date(2024, 4, 1), "Europe/Berlin", "2024-03-31T22:00:00Z"),
        (date(2018, 11, 4), "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        (date(2018, 11, 5), "America/Sao_Paulo", "2018-11-05T02:00:00Z"),
        (date(2018, 2, 18), "America/Sao_Paulo", "2018-02-18T03:00:00Z"),
        (date(2011, 12, 29), "Pacific/Apia", "2011-12-29T10:00:00Z"),
        (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00:00Z"),
        (date(2011, 12, 31), "Pacific/Apia", "2011-12-30T10:00:00Z"),
        (date(2023, 11, 5), "America/Havana", "2023-11-05T04:00:00Z"),
    ],
)
def test_a_day_begins_at_its_first_instant_that_exists(day: date, zone: str, first: str) -> None:
    assert first == rfc3339(civil.first_instant(day, zone))


def test_a_date_that_a_zone_skipped_does_not_exist() -> None:
    assert [True, False, True] == [civil.exists(date(2011, 12, day), "Pacific/Apia") for day in (29, 30, 31)]
    assert date(2011, 12, 31) == civil.next_bucket(date(2011, 12, 29), "day", "Pacific/Apia")


@settings(max_examples=400, deadline=None)
@given(st.dates(date(1970, 1, 3), date(2060, 1, 1)), st.sampled_from(ZONES))
def test_nothing_before_the_first_instant_shows_the_date_and_nothing_after_it_an_earlier_one(
    day: date, zone: str
) -> None:
    first = civil.first_instant(day, zone)
    assert civil.local_date(first - 1, zone) < day
    assert civil.local_date(first, zone) >= day
    assert civil.exists(day, zone) == (civil.local_date(first, zone) == day)


@settings(max_examples=400, deadline=None)
@given(
    st.integers(3 * 86_400_000_000, instant("2060-01-01T00:00:00Z")),
    st.sampled_from(("day", "week", "month", "quarter", "year")),
    st.sampled_from(ZONES),
)
def test_a_bucket_holds_its_instant_and_the_next_one_begins_where_it_ends(at: int, unit: str, zone: str) -> None:
    start, end = civil.bucket(at, unit, zone)
    first = civil.bucket_date(civil.local_date(at, zone), unit)
    assert start < end
    # A clock that is set back over midnight shows the evening of the day before once more.
    assert start <= at < end or civil.local_date(at, zone) < civil.local_date(at - 7_200_000_000, zone)
    assert end == civil.first_instant(civil.next_bucket(first, unit, zone), zone)


@pytest.mark.parametrize(
    "start, count, unit, end",
    [
        ("2024-01-31T12:00:00Z", 1, "month", "2024-02-29T00:00:00Z"),
        ("2024-01-31T12:00:00Z", 2, "month", "2024-03-31T00:00:00Z"),
        ("2024-02-29T12:00:00Z", 1, "year", "2025-02-28T00:00:00Z"),
        ("2024-01-31T12:00:00Z", 1, "quarter", "2024-04-30T00:00:00Z"),
        ("2024-01-03T12:00:00Z", 1, "week", "2024-01-10T00:00:00Z"),
        ("2024-01-01T23:59:59Z", 1, "day", "2024-01-02T00:00:00Z"),
    ],
)
def test_a_span_counts_dates_from_its_start_and_clamps_months(start: str, count: int, unit: str, end: str) -> None:
    assert end == rfc3339(civil.span_end(instant(start), count, unit, "UTC"))


def test_a_span_that_ends_today_includes_today() -> None:
    now = instant("2024-01-10T15:00:00Z")
    assert "2024-01-04T00:00:00Z" == rfc3339(civil.span_start(now, 7, "day", "UTC"))
    assert now < civil.span_end(civil.span_start(now, 7, "day", "UTC"), 7, "day", "UTC")
    assert civil.local_date(now, "UTC") - timedelta(days=6) == civil.local_date(
        civil.span_start(now, 7, "day", "UTC"), "UTC"
    )


@pytest.mark.parametrize("text", ["2024-02-30", "2024-01-05T00:00:00", "soon", "", "1969-01-01"])
def test_what_is_no_date_and_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        civil.instant_of(text, "UTC")


def test_a_date_is_one_of_the_zone() -> None:
    assert "2024-01-04T23:00:00Z" == rfc3339(civil.instant_of("2024-01-05", "Europe/Berlin"))
    assert "2024-01-05T10:00:00Z" == rfc3339(civil.instant_of("2024-01-05T12:00:00+02:00", "Europe/Berlin"))


@pytest.mark.parametrize("name", ["Mars/Olympus", "EST5EDT4", "../etc/passwd", "", "Europe/Berlin\n", "/etc/localtime"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="IANA"):
        civil.zone_named(name)
