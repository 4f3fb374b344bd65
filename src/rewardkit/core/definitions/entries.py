"""The entry conditions of all campaigns together: one slice of a user's row, read once and stepped as one.

What the slice holds follows from the user's events and from what has been decided for her, and from nothing else: not
from when campaigns were launched, nor from when something was noticed. A slice of other entry conditions is not read:
it is folded anew from stored events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rewardkit.core.definitions.campaign import Campaign
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event
from rewardkit.language.planning.names import Everything
from rewardkit.language.sets.condition_set import ConditionSet
from rewardkit.language.sets.standing import Decided, Standing

_MOST_OPENINGS = 1_024


class Entries:
    """The entry conditions in force: campaigns that were launched and have one."""

    def __init__(self, campaigns: Sequence[Campaign]) -> None:
        self._campaigns = {str(campaign.id): campaign for campaign in campaigns if campaign.entry is not None}
        self._set = ConditionSet(scope="open")
        self._everywhere = 0
        self._listening: dict[str, int] = {}
        self._ends = [(campaign.end, 1 << campaign.id) for campaign in campaigns if campaign.end is not None]
        self._openings: dict[int, Standing] = {}
        self._all = 0
        for campaign in campaigns:
            if campaign.entry is None:
                continue
            condition = Condition.parse(campaign.entry)
            self._set.add(str(campaign.id), condition, zone=campaign.zone)
            bit = 1 << campaign.id
            self._all |= bit
            if isinstance(campaign.program.names, Everything):
                self._everywhere |= bit
            for name in campaign.program.names:
                self._listening[name] = self._listening.get(name, 0) | bit

    def listening(self, name: str) -> int:
        """The campaigns that listen to a name, a bit each."""
        return self._listening.get(name, 0) | self._everywhere

    def over(self, at: int) -> int:
        """The campaigns that make no offers any more, a bit each."""
        found = 0
        for end, bit in self._ends:
            if end <= at:
                found |= bit
        return found

    def opening(self, settled: int) -> Standing:
        """Where a user stands of whom nothing was heard.

        Args:
            settled: the campaigns whose entry is decided or over for her, a bit each.
        """
        known = self._openings.get(settled)
        if known is None:
            known, _ = self._set.start()
            self.settle(known, settled)
            if len(self._openings) < _MOST_OPENINGS:
                self._openings[settled] = known
        return known.copy()

    def settle(self, standing: Standing, settled: int) -> None:
        """Keep nothing of what is decided or over."""
        while settled:
            name = str((settled & -settled).bit_length() - 1)
            if name in self._campaigns:
                self._set.drop(standing, name)
            settled &= settled - 1

    def read(self, payload: bytes) -> Standing | None:
        """The standing of a slot; None where it is of other entry conditions.

        Raises:
            InvariantError: it is damaged.
        """
        if not self._set.recognises(payload):
            return None
        standing = self._set.unpack(payload)
        return None if self._set.missing(standing) else standing

    def write(self, standing: Standing, settled: int) -> bytes | None:
        """The slot of a standing; None where nothing was heard, or nothing is left to hear."""
        idle = not standing.states and not any(standing.counts)
        if standing.wake_at is None and (idle or not self._all & ~settled):
            return None
        return self._set.pack(standing)

    def step(self, standing: Standing, event: Event) -> list[tuple[Campaign, Decided]]:
        """Read an event; what is decided by it, in the order of the campaigns."""
        return self._told(self._set.step(standing, event))

    def advance(self, standing: Standing, until: int) -> list[tuple[Campaign, Decided]]:
        """Release timers; what is decided by them, in the order of the campaigns."""
        return self._told(self._set.advance(standing, until))

    def fold(self, history: Iterable[Event], until: int, settled: int) -> Standing:
        """Where a user stands who has done all this, up to an instant."""
        standing = self.opening(settled)
        self._set.step_many(standing, history)
        self._set.advance(standing, until)
        return standing

    def _told(self, decided: Iterable[Decided]) -> list[tuple[Campaign, Decided]]:
        found = [(self._campaigns[one.name], one) for one in decided]
        return sorted(found, key=lambda one: one[0].id) if len(found) > 1 else found
