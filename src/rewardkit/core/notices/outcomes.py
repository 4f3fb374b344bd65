"""What came of telling a notice to one endpoint: what a notifier answers."""

from __future__ import annotations

from typing import TypeAlias

import attrs


@attrs.frozen
class Delivered:
    """The endpoint has it. It is not told this notice again."""


@attrs.frozen
class RetryLater:
    """Not told, for now: it is tried again, under its id with its body, at an instant of the schedule.

    Args:
        reason: why, without secrets: it is kept with the notice and shown.
        after_seconds: not before so much time has passed; more than the schedule's longest wait counts as that.
    """

    reason: str = attrs.field(converter=str)
    after_seconds: int = attrs.field(default=0, converter=int)


@attrs.frozen
class FailedForGood:
    """Not told, and trying again would not help: the notice is dead for this endpoint, visible and replayable.

    Args:
        reason: why, without secrets: it is kept with the notice and shown.
    """

    reason: str = attrs.field(converter=str)


@attrs.frozen
class EndpointGone:
    """Not told, and the endpoint wants nothing any more: it is told nothing until it is enabled again.

    Args:
        reason: why, without secrets: it is kept and shown.
    """

    reason: str = attrs.field(converter=str)


Outcome: TypeAlias = Delivered | RetryLater | FailedForGood | EndpointGone
