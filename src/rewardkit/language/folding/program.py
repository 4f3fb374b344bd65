"""Conditions, compiled: fold a user's events one by one, and never look back.

`compile_program` turns a tree into straight-line Python over a dense tuple of slots. `step` and `advance` are pure:
they return a new state, or the very same object where nothing changed, so that the caller can skip writing it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rewardkit.errors import InvariantError, ValidationError
from rewardkit.language import tree
from rewardkit.language.civil import zone_named
from rewardkit.language.descent import descend
from rewardkit.language.diagnostic import quoted
from rewardkit.language.encoding import packing
from rewardkit.language.event import LATEST, Event, Instant, When, instant, moment
from rewardkit.language.folding.merging import Mergeable
from rewardkit.language.folding.partial import Stretches
from rewardkit.language.folding.reachability import Outlook, plainly_exact, tabled
from rewardkit.language.planning.lowering import lower
from rewardkit.language.planning.plan import Counter, Slot
from rewardkit.language.reasons import causes
from rewardkit.language.reasons.missing import missing
from rewardkit.language.running import shared
from rewardkit.language.running.chain import FALSE, FOREVER, VALUE
from rewardkit.language.running.dominance import Thread
from rewardkit.language.running.remembered import Remembered
from rewardkit.language.running.state import IMPOSSIBLE, PENDING, SATISFIED, State, decided
from rewardkit.language.syntax.canonical import fingerprint, structure
from rewardkit.language.verdict import Mode, Verdict
from rewardkit.language.writing.parts import build
from rewardkit.language.writing.waiting import waits
from rewardkit.language.zoning import UTC, zone_of

__all__ = ["IMPOSSIBLE", "PENDING", "SATISFIED", "Program", "State", "compile_program"]


class Program(Mergeable):
    """A condition ready to fold. Made by `compile_program`.

    Attributes:
        names: the events that it listens to.
        zone: IANA name of the zone of its calendar; UTC where it has none.
        fingerprint: eight bytes that identify the meaning a packed state belongs to.
        uses_history: whether it contains `ever`, so that `start` needs what came before.
        repeats: whether a step of a state without a timer depends on that state and the event's name alone, so that
            one user's step is every user's: the condition has no windows, steps, filters or `ever`.
    """

    mode: ClassVar[Mode] = "latch"

    def __init__(self, node: tree.Node, text: str, zone: str = UTC, *, bare: bool = False) -> None:
        """`bare` leaves the table of reachable states out, for the program that it is made with."""
        plan = lower(node, zone)
        self.node = node
        self.plan = plan
        self.zone = zone
        self.fingerprint = fingerprint(text)
        self.names = plan.root.names
        self.uses_history = any(plan.derived.get(number, True) for number in range(len(plan.evers)))
        if plan.remembered:
            self.uses_history = any(isinstance(part, tree.Ever) for part in descend(node))
        self._parts = build(plan)
        self._root = self._parts[plan.root.number]
        self._run = self._root.run
        self._evers = tuple(
            self._parts[segment.number]
            if number not in plan.derived
            else shared.Derived(self._parts[segment.number], plan.derived[number])
            for number, segment in enumerate(plan.evers)
        )
        self._timed = any(waits(segment.root) for segment in plan.segments)
        self._causes = causes.Causes(self.names)
        self._stretches = Stretches(node, self.fingerprint)
        self._plainly_exact = plainly_exact(node)
        self._outlook = None if bare or self._plainly_exact or not tabled(node) else Outlook(node, plan)
        self._packing = packing.Packing(plan, self.fingerprint, self._causes.many)
        self.repeats = self._packing.flat and all(map(_repeats, plan.root.slots))

    @property
    def exact(self) -> bool:
        """Whether every impossible state is found, by a table of all states where needed, and not only some."""
        return self._plainly_exact or (self._outlook is not None and self._outlook.table.exact)

    def start(self, at: When | None, *, end: When | None = None, history: Iterable[Event] = ()) -> State:
        """The state at the opening of a scope, read once there.

        Args:
            at: the scope's start, and the anchor of its windows; None opens it before everything.
            end: the scope's end; what is pending then is impossible.
            history: what `ever` sees before the scope: events up to and including the starting position, in total
                order. Only read where `uses_history`.

        Raises:
            ValidationError: for an end before the start, or a window that needs a start where there is none.
        """
        if at is None and self.plan.anchored:
            raise ValidationError("a window that starts with the scope needs a start: put it to the right of a `then`")
        start = 0 if at is None else _microseconds(at)
        if not 0 <= start <= LATEST:
            raise ValidationError(f"a scope starts in the years 1970 to 9000, not at `{start}`")
        end = None if end is None else _microseconds(end)
        if end is not None and end < start:
            raise ValidationError("a scope ends at or after its start")
        limit = FOREVER if end is None else end
        # Counters do not care when they began; forgetting it makes equal states of all users equal bytes.
        anchor = 0 if self._packing.flat else start
        root: Thread = (anchor, *self._root.initial[1:])
        evers = shared.opened(self._evers, start)
        if self.plan.remembered:
            known_before = history if self.uses_history else ()
            root = (anchor, 0, Remembered.of(self.node, self.zone).opened(known_before, anchored=at is not None))
        if self.uses_history and evers:
            root, evers = self._remember(root, evers, history, start, limit)
        evers, known = shared.read(self._evers, evers, None, start, limit, scope="inside" if at is None else "opening")
        root, bits = self._root.run(root, None, start, limit, known)
        state = self._conclude(None, root, evers, bits, known, start, anchor, end, causes.OPENING)
        return self.advance(state, start)

    def step(self, state: State, event: Event) -> State:
        """The state after an event, which sorts after the start and after every event before it.

        Timers that are due at or before its instant are released first.

        Raises:
            ValidationError: it has no instant.
        """
        if state.status:
            return state
        at = event.at
        wake_at = state.wake_at
        if wake_at is not None and wake_at <= at:
            state = self.advance(state, at)
            if state.status:
                return state
        if event.name not in self.names:
            return state
        if at < 0:
            raise ValidationError(f"event {quoted(event.name)} has no instant: pass `at`")
        end = state.end
        limit = FOREVER if end is None else end
        if state.evers:
            root, evers, bits, known = self._fold(state.root, state.evers, event, at, limit)
            if root is state.root and evers is state.evers:
                return state
        else:
            root, bits = self._run(state.root, event, at, limit, ())
            if root is state.root:
                return state
            evers, known = (), ()
        cause = self._causes.numbers.get(event.name, self._causes.other)
        return self._conclude(state, root, evers, bits, known, at, state.start, end, cause)

    def advance(self, state: State, now: When) -> State:
        """The state at an instant, with every timer up to it released; harmless early, late or twice."""
        until = _microseconds(now)
        while not state.status and state.wake_at is not None and state.wake_at <= until:
            at, end = state.wake_at, state.end
            root, evers, bits, known = self._fold(state.root, state.evers, None, at, FOREVER if end is None else end)
            state = self._conclude(state, root, evers, bits, known, at, state.start, end, causes.DEADLINE)
            if not state.status and at == end:
                return self._expire(state, at)
            if state.wake_at is not None and state.wake_at <= at:
                raise InvariantError(f"a timer at {at} changes nothing: please report the condition and its events")
        return state

    def verdict(self, state: State) -> Verdict:
        """The state's verdict, in words."""
        if state.status == PENDING:
            wake_at = None if state.wake_at is None else moment(state.wake_at)
            return Verdict("pending", None, "; ".join(missing(self.plan, state)), wake_at, self.exact)
        at = state.decided_at or 0
        reason = self._causes.sentence(state.cause, state.status, at)
        return Verdict("satisfied" if state.status == SATISFIED else "impossible", moment(at), reason, exact=self.exact)

    def pack(self, state: State) -> bytes:
        """The state as a few bytes; `unpack` reads them."""
        return self._packing.pack(state)

    def unpack(self, data: bytes) -> State:
        """The state that `pack` wrote.

        Raises:
            InvariantError: for bytes that this program did not write.
        """
        return self._packing.unpack(data)

    def _fold(
        self, root: Thread, evers: tuple[Thread, ...], event: Event | None, at: Instant, end: Instant
    ) -> tuple[Thread, tuple[Thread, ...], int, tuple[int, ...]]:
        """One reading: the new threads, the root's bits, and those of every `ever`."""
        known: tuple[int, ...] = ()
        if evers:
            evers, known = shared.read(self._evers, evers, event, at, end)
        root, bits = self._root.run(root, event, at, end, known)
        return root, evers, bits, known

    def _conclude(
        self,
        before: State | None,  # noqa: ARG002 - other modes go on from it
        root: Thread,
        evers: tuple[Thread, ...],
        bits: int,
        known: tuple[int, ...],
        at: Instant,
        start: Instant,
        end: Instant | None,
        cause: int,
    ) -> State:
        """The state after a reading, from what is known at it and, in other modes, from the state before."""
        if bits & VALUE:
            return decided(SATISFIED, at, cause)
        if bits & FALSE or (self._outlook is not None and self._outlook.hopeless(root)):
            return decided(IMPOSSIBLE, at, cause)
        return State(PENDING, None, 0, start, end, self._wake(root, evers, known, end), root, evers)

    def _expire(self, state: State, at: Instant) -> State:  # noqa: ARG002 - other modes go on from it
        """The state at the end of its scope, where its last reading left it open."""
        return decided(IMPOSSIBLE, at, causes.EXPIRED)

    def _wake(
        self, root: Thread, evers: tuple[Thread, ...], known: tuple[int, ...], end: Instant | None
    ) -> Instant | None:
        if not self._timed:
            return end
        due = self._due(root, evers, known, FOREVER if end is None else end)
        return end if due == FOREVER or (end is not None and due > end) else due

    def _due(self, root: Thread, evers: tuple[Thread, ...], known: tuple[int, ...], end: Instant) -> Instant:
        due = self._root.due(root, end, known)
        return min(due, shared.due(self._evers, evers, end, known)) if evers else due

    def _remember(
        self, root: Thread, evers: tuple[Thread, ...], history: Iterable[Event], start: Instant, end: Instant
    ) -> tuple[Thread, tuple[Thread, ...]]:
        """What `ever` makes of the time before the scope, which the rest of the condition does not see."""
        root, evers, _, known = self._glance(root, evers, None, 0, end)
        for event in history:
            if event.at > start:
                raise ValidationError(f"event `{event.id}` of the history lies after the scope's start")
            root, evers, known = self._release(root, evers, known, event.at, end)
            root, evers, _, known = self._glance(root, evers, event, event.at, end)
        root, evers, _ = self._release(root, evers, known, start, end)
        return root, evers

    def _release(
        self, root: Thread, evers: tuple[Thread, ...], known: tuple[int, ...], until: Instant, end: Instant
    ) -> tuple[Thread, tuple[Thread, ...], tuple[int, ...]]:
        released = -1
        while True:
            due = min(self._root.due(root, end, known), shared.due(self._evers, evers, end, known, before=True))
            if due > until:
                return root, evers, known
            if due <= released:
                raise InvariantError(f"a timer at {due} changes nothing: please report the condition and its events")
            released = due
            root, evers, _, known = self._glance(root, evers, None, due, end)

    def _glance(
        self, root: Thread, evers: tuple[Thread, ...], event: Event | None, at: Instant, end: Instant
    ) -> tuple[Thread, tuple[Thread, ...], int, tuple[int, ...]]:
        evers, known = shared.read(self._evers, evers, event, at, end, scope="before")
        root, bits = self._root.run(root, None, at, end, known)
        return root, evers, bits, known


