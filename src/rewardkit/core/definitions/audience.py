"""An audience: a condition that flips with what a user does, judged when she enters a campaign, or somebody by her.

Campaigns that have one in common, of their users or their senders, share its state in the user's row, kept up to date
as her events come.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import attrs

from rewardkit.core.definitions.replay import replay
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event
from rewardkit.language.folding.program import PENDING, SATISFIED, Program, State


@attrs.frozen(slots=False)
class Audience:
    """A condition in live mode over all that is known of a user."""

    number: int
    """Which of the tenant's, from 0."""
    condition: str
    """Canonical text with every `@name` inlined."""
    zone: str
    epoch: int
    """From which on it is kept in users' rows."""

    @cached_property
    def program(self) -> Program:
        """The compiled condition."""
        return Condition.parse(self.condition).program(scope="open", zone=self.zone, mode="live")

    @cached_property
    def opening(self) -> State:
        """The state of a user of whom nothing was heard."""
        return self.program.start(None)

    def fold(self, history: Iterable[Event], until: int) -> State:
        """The state of a user who has done all this, up to an instant."""
        return replay(self.program, None, None, history, until)[0]


def holds(state: State) -> bool:
    """Whether a user in this state is in the audience."""
    return state.status == SATISFIED or (state.status == PENDING and state.decided_at is not None)
