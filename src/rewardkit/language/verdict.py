"""A verdict: what is known about a condition at one instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NoReturn, TypeAlias

import attrs

Status: TypeAlias = Literal["satisfied", "pending", "impossible"]
Mode: TypeAlias = Literal["latch", "live", "final"]
"""How a condition is judged over time.

`latch`: once decided it stays, as rewards need it; `live`: it may flip, as the segments of an audience do; `final`: it
is judged once, at the end of its scope.
"""


@attrs.frozen
class Verdict:
    """Three-valued: `satisfied` and `impossible` are final, `pending` may still become either.

    In live mode `satisfied` says that the condition holds now, and may become `pending` again.
    `bool(verdict)` raises, since two truth values would hide the third.
    """

    status: Status
    decided_at: datetime | None = None
    """The first reading at which the condition held, or at which it was known that it never will; UTC."""
    reason: str = ""
    """Why, for people: what is missing, what satisfied it or what killed it (`expired` at the end of the scope)."""
    wake_at: datetime | None = None
    """The earliest instant at which time alone may change this verdict; None where only an event can."""
    exact: bool = attrs.field(default=False, eq=False)
    """Whether `impossible` is said as soon as it is so, by a table of all states; else by a local rule, which may say
    it later and never wrongly."""
    holds_now: bool | None = None
    """In live mode, whether the condition holds at this instant; None in the other modes."""

    _measure: Callable[[], float] | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)

    @property
    def progress(self) -> float | None:
        """From 0 to 1, and 1 where it is satisfied alone: 1 minus what is missing now by what was missing at the start.

        It is worked out from the history when it is asked for, so that a pending verdict of a folded state has None.
        """
        if self.status != "pending":
            return float(self.status == "satisfied")
        return None if self._measure is None else self._measure()

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a verdict has three values: compare `verdict.status` with `satisfied`, `pending` or `impossible`"
        )
