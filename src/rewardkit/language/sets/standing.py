"""Where one user stands in every condition of a set: a few bytes of counters, and the states of the rest."""

from __future__ import annotations

from array import array
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from rewardkit.language.event import Instant, moment
from rewardkit.language.running.chain import FOREVER
from rewardkit.language.running.state import State

Status: TypeAlias = Literal["pending", "satisfied", "impossible"]


class Decided(NamedTuple):
    """A condition that became satisfied or impossible for a user."""

    name: str
    """As it was added under."""
    status: Status
    at: Instant
    """Of the reading that decided it: microseconds since 1970 UTC."""

    @property
    def decided_at(self) -> datetime:
        """The same, as an aware datetime in UTC."""
        return moment(self.at)


def code_of(counts: bytearray | array[int]) -> str:
    """How wide the counters are: `B`, one byte each, or an array's type code."""
    return "B" if isinstance(counts, bytearray) else counts.typecode


class Standing:
    """One user's slice of a condition set's state; the set makes it and changes it in place.

    Attributes:
        wake_at: the earliest instant at which time alone may decide something, or None.
    """

    __slots__ = (
        "counts",
        "decided",
        "due",
        "end",
        "generation",
        "missing",
        "over",
        "satisfied",
        "start",
        "states",
        "wakes",
    )

    def __init__(self, start: Instant | None, end: Instant | None, generation: int) -> None:
        self.start = start
        self.end = end
        self.generation = generation
        """How many conditions had been added to the set when this was last brought up to it."""
        # Byte arrays hold no references, and the garbage collector does not walk them.
        self.counts: bytearray | array[int] = bytearray()
        self.decided = bytearray()
        """A bit a condition: there is nothing more to learn."""
        self.satisfied = bytearray()
        self.missing: frozenset[int] = frozenset()
        """Conditions that were added later, and have not read what came before."""
        self.states: dict[int, State | bytes] = {}
        """Of the conditions with programs that have left their opening; packed until one of their events comes."""
        self.wakes: dict[int, Instant] = {}
        self.over = False
        """Whether the scope's end has been read."""
        self.due: Instant = 0

    @property
    def wake_at(self) -> Instant | None:
        """Microseconds since 1970 UTC."""
        return None if self.due == FOREVER else self.due

    def is_decided(self, number: int) -> bool:
        """Whether a condition has been decided, or taken out, for this user."""
        return bool(self.decided[number >> 3] >> (number & 7) & 1)

    def is_satisfied(self, number: int) -> bool:
        """Whether a condition has been decided in the user's favour."""
        return bool(self.satisfied[number >> 3] >> (number & 7) & 1)

    def decide(self, number: int, *, satisfied: bool = False) -> None:
        """Nothing about a condition matters any more but what it came to."""
        byte, mask = number >> 3, 1 << (number & 7)
        self.decided[byte] |= mask
        if satisfied:
            self.satisfied[byte] |= mask
        else:
            self.satisfied[byte] &= ~mask
        self.states.pop(number, None)
        self.wakes.pop(number, None)

    def reopen(self, number: int) -> None:
        """Forget what a condition came to."""
        self.decided[number >> 3] &= ~(1 << (number & 7))
        self.satisfied[number >> 3] &= ~(1 << (number & 7))

    def grow(self, generation: int, slots: int, code: str) -> None:
        """Make room for conditions and counters that were added."""
        if code_of(self.counts) != code:
            self.counts = array(code, list(self.counts))
        self.counts.extend([0] * (slots - len(self.counts)))
        for bits in (self.decided, self.satisfied):
            bits.extend(bytes((generation + 7 >> 3) - len(bits)))
        self.generation = generation

    def copy(self) -> Standing:
        """Another user's, who stands where this one does."""
        made = Standing(self.start, self.end, self.generation)
        made.counts, made.missing, made.over, made.due = self.counts[:], self.missing, self.over, self.due
        made.decided, made.satisfied = self.decided[:], self.satisfied[:]
        made.states, made.wakes = self.states.copy(), self.wakes.copy()
        return made
