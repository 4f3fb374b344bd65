"""What receivers say about when to come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardkit.core.notices.outbox import SCHEDULE_SECONDS
from rewardkit.notify.retry_after import retry_after_seconds

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MOST = max(SCHEDULE_SECONDS)


@pytest.mark.parametrize(
    "header, seconds",
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        (str(MOST + 1), MOST),
        ("9" * 64, MOST),
        ("9" * 5_000, None),
        ("1e99", None),
        ("-1", None),
        ("1.5", None),
        ("１２", None),
        ("Thu, 01 Jan 2026 12:02:00 GMT", 120),
        ("Thursday, 01-Jan-26 12:02:00 GMT", 120),
        ("Thu Jan  1 12:02:00 2026", 120),
        ("Thu, 01 Jan 2026 13:02:00 +0100", 120),
        ("Thu, 01 Jan 2026 12:02:00 -0000", 120),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MOST),
        ("Fri, 31 Dec 9999 23:59:59 -2359", MOST),
        ("Fri, 01 Jan 0001 00:00:00 +2359", 0),
        ("Fri, 99 Jan 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 2026 12:02:00 +999999999", None),
    ],
)
def test_seconds_and_dates_are_clamped_to_the_schedule_and_anything_else_is_passed_over(
    header: str | None, seconds: int | None
) -> None:
    assert retry_after_seconds(header, NOW) == seconds
    assert retry_after_seconds(header, NOW.astimezone(timezone(timedelta(hours=9)))) == seconds


@settings(deadline=None)
@given(
    st.text(max_size=70) | st.from_regex(r"\w{3}, \d{1,3} \w{3} \d{1,5} \d{2}:\d{2}:\d{2} [+-]?\w{1,6}", fullmatch=True)
)
def test_anything_is_a_wait_within_the_schedule_or_none(header: str) -> None:
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or 0 <= seconds <= MOST
