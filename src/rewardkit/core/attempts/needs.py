"""What decisions about attempts ask of the world; see `rewardkit.core.storing.needs`."""

from __future__ import annotations

import attrs

from rewardkit.core.storing.attempt_rows import AttemptRow
from rewardkit.core.storing.needs import Need


@attrs.frozen
class TakeAttempts(Need[tuple[AttemptRow, ...]]):
    """The rows of these subjects, in their order; one that is not there is inserted, all zero. *Takes* and *locks*.

    The subjects are sorted, each once. Locked before users; the row of everybody after all else.
    """

    subjects: tuple[str, ...]


@attrs.frozen
class ForgetAttempts(Need[int]):
    """Delete the rows that say nothing any more, the oldest first; how many there were. *Takes*.

    Those who are held by others are left, so that nobody waits.
    """

    before: int
    """Whose minute began before this instant."""
    now: int
    """Who is locked out beyond it is not forgotten."""
    limit: int


@attrs.frozen
class AttemptsOf(Need[tuple[AttemptRow, ...]]):
    """The rows of these subjects that exist, in their order, as they were committed; nobody waits."""

    subjects: tuple[str, ...]