def _microseconds(value: When) -> Instant:
    return value if isinstance(value, int) else instant(value)


def _repeats(slot: Slot | None) -> bool:
    return isinstance(slot, Counter) and slot.floor is None and all(match.where is None for match in slot.matches)


_PROGRAMS: dict[str, Program] = {}
_MOST_PROGRAMS = 16_384  # more than a store defines; the oldest is dropped beyond it


def compile_program(node: tree.Node, zone: str = UTC, kind: type[Program] = Program) -> Program:
    """The program of a condition; one for the same structure, kind, and zone where that matters.

    Raises:
        ValidationError: for an operator that this version does not evaluate, or a zone that is unknown.
    """
    zone_named(zone)
    zone = zone_of(node, zone)
    text = structure(node)
    if zone != UTC:
        text = f"{text} in {zone}"
    if kind is not Program:
        text = f"{text} as {kind.__name__}"
    program = _PROGRAMS.get(text)
    if program is None:
        program = kind(node, text, zone)
        if len(_PROGRAMS) >= _MOST_PROGRAMS:
            _PROGRAMS.pop(next(iter(_PROGRAMS)), None)
        _PROGRAMS[text] = program
    return program


def bare_program(node: tree.Node, zone: str = UTC) -> Program:
    """A program that knows the local rule alone."""
    return Program(node, structure(node), zone, bare=True)
