"""`by field`: one thread for each value of the field, fed with the events that carry it."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, TypeAlias

import attrs

from rewardkit.language.event import Event, Instant
from rewardkit.language.planning.plan import Chain, Choice, Guard, Judgement, Leaf, Segment, Step, Window
from rewardkit.language.running.chain import DRY, ENDS, FALSE, FOREVER, TRUE, VALUE, Evers, Part
from rewardkit.language.running.family import Slot, begun
from rewardkit.language.values.filter import look_up
from rewardkit.language.values.scalar import Key, key_of

Entry: TypeAlias = tuple[Key, int, Instant, Any]
"""A key, what is known of its thread, when time may next change that, and the thread; no thread once it is decided."""


@attrs.frozen(eq=False)
class Keys:
    """One `by` at run time.

    Its slot is `(bits, next instant at which time may change a thread, entries in the order of their keys)`.
    TRUE is for good: it holds for some key, and always will. A key that is decided stays as a mark, so that its next
    event does not begin it anew.
    """

    part: Part
    opens: frozenset[str]
    """Names of the events that open a key."""
    field: str
    followed: bool
    idle: frozenset[int]
    """Places in a thread that say nothing about what comes; see `idle_places`."""

    @property
    def initial(self) -> Slot:
        return (0, FOREVER, ())

    def fold(
        self, slot: Slot, event: Event | None, at: Instant, end: Instant, evers: Evers, anchor: Instant
    ) -> tuple[Slot, bool]:
        if event is None:
            return self._advance(slot, at, end, evers)
        part = self.part
        if event.name not in self.opens and event.name not in part.names:
            return slot, False
        bits, due, entries = slot
        key = key_of(look_up(self.field, event.properties))
        if key is None:
            return slot, False
        place = bisect_left(entries, (key,))
        known, old, rest = 0, FOREVER, entries[place:]
        if rest and rest[0][0] == key:
            _, known, old, thread = rest[0]
            if not thread:
                return slot, False
            rest = rest[1:]
        elif event.name in self.opens:
            thread, _ = begun(part, anchor, at, end, evers)
        else:
            return slot, False
        entry, ended = self._entry(key, part.run(thread, event, at, end, evers), end, evers)
        _, now, next_due, _ = entry
        if now & TRUE and not self.followed:
            return (TRUE | VALUE, FOREVER, ()), False
        kept = (entry,) if not self._is_unbegun(entry) else ()
        entries = (*entries[:place], *kept, *rest)
        if old > due or next_due <= due:
            due = min(due, next_due)
        else:
            due = min((other[2] for other in entries), default=FOREVER)
        bits |= now & (TRUE | VALUE)
        if not now & VALUE and known & VALUE and not bits & TRUE:
            bits = VALUE if any(other[1] & VALUE for other in entries) else 0
        changed = (bits, due, entries)
        return (slot if changed == slot else changed), ended

    def _advance(self, slot: Slot, at: Instant, end: Instant, evers: Evers) -> tuple[Slot, bool]:
        bits, due, entries = slot
        if at < due:
            return slot, False
        bits &= TRUE
        ends = False
        after = []
        for before in entries:
            entry = before
            if entry[2] <= at:
                entry, ended = self._entry(entry[0], self.part.run(entry[3], None, at, end, evers), end, evers)
                ends = ends or ended
            bits |= entry[1] & (TRUE | VALUE)
            if not self._is_unbegun(entry):
                after.append(entry)
        if bits & TRUE and not self.followed:
            return (TRUE | VALUE, FOREVER, ()), False
        return (bits, min((entry[2] for entry in after), default=FOREVER), tuple(after)), ends

    def _entry(self, key: Key, read: tuple[Any, int], end: Instant, evers: Evers) -> tuple[Entry, bool]:
        """What is kept for a key after a reading of its thread, and whether it ends there."""
        thread, known = read
        ended = known & ENDS != 0
        known &= VALUE | TRUE | FALSE | DRY
        if known & FALSE or (known & TRUE and known & DRY):
            return (key, known & (VALUE | TRUE), FOREVER, ()), ended
        return (key, known & (VALUE | TRUE), self.part.due(thread, end, evers), thread), ended

    def _is_unbegun(self, entry: Entry) -> bool:
        """Whether the next event would begin the very thread that is kept: an earlier one is not needed then."""
        _, known, due, thread = entry
        if known or due != FOREVER or not thread:
            return False
        initial = self.part.initial
        return all(place in self.idle or thread[place] == initial[place] for place in range(2, len(initial)))

    def due(self, slot: Slot, end: Instant, evers: Evers) -> Instant:  # noqa: ARG002 - every family is asked alike
        due: Instant = slot[1]
        return due


def idle_places(segment: Segment) -> frozenset[int]:
    """The places in a segment's thread of counters that only begin steps, at their first match and every later one."""
    counted: set[int] = set()
    beginning: set[int] = set()
    waiting: list[Step] = [segment.root]
    while waiting:
        step = waiting.pop()
        match step:
            case Leaf(slot=slot):
                counted.add(slot)
            case Chain(first=Leaf(slot=slot, least=1)):
                beginning.add(slot)
            case Chain(first=first):
                waiting.append(first)
            case Choice(terms=terms):
                waiting.extend(terms)
            case Guard(body=body) | Window(body=body) | Judgement(body=body):
                waiting.append(body)
            case _:
                pass
    return frozenset(slot + 2 for slot in beginning - counted)
