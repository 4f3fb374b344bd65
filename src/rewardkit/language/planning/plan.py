"""The plan of a program: a condition's tree, lowered to segments of numbered slots.

A *segment* is a stretch of the condition that lives in one scope under one anchor: the condition itself, every step of
a `then` but the first, and every body of an `ever`. All windows of a segment start at its anchor, so it determines the
*bound* that each closes at, and a leaf needs no more than a counter that stops at its *cut*: the bounds around it.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from rewardkit.language import tree
from rewardkit.language.event import Instant
from rewardkit.language.planning.bounds import Bound, Cut, moves
from rewardkit.language.planning.gauge import Gauge
from rewardkit.language.planning.weighing import Weigh
from rewardkit.language.values.exact import Number


@attrs.define
class Counter:
    """A slot: how many events matched, saturating at `most`."""

    matches: tuple[tree.Match, ...]
    cut: Cut
    most: int
    floor: Instant | None = None
    """What happened before it does not count."""
    followed: bool = False
    """Whether something needs the places of its matches, and not their number alone."""


@attrs.frozen
class Leaf:
    slot: int
    least: int
    cut: Cut
    followed: bool


@attrs.frozen
class Range:
    """`σ*n..m`."""

    slot: int
    least: int
    most: int
    cut: Cut
    followed: bool


@attrs.frozen
class Balance:
    """A comparison of aggregates.

    `slots` hold what is compared: one of them where it is compared with the constant `against`, flipped where it is
    taken away; otherwise those that `weigh` takes.
    """

    node: tree.Comparison
    slots: tuple[int, ...]
    against: Number | str | None
    flipped: bool
    weigh: Weigh | None
    growth: int
    """Whether it holds where its slot holds more, or less, as `dominance` numbers them."""
    cut: Cut
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
    """`body within …` or `body before …`; the cut itself is in the leaves."""

    body: Step
    bound: Bound
    followed: bool


@attrs.frozen
class Judgement:
    """`body over …`, judged when time passes its bound."""

    body: Step
    bound: Bound
    forestalled: Cut
    """By windows around it that close earlier, for some anchors."""
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
    cut: Cut
    followed: bool


@attrs.frozen
class Chain:
    """`first then …`: the threads of every later step are kept in one slot."""

    slot: int
    first: Step
    steps: tuple[Segment, ...]
    cut: Cut
    followed: bool


@attrs.frozen
class Nested:
    """A part whose body lives in scopes of its own, or that keeps more than a number: one slot of its family."""

    slot: int
    node: tree.Node
    body: Segment | None
    """The body, where it is folded and not judged over kept events."""
    names: frozenset[str]
    cut: Cut
    floor: Instant | None
    followed: bool
    whole: bool = False
    """Whether it is the whole condition, judged over all that it listens to."""


@attrs.frozen
class Run:
    """A `streak`; once it holds, every matching event is an end."""

    slot: int
    node: tree.Streak
    names: frozenset[str]
    cut: Cut
    floor: Instant | None
    followed: bool


@attrs.frozen
class Fired:
    """`satisfied(…)`: whether the shared segment was satisfied within this scope."""

    slot: int
    ever: int
    node: tree.Satisfied
    cut: Cut
    floor: Instant | None
    followed: bool


Step: TypeAlias = (
    Leaf | Range | Balance | Choice | Guard | Window | Judgement | Never | History | Chain | Nested | Run | Fired
)
Slot: TypeAlias = Counter | Gauge | Chain | History | Nested | Run | Fired


@attrs.define(eq=False)
class Segment:
    """One scope's worth of a condition; `number` is its place among the plan's segments."""

    number: int
    followed: bool
    slots: list[Slot | None] = attrs.field(factory=list)
    root: Step = attrs.field(factory=Never)
    bounds: tuple[Bound, ...] = ()
    """Of its windows; offsets alone are in order."""
    names: frozenset[str] = frozenset()
    """Names of the events that can change a state of this segment."""
    frame: tree.Span | None = None
    """What each of its threads' scopes lasts, counted from the anchor, where these end by themselves."""
    asks: bool = False
    """Whether it asks what is known of a shared segment."""

    @property
    def ordered(self) -> bool:
        """Whether its windows close in one order whatever the anchor, so that its phase is how many have closed."""
        return all(isinstance(bound, int) for bound in self.bounds)

    @property
    def calendar(self) -> tuple[tree.Calendar, ...]:
        """Those of its bounds that the calendar decides."""
        return tuple(bound for bound in self.bounds if isinstance(bound, tree.Calendar))

    @property
    def anchored(self) -> bool:
        """Whether a window counts from its anchor."""
        return any(map(moves, self.bounds))

    @property
    def last_phase(self) -> int:
        """The phase in which all windows have closed: their number, or a bit for each of them."""
        return len(self.bounds) if self.ordered else (1 << len(self.bounds)) - 1

    def closed(self, cut: Cut, phase: int) -> bool:
        """Whether one of some bounds has closed in a phase."""
        places = [self.bounds.index(bound) for bound in cut]
        return any(phase > place if self.ordered else phase >> place & 1 for place in places)

    @property
    def listens(self) -> bool:
        """Whether some slot has to be told an event's name."""
        return any(isinstance(slot, Chain | Nested | Run) for slot in self.slots)


@attrs.define(eq=False)
class Plan:
    """Segments in an order in which each comes after those that it needs."""

    segments: list[Segment] = attrs.field(factory=list)
    evers: list[Segment] = attrs.field(factory=list)
    """Shared segments: the bodies of `ever` and of `satisfied`."""
    derived: dict[int, bool] = attrs.field(factory=dict)
    """Which of them are bodies of `satisfied`, and whether these are judged over all known history."""
    remembered: bool = False
    """Whether the whole condition is judged anew over what it has listened to."""
    root: Segment = attrs.field(factory=lambda: Segment(0, followed=False))
    anchored: bool = False
    """Whether a window starts at the scope's own start, which an open scope does not have."""
    zone: str = "UTC"
