"""How users' standings are opened, brought up to date and kept."""

from __future__ import annotations

from typing import Final

from rewardkit.language.event import Event, Instant
from rewardkit.language.folding.program import Program
from rewardkit.language.running.chain import FOREVER
from rewardkit.language.running.state import IMPOSSIBLE, SATISFIED, State
from rewardkit.language.sets.roster import Member, Roster
from rewardkit.language.sets.standing import Decided, Standing, Status
from rewardkit.language.sets.standing_packing import corrupt

STATUSES: Final[tuple[Status, Status, Status]] = ("pending", "satisfied", "impossible")
"""By their numbers in states."""


class Standings:
    """What a set does with one standing besides reading events into it."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._openings: dict[int, tuple[Instant | None, Instant | None, State]] = {}
        """Of the last scope that each program was opened for: users of one batch mostly share it."""

    def forget(self, member: Member) -> None:
        """A condition that is removed needs nothing."""
        self._openings.pop(member.number, None)

    def open(
        self, start: Instant | None, end: Instant | None, history: tuple[Event, ...]
    ) -> tuple[Standing, tuple[Decided, ...]]:
        """The standing at the opening of a scope, and what is decided there."""
        standing = Standing(start, end, 0)
        self._grow(standing)
        for member in self.roster.members.values():
            self._begin(standing, member, history)
        for number in range(standing.generation):
            if number not in self.roster.by_number:
                standing.decide(number)
        self.time(standing)
        decided = tuple(
            Decided(member.name, self.status(standing, member), start or 0)
            for member in self.roster.members.values()
            if standing.is_decided(member.number)
        )
        return standing, decided

    def _begin(self, standing: Standing, member: Member, history: tuple[Event, ...]) -> None:
        if member.check is not None:
            status = member.check(standing.counts)
            if status:
                standing.decide(member.number, satisfied=status == SATISFIED)
            return
        assert member.program is not None
        state = member.program.start(standing.start, end=standing.end, history=history)
        if state.status or state.wake_at != standing.end or (history and member.program.uses_history):
            self.keep(standing, member.number, state)

    def _grow(self, standing: Standing) -> None:
        lineage = self.roster.lineage(self.roster.generation)
        assert lineage is not None
        standing.grow(self.roster.generation, lineage[1], self.roster.code)

    def recognise(self, standing: Standing) -> None:
        """Bring a standing up to the conditions that were added since, which are missing from it."""
        if standing.generation == self.roster.generation:
            return
        if standing.generation > self.roster.generation:
            raise corrupt()
        added = range(standing.generation, self.roster.generation)
        self._grow(standing)
        for number in added:
            standing.decide(number)
        standing.missing |= frozenset(added)

    def expire(self, standing: Standing, at: Instant) -> list[Decided]:
        """Read the scope's end: what closes with it is judged, and all that is still pending is impossible."""
        standing.over = True
        changes = []
        for member in self.roster.members.values():
            if not standing.is_decided(member.number):
                status = IMPOSSIBLE
                if member.program is not None:
                    state = self.state(standing, member.number, member.program)
                    status = member.program.advance(state, at).status
                standing.decide(member.number, satisfied=status == SATISFIED)
                changes.append(Decided(member.name, STATUSES[status], at))
        return changes

    def status(self, standing: Standing, member: Member) -> Status:
        number = member.number
        if not standing.is_decided(number) or number in standing.missing:
            return "pending"
        return "satisfied" if standing.is_satisfied(number) else "impossible"

    def state(self, standing: Standing, number: int, program: Program) -> State:
        """A program's state: the opening where it never moved, unpacked where nothing has asked for it yet."""
        state = standing.states.get(number)
        if isinstance(state, bytes):
            return program.unpack(state)
        if state is not None:
            return state
        opening = self._openings.get(number)
        if opening is None or opening[0] != standing.start or opening[1] != standing.end:
            state = program.start(standing.start, end=standing.end)
            opening = self._openings[number] = (standing.start, standing.end, state)
        return opening[2]

    def keep(self, standing: Standing, number: int, state: State) -> bool:
        """Keep a program's state; whether `time` has to look again, since the earliest timer may be gone."""
        wakes, wake_at = standing.wakes, state.wake_at
        before = wakes.get(number)
        if state.status:
            standing.decide(number, satisfied=state.status == SATISFIED)
            return before == standing.due or standing.end is not None
        standing.states[number] = state
        if wake_at == before:
            return False
        if wake_at is None or wake_at == standing.end:
            wakes.pop(number, None)
        else:
            wakes[number] = wake_at
            if wake_at <= standing.due:
                standing.due = wake_at
                return False
        return before == standing.due

    def time(self, standing: Standing) -> None:
        """When time alone may next decide something."""
        due = min(standing.wakes.values(), default=FOREVER)
        end = standing.end
        if end is not None and end < due and not standing.over:
            known = self.roster.alive & ((1 << standing.generation) - 1)
            if known & ~int.from_bytes(standing.decided, "little"):
                due = end
        standing.due = due
