"""Many conditions at once: one step of one user costs what it changes, not what there is.

Equal matches share one saturating counter across conditions. A condition that is nothing but counters is looked at
only when one of them reaches a threshold of its own; every other is stepped through its program, and only when it
listens to the event's name or a timer of it is due. What has been decided for a user is dropped for her.
"""

from __future__ import annotations

from collections.abc import Iterable

from rewardkit.errors import ValidationError
from rewardkit.language.checks.check import Scope
from rewardkit.language.condition import Condition
from rewardkit.language.diagnostic import quoted
from rewardkit.language.event import Event, Instant, When, instant
from rewardkit.language.running.state import SATISFIED, State
from rewardkit.language.sets import standing_packing
from rewardkit.language.sets.counter_source import Crossing
from rewardkit.language.sets.listeners import Stepped
from rewardkit.language.sets.roster import Roster
from rewardkit.language.sets.standing import Decided, Standing, Status
from rewardkit.language.sets.standings import STATUSES, Standings
from rewardkit.language.zoning import UTC

_NOTHING: tuple[Decided, ...] = ()
_made = tuple.__new__  # a third of the time of `Decided(…)`, where thousands of conditions are decided at once


class ConditionSet:
    """Conditions under names, judged together for one user at a time.

    Args:
        scope: `start` where every user's scope has one; `open` where it is all known history.

    A set that was built by the same additions in the same order, those removed since included, reads what another
    packed; removing changes nothing for the others.
    """

    def __init__(self, *, scope: Scope = "start") -> None:
        self._scope = scope
        self._roster = Roster()
        self._template: tuple[Standing, tuple[Decided, ...]] | None = None
        """The last opening, since users mostly begin as others did."""
        self._standings = Standings(self._roster)
        self._listeners = self._roster.listeners

    # --- the conditions ----------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """The conditions' names, in the order in which they were added."""
        return tuple(self._roster.members)

    def __repr__(self) -> str:
        return f"<ConditionSet of {len(self)}>"

    def __len__(self) -> int:
        return len(self._roster.members)

    def __contains__(self, name: object) -> bool:
        return name in self._roster.members

    def condition(self, name: str) -> Condition:
        """A condition by its name.

        Raises:
            ValidationError: the set has no such condition.
        """
        return self._roster.member(name).condition

    def add(self, name: str, condition: str | Condition, *, zone: str = UTC) -> None:
        """Judge another condition from now on.

        Users whose standing was begun before have it among `missing`, until `catch_up` reads their events.

        Args:
            name: of your choice; what `step` tells its verdict by.
            condition: a text, or one that was parsed.
            zone: IANA name of the zone of its days, weeks, months and dates.

        Raises:
            ConditionSyntaxError: it cannot be parsed, or judged in such a scope.
            ValidationError: the name is taken, or the zone is unknown.
        """
        if not isinstance(name, str):
            raise ValidationError(f"a condition's name in a set is a text, not `{type(name).__name__}`")
        if name in self._roster.members:
            raise ValidationError(f"condition {quoted(name)} is in the set: remove it first, or take another name")
        parsed = Condition.parse(condition) if isinstance(condition, str) else condition
        parsed.require(scope=self._scope)
        self._roster.add(name, parsed, zone)
        self._template = None

    def remove(self, name: str) -> None:
        """Judge a condition no more, for nobody.

        Raises:
            ValidationError: the set has no such condition.
        """
        self._standings.forget(self._roster.member(name))
        self._roster.remove(name)
        self._template = None

    # --- one user's standing -----------------------------------------------------------------------

    def start(
        self, at: When | None = None, *, end: When | None = None, history: Iterable[Event] = ()
    ) -> tuple[Standing, tuple[Decided, ...]]:
        """A user's standing at the opening of her scope, and what is decided there already.

        Args:
            at: the scope's start; None where the set's scope is `open`.
            end: the scope's end: what is pending then is impossible.
            history: her events up to the start, in total order; only conditions with `ever` look at them.

        Raises:
            ValidationError: for an end before the start, or a start where the set's scope has none.
        """
        first = None if at is None else instant(at)
        last = None if end is None else instant(end)
        if (first is None) != (self._scope == "open"):
            raise ValidationError("pass `at` where the set's scope is `start`, and none where it is `open`")
        if last is not None and last < (first or 0):
            raise ValidationError("a scope ends at or after its start")
        known = tuple(history)
        if known:
            opened = self._standings.open(first, last, known)
        elif self._template is None or (self._template[0].start, self._template[0].end) != (first, last):
            opened = self._template = self._standings.open(first, last, ())
        else:
            opened = self._template
        standing = opened[0].copy()
        decided = opened[1]
        if standing.due <= (first or 0):
            decided += self.advance(standing, first or 0)
        return standing, decided

    def missing(self, standing: Standing) -> tuple[str, ...]:
        """The conditions that were added after the standing was begun, and have to read its events: see `catch_up`."""
        self._standings.recognise(standing)
        known = self._roster.by_number
        return tuple(known[number].name for number in sorted(standing.missing) if number in known)

    def catch_up(
        self, standing: Standing, events: Iterable[Event], now: When, *, history: Iterable[Event] = ()
    ) -> tuple[Decided, ...]:
        """Have the missing conditions read what the others have read; what they come to is in the answer.

        Args:
            standing: one user's.
            events: her events since the start of her scope, in total order: all that have been read, and no more.
            now: the instant up to which the standing has been advanced.
            history: her events up to the start, as for `start`.
        """
        self._standings.recognise(standing)
        missing = standing.missing & self._roster.by_number.keys()
        standing.missing = frozenset()
        if not missing:
            return _NOTHING
        fresh, opened = self.start(standing.start, end=standing.end, history=history)
        for number in self._roster.by_number.keys() - missing:
            fresh.decide(number)
        self._standings.time(fresh)
        names = {self._roster.by_number[number].name for number in missing}
        changes = [change for change in opened if change.name in names]
        changes += self.step_many(fresh, events)
        changes += self.advance(fresh, now)
        # Counters that were shared may have stopped short of a new condition's threshold.
        standing.counts = fresh.counts
        for number in missing:
            if fresh.is_decided(number):
                standing.decide(number, satisfied=fresh.is_satisfied(number))
                continue
            standing.reopen(number)
            if number in fresh.states:
                standing.states[number] = fresh.states[number]
            if number in fresh.wakes:
                standing.wakes[number] = fresh.wakes[number]
        self._standings.time(standing)
        return tuple(changes)

    def drop(self, standing: Standing, name: str) -> None:
        """Judge a condition no more, for this user: nothing is kept for her that no other condition needs.

        Raises:
            ValidationError: the set has no such condition.
        """
        self._standings.recognise(standing)
        member = self._roster.member(name)
        standing.decide(member.number)
        for leaf in member.leaves:
            if all(map(standing.is_decided, leaf.users)):
                # A counter that has reached its end is left alone.
                standing.counts[leaf.slot] = leaf.most
        self._standings.time(standing)

    def status(self, standing: Standing, name: str) -> Status:
        """What a condition has come to for a user.

        Raises:
            ValidationError: the set has no such condition.
        """
        self._standings.recognise(standing)
        return self._standings.status(standing, self._roster.member(name))

    def pack(self, standing: Standing) -> bytes:
        """The standing as a few bytes; `unpack` reads them."""
        self._standings.recognise(standing)
        lineage = self._roster.lineage(standing.generation)
        assert lineage is not None
        return standing_packing.pack(standing, lineage[0], self._pack_state)

    def recognises(self, data: bytes) -> bool:
        """Whether this set, as it is or before further additions, packed a standing.

        Raises:
            InvariantError: the bytes are damaged.
        """
        mark, generation = standing_packing.generation_of(data)
        lineage = self._roster.lineage(generation)
        return lineage is not None and lineage[0] == mark

    def unpack(self, data: bytes) -> Standing:
        """The standing that `pack` wrote, brought up to the conditions that were added since: see `missing`.

        Raises:
            InvariantError: the bytes are damaged, or another set's: fold the user's events anew.
        """
        mark, generation = standing_packing.generation_of(data)
        lineage = self._roster.lineage(generation)
        if lineage is None or lineage[0] != mark:
            raise standing_packing.corrupt()
        standing = standing_packing.unpack(data, lineage[1])
        self._standings.time(standing)
        self._standings.recognise(standing)
        return standing

    def _pack_state(self, number: int, state: State) -> bytes | None:
        member = self._roster.by_number.get(number)
        return None if member is None or member.program is None else member.program.pack(state)

    # --- reading on --------------------------------------------------------------------------------

    def step(self, standing: Standing, event: Event) -> tuple[Decided, ...]:
        """Read an event, which sorts after the scope's start and after every event read before.

        Timers that are due at or before its instant are released first.

        Raises:
            ValidationError: something listens to it, and it has no instant.
        """
        at = event.at
        early = self.advance(standing, at) if standing.due <= at else _NOTHING
        heard = self._listeners.get(event.name) or self._roster.listen(event.name)
        if heard is None or standing.over:
            return early
        if standing.generation != self._roster.generation:
            self._standings.recognise(standing)
        if at < 0:
            raise ValidationError(f"event {quoted(event.name)} has no instant: pass `at`")
        counters, stepped = heard
        crossed = None if counters is None else counters(standing.counts, event.properties)
        if not crossed and not stepped:
            return early
        changes = list(early)
        if crossed:
            _look(standing, crossed, at, changes)
            if changes and standing.end is not None:
                self._standings.time(standing)
        if stepped:
            self._run(standing, stepped, event, changes)
        return tuple(changes) if changes else _NOTHING

    def step_many(self, standing: Standing, events: Iterable[Event]) -> tuple[Decided, ...]:
        """Read events of one user in total order."""
        return tuple(change for event in events for change in self.step(standing, event))

    def advance(self, standing: Standing, now: When) -> tuple[Decided, ...]:
        """Release every timer up to an instant; harmless early, late or twice."""
        until = now if isinstance(now, int) else instant(now)
        if standing.due > until:
            return _NOTHING
        self._standings.recognise(standing)
        changes: list[Decided] = []
        while standing.due <= until:
            at = standing.due
            for number in sorted([number for number, wake in standing.wakes.items() if wake <= at]):
                member = self._roster.by_number.get(number)
                if member is None or member.program is None:
                    standing.decide(number)
                    continue
                state = member.program.advance(self._standings.state(standing, number, member.program), at)
                self._standings.keep(standing, number, state)
                if state.status:
                    changes.append(Decided(member.name, STATUSES[state.status], at))
            if standing.end is not None and standing.end <= at:
                changes += self._standings.expire(standing, at)
            self._standings.time(standing)
        return tuple(changes)

    def _run(self, standing: Standing, stepped: tuple[Stepped, ...], event: Event, changes: list[Decided]) -> None:
        """Step the conditions that have programs."""
        bits, states, keep = standing.decided, standing.states, self._standings.keep
        again = False
        for byte, mask, number, name, program in stepped:
            if bits[byte] & mask:
                continue
            before = states.get(number)
            if before is None or before.__class__ is bytes:
                before = self._standings.state(standing, number, program)
            after = program.step(before, event)  # type: ignore[arg-type]  # what was packed has been unpacked
            if after is before:
                continue
            again |= keep(standing, number, after)
            if after.status:
                changes.append(_made(Decided, (name, STATUSES[after.status], event.at)))
        if again:
            self._standings.time(standing)


def _look(standing: Standing, crossed: list[Crossing], at: Instant, changes: list[Decided]) -> None:
    """Decide the conditions for which it matters that their counters have come so far."""
    counts, decided, satisfied = standing.counts, standing.decided, standing.satisfied
    for held, killed, undecided in crossed:
        for byte, mask, name in held:
            if not decided[byte] & mask:
                decided[byte] |= mask
                satisfied[byte] |= mask
                changes.append(_made(Decided, (name, "satisfied", at)))
        for byte, mask, name in killed:
            if not decided[byte] & mask:
                decided[byte] |= mask
                changes.append(_made(Decided, (name, "impossible", at)))
        for byte, mask, name, check in undecided:
            if not decided[byte] & mask:
                status = check(counts)
                if status:
                    decided[byte] |= mask
                    if status == SATISFIED:
                        satisfied[byte] |= mask
                    changes.append(_made(Decided, (name, STATUSES[status], at)))
