"""How many attempts at codes are listened to."""

from __future__ import annotations

import attrs


@attrs.frozen
class AttemptLimits:
    """How often codes may be tried by those who may be guessing.

    Args:
        attempts_a_minute: of one subject, and from one origin, good ones and failed ones together.
        failures: of one subject in a row, each within a day of the one before, after which it is locked out.
        lockout_seconds: how long, at most a day.
        failures_a_minute: of the whole tenant, after which nobody is listened to until that minute is over; None for no
            such limit. At a thousand, who knows of ever new subjects and origins needs 17 hours for a million guesses.
    """

    attempts_a_minute: int = attrs.field(default=10, kw_only=True)
    failures: int = attrs.field(default=5, kw_only=True)
    lockout_seconds: int = attrs.field(default=900, kw_only=True)
    failures_a_minute: int | None = attrs.field(default=1_000, kw_only=True)


LIMITS = AttemptLimits()
"""Where nothing else is said."""
