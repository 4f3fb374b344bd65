"""How late an event may be: a length of elapsed time, as conditions write it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TypeAlias

from rewardkit.errors import ValidationError
from rewardkit.language.diagnostic import quoted
from rewardkit.language.event import Instant
from rewardkit.language.limits import DAY_MICROSECONDS, LONGEST_SPAN_DAYS
from rewardkit.language.syntax.literal import read_elapsed

Lateness: TypeAlias = str | timedelta
"""Elapsed time as in a condition, such as `2d` or `1d12h`, or a timedelta."""

PUNCTUAL = "0s"
"""Every event comes in order."""

_ELAPSED = re.compile(r"(?:[0-9]{1,15}(?:ms|s|m|h|d|w)){1,8}")
_MICROSECOND = timedelta(microseconds=1)


def read_lateness(value: Lateness) -> Instant:
    """The microseconds of a lateness.

    Raises:
        ValidationError: it is neither, is negative, or is longer than a hundred years.
    """
    if isinstance(value, timedelta):
        microseconds = value // _MICROSECOND
    elif isinstance(value, str) and _ELAPSED.fullmatch(value):
        microseconds = read_elapsed(value).microseconds
    else:
        shown = quoted(value) if isinstance(value, str) else f"`{type(value).__name__}`"
        raise ValidationError(
            f"`allowed_lateness` is elapsed time such as `2d` or `1d12h`, or a timedelta, not {shown}"
        )
    if not 0 <= microseconds <= LONGEST_SPAN_DAYS * DAY_MICROSECONDS:
        raise ValidationError(f"`allowed_lateness` is between `0s` and `{LONGEST_SPAN_DAYS}d`")
    return microseconds
