"""The claims of an explanation, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product

import attrs

from rewardkit.language import civil
from rewardkit.language.descent import descend
from rewardkit.language.event import Event, Instant, Position
from rewardkit.language.explaining.checker.amount import chosen
from rewardkit.language.explaining.checker.meaning import true
from rewardkit.language.explaining.checker.outlook import decision, moments, outlook
from rewardkit.language.explaining.checker.view import FIRST, Mark, View, late, mark, tick
from rewardkit.language.explaining.explanation import Explanation
from rewardkit.language.positive import positive_part
from rewardkit.language.samples.alphabet import alphabet
from rewardkit.language.tree import By, Calendar, Match, Node, Streak
from rewardkit.language.verdict import Mode

_MOST_MORE = 4
"""Events that are tried to find out whether a condition without windows may still hold."""
_MOST_SUBSETS = 64
"""Sub-histories that a proof is tried on; past it, those that leave out, or add, one event."""


def objections(
    node: Node,
    explanation: Explanation,
    events: Iterable[Event],
    start: Position | Instant | None,
    now: Instant,
    end: Instant | None = None,
    *,
    zone: str = "UTC",
    mode: Mode = "latch",
) -> tuple[str, ...]:
    """What is wrong with an explanation of a verdict on a history; nothing where it is justified."""
    known = tuple(sorted({event.id: event for event in events}.values(), key=mark))
    return tuple(_Checker(node, explanation, known, start, now, end, zone, mode).found())


class _Checker:
    def __init__(
        self,
        node: Node,
        explanation: Explanation,
        events: tuple[Event, ...],
        start: Position | Instant | None,
        now: Instant,
        end: Instant | None,
        zone: str,
        mode: Mode,
    ) -> None:
        position = start if isinstance(start, Position) else Position(start) if start is not None else None
        self.node, self.explanation, self.mode, self.end = node, explanation, mode, end
        self.begin = 0 if position is None else position.at
        self.now = max(now, self.begin)
        low = FIRST if position is None else (position.at, 1, position.order, position.id)
        inside = [event for event in events if end is None or event.at < end or mark(event) <= low]
        self.known = tuple(event for event in inside if event.at <= self.now)
        anchor = None if position is None else position.at
        self.view = View(self.known, low, late(self.now), anchor, end, zone, (low, anchor), end, late(self.now))

    def found(self) -> Iterator[str]:
        status = self.explanation.status
        if self.mode == "latch":
            yield from self._latched()
        elif self.mode == "live":
            yield from self._live()
        else:
            yield from self._final()
        if status == "satisfied":
            yield from self._proof()
        elif self.explanation.event_ids:
            yield "only a satisfied verdict is proved by events"
        if status == "pending":
            yield from self._waiting()
        elif self.explanation.needs or self.explanation.missing:
            yield "what is decided needs nothing more"
        if (self.explanation.progress == 1.0) != (status == "satisfied") or not 0 <= self.explanation.progress <= 1:
            yield "progress is 1 where it is satisfied, and nowhere else"

    # --- the verdict ---

    def _latched(self) -> Iterator[str]:
        told = self.explanation
        found = self._first_decision()
        if told.by_table and told.status == "impossible":
            yield from self._tabled(found)
            return
        if found is None:
            if told.status != "pending" or told.decided_at is not None:
                yield "nothing has been decided"
            return
        status, place = found
        if (status, place[0]) != (told.status, told.decided_at):
            yield f"it was {status} at {place[0]}"
        elif status == "impossible":
            yield from self._culprit(place)

    def _tabled(self, found: tuple[str, Mark] | None) -> Iterator[str]:
        """No part is impossible by itself: nothing that a few more events can be may satisfy the whole."""
        told = self.explanation
        opening = max(self.view.low, tick(self.begin))
        killers = [mark(event) for event in self.known if event.id == told.killed_by]
        place = next(iter(killers), opening)
        if told.decided_at != place[0] or (not killers and told.killed_by != place[0]):
            yield "nothing was read at that instant"
        elif found is not None and found[1] <= place:
            yield f"it was {found[0]} at {found[1][0]}"
        elif self._satisfiable(place):
            yield "more events may satisfy it"

    def _satisfiable(self, place: Mark) -> bool:
        """Whether a few events after a place satisfy the condition, which looks at their order alone."""
        letters = alphabet([self.node]).letters
        past = [event for event in self.known if mark(event) <= place]
        for many in range(_MOST_MORE + 1):
            for some in product(letters, repeat=many):
                more = [one.event(place[0] + 1 + number, number) for number, one in enumerate(some)]
                at = place[0] + many
                view = attrs.evolve(self._at(late(at)), known=(*past, *more))
                if true(self.node, view, at):
                    return True
        return False

    def _first_decision(self) -> tuple[str, Mark] | None:
        found = decision(self.node, self.view)
        if self.end is not None and self.now >= self.end:
            ending = max(tick(self.end), self.view.low, tick(self.begin))
            if found is None or found[1] > ending:
                return "impossible", ending
        return None if found is None else ("satisfied" if found[0] else "impossible", found[1])

    def _at(self, place: Mark) -> View:
        return attrs.evolve(self.view, high=place, reading=place)

    def _live(self) -> Iterator[str]:
        told = self.explanation
        at, place = self._decisive()
        hopeless = self._hopeless()
        if (told.status == "impossible") != (hopeless is not None):
            yield "it may still hold" if hopeless is None else f"it never will hold from {hopeless[0]} on"
        elif hopeless is not None:
            if told.decided_at != hopeless[0]:
                yield f"it never will hold from {hopeless[0]} on"
            yield from self._culprit(hopeless)
        elif (told.status == "satisfied") != true(self.node, self._at(place), at):
            yield "it does not hold now" if told.status == "satisfied" else "it holds now"
        elif told.decided_at != (self._since() if told.status == "satisfied" else None):
            yield "it has held since another instant"

    def _since(self) -> Instant | None:
        """The first of the last readings in a row at which it holds."""
        since: Instant | None = None
        for place in self._places():
            if not true(self.node, self._at(place), place[0]):
                since = None
            elif since is None:
                since = place[0]
        return since

    def _hopeless(self) -> Mark | None:
        """Where it was first known that it never holds again; the end is one where it does not hold at it."""
        for place in self._places():
            then = self._at(place)
            if not true(self.node, then, place[0]) and not outlook(self.node, then, place[0]).may_hold:
                return place
        last, place = self._decisive()
        return place if last == self.end and not true(self.node, self._at(place), last) else None

    def _final(self) -> Iterator[str]:
        told = self.explanation
        if self.end is None or self.now < self.end:
            if told.status != "pending":
                yield "it is judged at the end"
            return
        held = true(self.node, self._at(tick(self.end)), self.end)
        if told.status != ("satisfied" if held else "impossible") or told.decided_at != self.end:
            yield "at the end it was otherwise"

    def _places(self) -> list[Mark]:
        """Everywhere that it was read, in order."""
        opening = max(self.view.low, tick(self.begin))
        times = {tick(at) for at in moments(self.node, self.view) if self.begin < at <= self.now}
        marks = times | {mark(event) for event in self.known if mark(event) > self.view.low}
        if self.end is None or self.end > self.now:
            return [opening, *sorted(place for place in marks if place > opening)]
        ending = max(tick(self.end), self.view.low)
        # A scope that ends where it opens is read at both all the same.
        return [opening, *sorted(place for place in marks if opening < place < ending), ending]

    def _culprit(self, place: Mark) -> Iterator[str]:
        killer = self.explanation.killed_by
        if isinstance(killer, str):
            if [event.id for event in self.view.seen() if mark(event) == place] != [killer]:
                yield f"event `{killer}` did not decide it"
        elif killer != place[0] or any(mark(event) == place for event in self.view.seen()):
            yield "no deadline decided it"

    # --- the proof ---

    def _proof(self) -> Iterator[str]:
        named = [event for event in self.known if event.id in self.explanation.event_ids]
        if tuple(event.id for event in named) != self.explanation.event_ids:
            yield "the proof names events that are not there, or not in their order"
            return
        at, place = self._decisive()
        relevant = [event for event in self.known if mark(event) <= place]
        if any(event not in relevant for event in named):
            yield "the proof names events that came later"
        spare = [event for event in relevant if event not in named]
        if not all(self._holds_on([*named, *some], at, place) for some in _subsets(spare)):
            yield "the events named do not suffice"
        if positive_part(self.node) == self.node:
            for one in named:
                if self._holds_on([event for event in named if event is not one], at, place):
                    yield f"event `{one.id}` is idle"
        yield from self._absent(place)

    def _decisive(self) -> tuple[Instant, Mark]:
        if self.mode != "latch" and self.end is not None and self.now >= self.end:
            return self.end, max(tick(self.end), self.view.low)
        if self.mode == "live":
            return self.now, late(self.now)
        found = self._first_decision()
        return (self.now, late(self.now)) if found is None else (found[1][0], found[1])

    def _holds_on(self, events: Sequence[Event], at: Instant, place: Mark) -> bool:
        some = attrs.evolve(self._at(place), known=tuple(sorted(events, key=mark)))
        return true(self.node, some, at)

    def _absent(self, place: Mark) -> Iterator[str]:
        for absence in self.explanation.absences:
            if absence.upto > place:
                yield "an absence is claimed for a time that had not passed"
            elif absence.matches and self._counted(absence.matches, absence.after, absence.upto) >= absence.fewer_than:
                yield f"{absence.what} did happen"

    def _counted(self, matches: Sequence[Match], after: Mark, upto: Mark) -> int:
        """How many there are in a stretch; under `by`, where only a key's count, as few as may be."""
        if any(isinstance(part, By) for part in descend(self.node)):
            return 0
        return len(chosen(matches, [event for event in self.known if after < mark(event) <= upto]))

    # --- what is missing ---

    def _future(self) -> set[Instant]:
        found = moments(self.node, self.view) | ({self.end} if self.end is not None else set())
        zone = self.view.zone
        for part in descend(self.node):
            if isinstance(part, Streak) and isinstance(part.span, Calendar):
                edge = self.now
                for _ in range(part.span.count + 1):
                    edge = civil.bucket(edge, part.span.unit, zone)[1]
                    found.add(edge)
        return {at for at in found if at > self.now}

    def _waiting(self) -> Iterator[str]:
        told = self.explanation
        future = self._future()
        for need in told.needs:
            if need.by is not None and need.by <= self.now:
                yield "what is needed is too late already"
            if need.until is not None and need.until not in future:
                yield "an instant is waited for at which nothing changes"
        if told.wake_at is not None and told.wake_at not in future:
            yield "nothing changes at the next deadline"
        for at in sorted(future):
            if self.mode != "latch" or (told.wake_at is not None and at >= told.wake_at):
                break
            then = self._at(tick(at))
            if at == self.end or true(self.node, then, at) or not outlook(self.node, then, at).may_hold:
                yield "time alone decides before the next deadline"
        for leaf in told.leaves:
            if leaf.matches and leaf.begun:
                count = self._counted(leaf.matches, leaf.after, leaf.upto)
                if count and leaf.have != min(count, leaf.need):
                    yield f"of `{leaf.text}` there are {count}"


def _subsets(spare: list[Event]) -> Iterator[list[Event]]:
    if 2 ** len(spare) <= _MOST_SUBSETS:
        for many in range(len(spare) + 1):
            yield from (list(some) for some in combinations(spare, many))
        return
    yield []
    yield spare
    for one in spare:
        yield [one]
        yield [event for event in spare if event is not one]
