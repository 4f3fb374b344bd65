"""One step of a history: what was asked, what was answered, and what a store kept before and after it."""

from __future__ import annotations

from typing import Any, NamedTuple

from rewardkit.core.requests.commands import Command
from rewardkit.errors import Refused
from rewardkit.language.event import Instant
from rewardkit.testing.audit import Snapshot


class Deed(NamedTuple):
    """See above."""

    command: Command[Any]
    answer: Any
    """What was answered, or the error that was raised."""
    at: Instant
    before: Snapshot
    after: Snapshot

    @property
    def refusal(self) -> str:
        """The code of its refusal; empty where there is none."""
        return self.answer.code if isinstance(self.answer, Refused) else ""

    @property
    def failed(self) -> bool:
        """Whether it was refused, or raised an error."""
        return isinstance(self.answer, Exception)
