"""The search for histories: breadth first over the states of programs, by the number of events, with capped work.

Time passes for nothing: each history is also looked at at every instant at which time alone may change something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import attrs

from rewardkit.language import tree
from rewardkit.language.analysing.moments import Setting, near, phases
from rewardkit.language.event import Event, Instant
from rewardkit.language.folding.program import PENDING, Program, State, compile_program
from rewardkit.language.samples.alphabet import Alphabet, alphabet

MOST_STEPS = 10_000
"""Events that one search folds: a fraction of a second."""
MOST_SPREAD = 2_000
"""Of these, those that are spread in time, which takes longer."""
MOST_LAPSES = 256
"""Instants that are looked at while nothing happens."""
_BEFORE_MICROSECONDS = 86_400_000_000
"""How far before a scope what `ever` remembers is made up to have happened: a day."""

States: TypeAlias = tuple[State, ...]
Goal: TypeAlias = Callable[[States], bool]
"""Whether the states of all programs after one reading are what is looked for."""


@attrs.frozen
class Course:
    """A history that leads to what was looked for, and the instant at which it does."""

    events: tuple[Event, ...]
    at: Instant


@attrs.frozen
class Found:
    """What a search came to; without a course, `complete` says that there is none."""

    course: Course | None
    complete: bool
    """Whether every history was looked at, in kind."""


@attrs.define(eq=False)
class Work:
    """Steps that are left; one amount for several searches."""

    steps: int = MOST_STEPS


@attrs.frozen(eq=False)
class _Node:
    states: States
    now: Instant
    depth: int
    parent: _Node | None = None
    event: Event | None = None

    def events(self) -> tuple[Event, ...]:
        found: list[Event] = []
        node: _Node | None = self
        while node is not None:
            if node.event is not None:
                found.append(node.event)
            node = node.parent
        return tuple(reversed(found))


class Search:
    """Looks for histories of one or several conditions that are folded side by side.

    Raises:
        ValidationError: for a name that was not inlined, or a window that has no start.
    """

    def __init__(self, nodes: Sequence[tree.Node], setting: Setting) -> None:
        self.nodes = tuple(nodes)
        self.setting = setting
        self.programs: tuple[Program, ...] = tuple(compile_program(node, setting.zone) for node in nodes)
        self.alphabet: Alphabet = alphabet(nodes)
        self.phases = phases(nodes, setting)
        self._uses_history = setting.start is not None and any(program.uses_history for program in self.programs)

    def find(self, goal: Goal, work: Work, *, at_last: bool = False, tied: bool = False) -> Found:
        """A history with the fewest events that reaches a goal.

        Args:
            goal: asked after each reading.
            work: what may be spent.
            at_last: asks the goal only where time alone will change nothing more.
            tied: events of one instant are known to do all that others could.
        """
        if self.phases is not None or tied:
            return self._breadth_first(goal, work, self.phases or (self.setting.begin,), None, at_last=at_last)
        half = Work(work.steps // 2)
        spent = half.steps
        together = self._breadth_first(goal, half, (self.setting.begin,), None, at_last=at_last)
        work.steps -= spent - half.steps
        limit = None if together.course is None else len(together.course.events)
        if limit == 0:
            return together
        few = Work(min(work.steps, MOST_SPREAD))
        spent = few.steps
        apart = self._breadth_first(goal, few, None, limit, at_last=at_last)
        work.steps -= spent - few.steps
        return Found(apart.course or together.course, complete=False)

    def reaches(self, events: Sequence[Event], goal: Goal, *, at_last: bool = False) -> Instant | None:
        """The instant at which a history, in total order, reaches a goal: at its last event or later."""
        begin = self.setting.begin
        past = tuple(event for event in events if event.at < begin) if self._uses_history else ()
        states, now = self._start(past), begin
        for event in events[len(past) :]:
            now = event.at
            states = tuple(
                program.step(program.advance(state, now), event)
                for program, state in zip(self.programs, states, strict=True)
            )
        course = self._reached(_Node(states, now, 0), goal, at_last=at_last)
        return None if course is None else course.at

    def _breadth_first(
        self, goal: Goal, work: Work, instants: tuple[Instant, ...] | None, limit: int | None, *, at_last: bool
    ) -> Found:
        """`instants` are tried for every event, or those near it where None; `limit` is too many events."""
        queue, complete = self._openings(work)
        complete &= self.alphabet.complete
        seen = {(node.states, node.now) for node in queue}
        for node in queue:
            course = self._reached(node, goal, at_last=at_last)
            if course is not None:
                return Found(course, complete)
            if all(state.status != PENDING for state in node.states) or (limit is not None and node.depth + 1 >= limit):
                continue
            for after in self._following(node, instants):
                if work.steps <= 0:
                    return Found(None, complete=False)
                work.steps -= 1
                key = (after.states, after.now)
                if key not in seen:
                    seen.add(key)
                    queue.append(after)
        return Found(None, complete)

    def _following(self, node: _Node, instants: tuple[Instant, ...] | None) -> Iterator[_Node]:
        """Every history with one event more that changes something."""
        if instants is None:
            instants = (node.now, *near(self.nodes, node.events(), node.now, self.setting))
        end = self.setting.end
        for at in instants:
            if at < node.now or (end is not None and at >= end):
                continue
            states = tuple(
                program.advance(state, at) for program, state in zip(self.programs, node.states, strict=True)
            )
            for letter in self.alphabet.letters:
                event = letter.event(at, node.depth + 1)
                after = tuple(program.step(state, event) for program, state in zip(self.programs, states, strict=True))
                if any(new is not old for new, old in zip(after, states, strict=True)):
                    yield _Node(after, at, node.depth + 1, node, event)

    def _reached(self, node: _Node, goal: Goal, *, at_last: bool) -> Course | None:
        """Where a history reaches the goal, at its last event or as time passes."""
        at, states = node.now, node.states
        if not at_last and goal(states):
            return Course(node.events(), at)
        for _ in range(MOST_LAPSES):
            waking = [state.wake_at for state in states if state.status == PENDING and state.wake_at is not None]
            if not waking:
                break
            at = min(waking)
            states = tuple(program.advance(state, at) for program, state in zip(self.programs, states, strict=True))
            if not at_last and goal(states):
                return Course(node.events(), at)
        else:
            return None
        return Course(node.events(), at) if at_last and goal(states) else None

    def _openings(self, work: Work) -> tuple[list[_Node], bool]:
        """The states that a scope may open in: one, or one for each past that `ever` can tell apart."""
        empty = _Node(self._start(()), self.setting.begin, 0)
        if not self._uses_history or self.setting.begin == 0:
            return [empty], True
        begin = max(0, self.setting.begin - _BEFORE_MICROSECONDS)
        queue = [empty]
        seen = {self._probed(())}
        for node in queue:
            for letter in self.alphabet.letters:
                if work.steps <= 0:
                    return queue, False
                work.steps -= node.depth + 1
                event = letter.event(begin, node.depth + 1)
                past = (*node.events(), event)
                known = self._probed(past)
                if known not in seen:
                    seen.add(known)
                    queue.append(_Node(self._start(past), self.setting.begin, node.depth + 1, node, event))
        return queue, True

    def _start(self, past: tuple[Event, ...]) -> States:
        setting = self.setting
        return tuple(program.start(setting.start, end=setting.end, history=past) for program in self.programs)

    def _probed(self, past: tuple[Event, ...]) -> States:
        """What a past comes to, where the conditions are kept from being decided by it."""
        setting = self.setting
        return tuple(
            compile_program(tree.And((node, _NEVER)), setting.zone).start(setting.start, end=setting.end, history=past)
            for node in self.nodes
        )


_NEVER = tree.AtLeast((tree.Match("\0never"),))
