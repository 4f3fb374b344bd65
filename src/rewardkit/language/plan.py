"""The plan of a program: a condition's tree, lowered to segments of numbered slots.

A *segment* is a stretch of the condition that lives in one scope under one anchor: the condition itself, every step of
a `then` but the first, and every body of an `ever`. All windows of a segment start at its anchor, so each has a fixed
offset from it, and a leaf needs no more than a counter that stops at its *cut*: the least offset around it.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from rewardkit.language import tree

Offset: TypeAlias = int
"""Microseconds from the segment's anchor."""


@attrs.define
class Counter:
    """A slot: how many events matched, saturating at `most`."""

    matches: tuple[tree.Match, ...]
    cut: Offset | None
    most: int
    followed: bool = False
    """Whether something needs the places of its matches, and not their number alone."""


@attrs.frozen
class Leaf:
    slot: int
    least: int
    cut: Offset | None
    followed: bool


@attrs.frozen
class Choice:
    """At least `least` of `terms`: all of them for `&`, one for `|`."""

    least: int
    terms: tuple[Step, ...]
    followed: bool


@attrs.frozen
class Guard:
    """`!body`."""

    body: Step


@attrs.frozen
class Window:
    """`body within offset`; the cut itself is in the leaves."""

    body: Step
    offset: Offset
    followed: bool


@attrs.frozen
class Judgement:
    """`body over offset`, judged when time passes it."""

    body: Step
    offset: Offset
    followed: bool
    absence: bool
    """Written as `no … within …`."""


@attrs.frozen
class Never:
    """An `over` whose close lies beyond an enclosing window's end."""


@attrs.frozen
class History:
    """The body of an `ever`, kept once for the whole program; `slot` holds its value once a window has cut it."""

    ever: int
    slot: int | None
    cut: Offset | None
    followed: bool


@attrs.frozen
class Chain:
    """`first then …`: the threads of every later step are kept in one slot."""

    slot: int
    first: Step
    steps: tuple[Segment, ...]
    cut: Offset | None
    followed: bool


Step: TypeAlias = Leaf | Choice | Guard | Window | Judgement | Never | History | Chain
Slot: TypeAlias = Counter | Chain | History


@attrs.define(eq=False)
class Segment:
    """One scope's worth of a condition; `number` is its place among the plan's segments."""

    number: int
    followed: bool
    slots: list[Slot | None] = attrs.field(factory=list)
    root: Step = attrs.field(factory=Never)
    offsets: tuple[Offset, ...] = ()
    names: frozenset[str] = frozenset()
    """Names of the events that can change a state of this segment."""

    @property
    def chains(self) -> list[Chain]:
        return [slot for slot in self.slots if isinstance(slot, Chain)]


@attrs.define(eq=False)
class Plan:
    """Segments in an order in which each comes after those that it needs."""

    segments: list[Segment] = attrs.field(factory=list)
    evers: list[Segment] = attrs.field(factory=list)
    root: Segment = attrs.field(factory=lambda: Segment(0, followed=False))
    anchored: bool = False
    """Whether a window starts at the scope's own start, which an open scope does not have."""
