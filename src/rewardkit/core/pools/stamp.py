"""Instants as the JSON of pools has them: ISO 8601 with `Z`, to the minute, or to the second where it matters."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z")


def stamp(at: datetime) -> str:
    """`2017-01-01T12:00Z`, or `2017-01-01T12:00:07Z`; parts of a second are left out."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ" if at.second == 0 else "%Y-%m-%dT%H:%M:%SZ")


def read_stamp(written: object, what: str) -> datetime:
    """The instant of such a text.

    Raises:
        ValidationError: it is none.
    """
    if isinstance(written, str) and _WRITTEN.fullmatch(written):
        try:
            return datetime.fromisoformat(written)
        except ValueError:
            pass
    raise ValidationError(f"{what} must be an instant such as `2017-01-01T12:00Z`, not `{show(str(written))}`")
