"""Who has tried how often: a limiter by the minute, and a lockout after failures in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rewardkit.core.promotions.commands import EnterPromoCode
from rewardkit.core.storing.effects import Effect, Replace
from rewardkit.core.storing.promotion_rows import AttemptRow
from rewardkit.core.values.identity import digest
from rewardkit.core.values.input import integer, text
from rewardkit.errors import Refused
from rewardkit.language.event import rfc3339

MINUTE: Final = 60_000_000


class Attempts:
    """One attempt of a user, before and after it has been made.

    Args:
        command: says who, and under which limits.
        at: now.
    """

    def __init__(self, command: EnterPromoCode, at: int) -> None:
        self._user = digest("promo user", text(command.user, "a user")).hex()
        origin = digest("promo origin", text(command.origin, "an origin")).hex() if command.origin else ""
        self.subjects = tuple(sorted({self._user, origin} - {""}))
        self._most = integer(command.attempts_a_minute, "attempts_a_minute", least=1)
        self._failures = integer(command.failures, "failures", least=1)
        self._lockout = integer(command.lockout_seconds, "lockout_seconds", least=1, most=86_400) * 1_000_000
        self._at = at

    def refusal(self, rows: Sequence[AttemptRow]) -> Refused | None:
        """Why no attempt may be made now; asking again while it may not changes nothing."""
        until = max(max(row.locked_until, self._full_until(row)) for row in rows)
        if until <= self._at:
            return None
        sentence = f"too many promo codes have been tried: wait until {rfc3339(until)}"
        return Refused("too_many_attempts", sentence, {"until": rfc3339(until)})

    def counted(self, rows: Sequence[AttemptRow], *, failed: bool) -> Effect:
        """The rows with this attempt. Only users are locked out: many may come from one origin."""
        return Replace(tuple(self._after(row, failed=failed) for row in rows))

    def _after(self, row: AttemptRow, *, failed: bool) -> AttemptRow:
        if self._at >= row.begun + MINUTE:
            row = row._replace(begun=self._at, attempts=0)
        row = row._replace(attempts=row.attempts + 1, failures=row.failures + 1 if failed else 0)
        if row.subject == self._user and row.failures >= self._failures:
            return row._replace(failures=0, locked_until=self._at + self._lockout)
        return row

    def _full_until(self, row: AttemptRow) -> int:
        return row.begun + MINUTE if row.attempts >= self._most else 0
