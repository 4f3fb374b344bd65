"""One attempt: a limiter by the minute, a lockout after failures in a row, and a limiter for all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from rewardkit.core.attempts.limits import AttemptLimits
from rewardkit.core.attempts.needs import AttemptsOf, ForgetAttempts, TakeAttempts
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.storing.attempt_rows import AttemptRow
from rewardkit.core.storing.effects import Replace
from rewardkit.core.storing.needs import ask
from rewardkit.core.values.identity import digest
from rewardkit.core.values.input import integer, text
from rewardkit.errors import Refused, ValidationError
from rewardkit.language.event import rfc3339

A = TypeVar("A")

MINUTE: Final = 60_000_000
ROW_ENDS: Final = 86_400_000_000
"""Without an attempt for so long, a day, a row of failures is over."""
EVERYBODY: Final = "*"
"""The subject of the row that counts the failures of all."""


def require_uncounted(*named: str | None) -> None:
    """Refuse to name somebody whose attempts would not be counted.

    Raises:
        ValidationError: a subject or an origin is given.
    """
    if any(named):
        raise ValidationError("a subject or an origin is named whose attempts are not counted: pass `public=True`")


def forget_attempts(at: int, limit: int) -> Deciding[int]:
    """Delete so many rows that say nothing any more, by which nobody is kept out; how many there were.

    Whoever guesses under ever new names would fill the table for ever.
    """
    return (yield from ask(ForgetAttempts(at - ROW_ENDS, at, limit)))


class Attempt:
    """One attempt of somebody, before and after it has been made.

    Args:
        context: of the decision.
        subject: who tries, such as a user, a session or an address; None where nobody can be told from others.
        origin: where that comes from, such as an address of the network; empty where it is not known.
        limits: how many are listened to.

    Raises:
        ValidationError: an argument cannot be meant; or a transaction of the host's is open, whose rollback would make
            the attempt forgotten.
    """

    def __init__(self, context: Context, subject: str | None, origin: str, limits: AttemptLimits) -> None:
        if context.joined:
            raise ValidationError(
                "attempts at codes are counted, which a rollback of yours would undo: make them by the kit that `on`"
                " was called on, and in your transaction what follows from them, such as `ConfirmReservation`"
            )
        if not isinstance(limits, AttemptLimits):
            raise ValidationError(f"limits are `AttemptLimits(…)`, not `{type(limits).__name__}`")
        self._subject = "" if subject is None else digest("attempt subject", text(subject, "a subject")).hex()
        source = digest("attempt origin", text(origin, "an origin")).hex() if origin else ""
        self._subjects = tuple(sorted({self._subject, source} - {""}))
        self._most = integer(limits.attempts_a_minute, "attempts_a_minute", least=1)
        self._failures = integer(limits.failures, "failures", least=1)
        self._lockout = integer(limits.lockout_seconds, "lockout_seconds", least=1, most=86_400) * 1_000_000
        most = limits.failures_a_minute
        self._most_of_all = None if most is None else integer(most, "failures_a_minute", least=1)
        self._at = context.at

    def made(
        self, deciding: Deciding[Decision[A]], *, uniform: Refused | None, clears: bool = True
    ) -> Deciding[Decision[A]]:
        """The decision, unless nobody listens; counted in its transaction, refused or not.

        Args:
            deciding: what is tried; what it has changed before it raises `Refused` is kept.
            uniform: the one refusal of whatever is refused; None where the reason is told.
            clears: whether a success ends the row of failures.
        """
        rows = (yield from ask(TakeAttempts(self._subjects))) if self._subjects else ()
        limited = self._most_of_all is not None
        # Not locked: those who are right do not wait for each other. Of those who are wrong at one moment, as many as
        # there are come through.
        blocked = self._refusal(rows, (yield from ask(AttemptsOf((EVERYBODY,)))) if limited else ())
        if blocked is not None:
            deciding.close()
            return Decision(uniform or blocked)
        try:
            decision = yield from deciding
        except Refused as refusal:
            decision = Decision(refusal)
        failed = isinstance(decision.answer, Refused)
        after = [self._after(row, failed=failed, clears=clears) for row in rows]
        if failed and limited:
            # The last lock that is taken, so that nobody who has it waits for another.
            after += [self._begun(row, 1) for row in (yield from ask(TakeAttempts((EVERYBODY,))))]
        answer = uniform if failed and uniform is not None else decision.answer
        effects = (*decision.effects, Replace(tuple(after))) if after else decision.effects
        return Decision(answer, effects, decision.catalogue)

    def _refusal(self, rows: Sequence[AttemptRow], everybody: Sequence[AttemptRow]) -> Refused | None:
        """Why no attempt may be made now; asking again while it may not changes nothing."""
        ends = [0, *(row.locked_until for row in rows)]
        ends += [row.begun + MINUTE for row in rows if row.attempts >= self._most]
        ends += [row.begun + MINUTE for row in everybody if row.attempts >= (self._most_of_all or 0)]
        until = max(ends)
        if until <= self._at:
            return None
        sentence = f"too many codes have been tried: wait until {rfc3339(until)}"
        return Refused("too_many_attempts", sentence, {"until": rfc3339(until)})

    def _begun(self, row: AttemptRow, attempts: int) -> AttemptRow:
        """A row with so many more attempts in the minute that is counted now."""
        if self._at >= row.begun + ROW_ENDS:
            row = row._replace(failures=0)
        if self._at >= row.begun + MINUTE:
            row = row._replace(begun=self._at, attempts=0)
        return row._replace(attempts=row.attempts + attempts)

    def _after(self, row: AttemptRow, *, failed: bool, clears: bool) -> AttemptRow:
        """Only subjects are locked out: many may come from one origin."""
        row = self._begun(row, 1)
        if failed:
            row = row._replace(failures=row.failures + 1)
        elif clears:
            row = row._replace(failures=0)
        if row.subject == self._subject and row.failures >= self._failures:
            return row._replace(failures=0, locked_until=self._at + self._lockout)
        return row
