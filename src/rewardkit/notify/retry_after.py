"""When a receiver wants to be asked again: the header `Retry-After`, in seconds or as a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from rewardkit.core.notices.outbox import SCHEDULE_SECONDS

MOST_SECONDS: Final = max(SCHEDULE_SECONDS)
"""The longest wait of the schedule: a receiver may slow us down, and not keep us waiting for ever."""

_CHARACTERS = 64
_SECONDS = re.compile(r"[0-9]+")


def retry_after_seconds(header: str | None, now: datetime) -> int | None:
    """From now, 0 to `MOST_SECONDS`; None where the header is missing or malformed, and the schedule holds.

    Args:
        header: as it came; anybody may have written it.
        now: an aware datetime.
    """
    if header is None or len(header) > _CHARACTERS or not header.isascii():
        return None
    if _SECONDS.fullmatch(header.strip()):
        return min(int(header), MOST_SECONDS)
    try:
        date = parsedate_to_datetime(header)
        # `-0000` says that the zone is not known, and HTTP knows one only.
        aware = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        wait = (aware - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return max(0, min(round(wait), MOST_SECONDS))
