"""What a pending condition still needs: the cheapest way on, in words, read from a state alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rewardkit.language.event import Instant, rfc3339
from rewardkit.language.planning.bounds import close_of
from rewardkit.language.planning.plan import (
    Balance,
    Chain,
    Choice,
    Counter,
    Fired,
    Guard,
    History,
    Judgement,
    Leaf,
    Nested,
    Never,
    Plan,
    Range,
    Run,
    Segment,
    Step,
    Window,
)
from rewardkit.language.reasons.evidence import selector
from rewardkit.language.running.chain import FOREVER, VALUE
from rewardkit.language.running.dominance import Thread
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.writing.level import level, reachable, reached

if TYPE_CHECKING:
    from rewardkit.language.running.state import State


class Need(NamedTuple):
    """One thing that has to happen, or one instant that has to pass."""

    events: int
    sentence: str


_UNSEEN = Need(1, "further events")
"""Where a state alone does not tell which ones: an explanation, which has the history, does."""

Needs: TypeAlias = tuple[Need, ...] | None
"""What is needed; nothing where it holds already, None where this way is closed."""


def missing(plan: Plan, state: State) -> tuple[str, ...]:
    """Sentences such as "1 more `purchase` by 2024-03-03T12:00:00Z"; the cheapest way where there are several."""
    end = FOREVER if state.end is None else state.end
    needs = _Walk(plan, state.evers, end).segment(plan.root, state.root, end)
    if needs:
        return tuple(dict.fromkeys(need.sentence for need in needs))
    # No way on is seen from the state, or its parts hold and wait for each other.
    return (_UNSEEN.sentence,) if state.wake_at is None else (f"open until {rfc3339(state.wake_at)}",)


class _Walk:
    """Reads one state.

    Args:
        end: the end of the whole scope, or FOREVER.
    """

    def __init__(self, plan: Plan, evers: tuple[Thread, ...], end: Instant) -> None:
        self.plan = plan
        self.evers = evers
        self.end = end

    def segment(self, segment: Segment, thread: Thread, end: Instant) -> Needs:
        return self.needs(segment.root, segment, thread, end)

    def needs(self, step: Step, segment: Segment, thread: Thread, limit: Instant) -> Needs:
        match step:
            case Leaf():
                return self._leaf(step, segment, thread, limit)
            case Range():
                return self._range(step, segment, thread, limit)
            case Balance():
                return self._balance(step, segment, thread, limit)
            case Choice(least=least, terms=terms):
                return _cheapest(least, [self.needs(term, segment, thread, limit) for term in terms])
            case Guard(body=body):
                return None if self.needs(body, segment, thread, limit) == () else ()
            case Window(body=body, bound=bound):
                return self.needs(body, segment, thread, min(limit, close_of(bound, thread[0], self.plan.zone)))
            case Judgement():
                return self._judgement(step, segment, thread, limit)
            case Never():
                return None
            case History(ever=ever, slot=slot, cut=cut):
                if slot is not None and segment.closed(cut, thread[1]):
                    return () if thread[slot + 2] else None
                return self.segment(self.plan.evers[ever], self.evers[ever], limit)
            case Chain():
                return self._chain(step, segment, thread, limit)
            case Nested() | Run() | Fired():
                return _kept(step, segment, thread)
            case _:
                return (_UNSEEN,)

    def _leaf(self, leaf: Leaf, segment: Segment, thread: Thread, limit: Instant) -> Needs:
        counter = segment.slots[leaf.slot]
        if not isinstance(counter, Counter):
            return (_UNSEEN,)
        more = leaf.least - thread[leaf.slot + 2]
        if more <= 0:
            return ()
        if segment.closed(leaf.cut, thread[1]):
            return None
        return (Need(more, f"{more} more {selector(counter.matches)}{_by(limit)}"),)

    def _range(self, step: Range, segment: Segment, thread: Thread, limit: Instant) -> Needs:
        counter = segment.slots[step.slot]
        assert isinstance(counter, Counter)
        many = thread[step.slot + 2]
        if many > step.most or (many < step.least and segment.closed(step.cut, thread[1])):
            return None
        more = step.least - many
        return (Need(more, f"{more} more {selector(counter.matches)}{_by(limit)}"),) if more > 0 else ()

    def _balance(self, step: Balance, segment: Segment, thread: Thread, limit: Instant) -> Needs:
        found = level(step, segment, thread)
        if reached(step, found):
            return ()
        if segment.closed(step.cut, thread[1]) or not reachable(step, found):
            return None
        return (Need(1, f"`{format_condition(step.node)}`{_by(limit)}"),)

    def _judgement(self, step: Judgement, segment: Segment, thread: Thread, limit: Instant) -> Needs:
        close = close_of(step.bound, thread[0], self.plan.zone)
        body = self.needs(step.body, segment, thread, min(limit, close))
        if segment.closed((step.bound,), thread[1]):
            return () if body == () else None
        if body is None or close > limit:
            return None
        if step.absence and isinstance(step.body, Guard) and isinstance(step.body.body, Leaf):
            counter = segment.slots[step.body.body.slot]
            assert isinstance(counter, Counter)
            few = step.body.body.least - 1 - thread[step.body.body.slot + 2]
            most = "no" if few <= 0 else f"at most {few}"
            return (*body, Need(0, f"{most} {selector(counter.matches)} until {rfc3339(close)}"))
        return (*body, Need(0, f"judged at {rfc3339(close)}"))

    def _chain(self, chain: Chain, segment: Segment, thread: Thread, limit: Instant) -> Needs:
        slot = thread[chain.slot + 2]
        if isinstance(slot, int):
            return () if slot else None
        end = min(limit, *(close_of(bound, thread[0], self.plan.zone) for bound in chain.cut), FOREVER)
        ways: list[Needs] = []
        for place in range(len(chain.steps), 0, -1):
            after = self._afresh(chain.steps[place:])
            for one in slot[place]:
                here = self.segment(chain.steps[place - 1], one, end)
                # What completed an earlier step has been handed over: only a further completion counts.
                ways.append(None if here is None or (after and not here) else (*here, *after))
        first = self.needs(chain.first, segment, thread, end)
        if first is not None:
            ways.append((*(first or _again(chain.first, segment)), *self._afresh(chain.steps)))
        return _cheapest(1, ways)

    def _afresh(self, segments: tuple[Segment, ...]) -> tuple[Need, ...]:
        """What steps need that have not begun, without instants, since they have no anchor yet."""
        return tuple(need for segment in segments for need in _unbegun(segment.root, segment))


def _unbegun(step: Step, segment: Segment) -> tuple[Need, ...]:
    match step:
        case Leaf(slot=slot, least=least):
            counter = segment.slots[slot]
            if not isinstance(counter, Counter):
                return (_UNSEEN,)
            return (Need(least, f"then {least} {selector(counter.matches)}"),)
        case Range(slot=slot, least=least):
            counter = segment.slots[slot]
            assert isinstance(counter, Counter)
            return (Need(least, f"then {least} {selector(counter.matches)}"),) if least else ()
        case Balance(node=node):
            return (Need(1, f"then `{format_condition(node)}`"),)
        case Choice(least=least, terms=terms):
            return _cheapest(least, [_unbegun(term, segment) for term in terms]) or ()
        case Window(body=body):
            return _unbegun(body, segment)
        case Judgement(body=Guard(body=Leaf(slot=slot))) if isinstance(segment.slots[slot], Counter):
            counter = segment.slots[slot]
            assert isinstance(counter, Counter)
            return (Need(0, f"then no {selector(counter.matches)} for a while"),)
        case Judgement(body=body):
            return _unbegun(body, segment)
        case Nested() | Run() | Fired():
            return (Need(1, f"then `{format_condition(step.node)}`"),)
        case Chain(first=first, steps=steps):
            later = [need for inner in steps for need in _unbegun(inner.root, inner)]
            return (*_unbegun(first, segment), *later)
        case _:
            return ()


def _kept(step: Nested | Run | Fired, segment: Segment, thread: Thread) -> Needs:
    """What a part needs that is kept by its family: the part as a whole, since it may begin at any event."""
    slot = thread[step.slot + 2]
    if slot == 1 or (isinstance(step, Nested) and isinstance(slot, tuple) and slot[0] & VALUE):
        return ()
    if segment.closed(step.cut, thread[1]) or (slot == 0 and isinstance(step, Nested)):
        return None
    return (Need(1, f"`{format_condition(step.node)}`"),)


def _again(step: Step, segment: Segment) -> tuple[Need, ...]:
    return tuple(Need(1, need.sentence.replace("then ", "", 1)) for need in _unbegun(step, segment))


def _cheapest(least: int, ways: list[Needs]) -> Needs:
    """The `least` cheapest of several ways, in the order in which they were written; None if too few are open."""
    opened = [(sum(need.events for need in way), len(way), place) for place, way in enumerate(ways) if way is not None]
    if len(opened) < least:
        return None
    chosen = sorted(place for _, _, place in sorted(opened)[:least])
    return tuple(need for place in chosen for need in ways[place] or ())


def _by(limit: Instant) -> str:
    return "" if limit >= FOREVER else f" by {rfc3339(limit)}"
