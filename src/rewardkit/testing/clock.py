"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta

from rewardkit.core.drafts.defining import elapsed
from rewardkit.errors import ValidationError
from rewardkit.language.event import Instant, instant, moment


class FakeClock:
    """Give it to a kit as `clock=`; time passes only by `advance` and `set`.

    Args:
        now: where it stands at first: an aware datetime, an RFC 3339 text, or microseconds since 1970 UTC.
    """

    def __init__(self, now: datetime | str | int = "2026-01-01T00:00:00Z") -> None:
        self._now = instant(now)

    def __call__(self) -> Instant:
        """Microseconds since 1970 UTC."""
        return self._now

    @property
    def now(self) -> datetime:
        """The instant at which it stands, in UTC."""
        return moment(self._now)

    def advance(self, by: timedelta | str) -> datetime:
        """Let time pass, and give the new now.

        Args:
            by: a duration, or its text as conditions write it, such as `14d` or `1h30m`.

        Raises:
            ValidationError: it would go back, or beyond the year 9000.
        """
        passed = elapsed(by, "`by`") if isinstance(by, str) else by // timedelta(microseconds=1)
        if passed < 0:
            raise ValidationError(f"`advance` lets time pass, and `{by}` would turn it back: use `set`")
        self._now = instant(self._now + passed)
        return self.now

    def set(self, now: datetime | str | int) -> datetime:
        """Move to an instant, forward or back, and give it."""
        self._now = instant(now)
        return self.now
