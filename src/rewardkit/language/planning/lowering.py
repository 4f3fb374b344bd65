"""From a condition's tree to the plan of its program."""

from __future__ import annotations

import attrs

from rewardkit.errors import ValidationError
from rewardkit.language import civil, tree
from rewardkit.language.event import rfc3339
from rewardkit.language.planning.bounds import Bound, Moment, forestalling, moves, order_of, shortest_unit, tightened
from rewardkit.language.planning.comparing import compare
from rewardkit.language.planning.frame import Frame
from rewardkit.language.planning.names import together
from rewardkit.language.planning.nesting import nest, remembered
from rewardkit.language.planning.plan import (
    Chain,
    Choice,
    Counter,
    Guard,
    History,
    Judgement,
    Leaf,
    Never,
    Plan,
    Range,
    Segment,
    Slot,
    Step,
    Window,
)
from rewardkit.language.running.remembered import looks_back
from rewardkit.language.zoning import UTC


def lower(node: tree.Node, zone: str = UTC) -> Plan:
    """The plan of a condition.

    Args:
        node: the condition.
        zone: IANA name of the zone that dates are read in.

    Raises:
        ValidationError: for a name that was not inlined, or a tree that no text could mean.
    """
    if looks_back(node):
        return remembered(node, zone)
    plan = Plan(zone=zone)
    root = Lowering(plan, later=False, opened=False, widened=False)
    plan.root = root.segment(node, Frame(followed=False))
    plan.anchored |= root.anchored
    return plan


class Lowering:
    """Lowers one segment.

    Args:
        later: the segment is a step of `then` after its first.
        opened: the segment is the body of an `ever`, which has no start.
        widened: it stands somewhere under an `ever`, so that `satisfied` is judged over all known history.
    """

    def __init__(self, plan: Plan, *, later: bool, opened: bool, widened: bool) -> None:
        self.plan = plan
        self.later = later
        self.opened = opened
        self.widened = widened
        self.anchored = False
        self.made = Segment(0, followed=False)
        self.counters: dict[object, int] = {}
        self.bounds: set[Bound] = set()

    def inner(self, *, later: bool, opened: bool, widened: bool | None = None) -> Lowering:
        """The lowering of a segment below this one."""
        under = self.widened if widened is None else widened
        return Lowering(self.plan, later=later, opened=opened, widened=under)

    def hear(self, names: frozenset[str]) -> None:
        """What changes a state of this segment too."""
        self.made.names = together((self.made.names, names))

    def segment(self, node: tree.Node, frame: Frame) -> Segment:
        made = self.made
        made.followed = frame.followed
        made.root = self.lower(node, frame)
        made.bounds = tuple(sorted(self.bounds, key=order_of))
        self.anchored |= made.anchored
        made.number = len(self.plan.segments)
        self.plan.segments.append(made)
        return made

    def lower(self, node: tree.Node, frame: Frame) -> Step:
        match node:
            case tree.AtLeast():
                return self.leaf(node, frame)
            case tree.Between(matches=matches, least=least, most=most):
                if not matches or not 0 <= least <= most:
                    raise ValidationError(f"`*{least}..{most}` cannot be meant")
                return Range(self.counter(matches, most + 1, frame), least, most, frame.cut, frame.followed)
            case tree.Comparison():
                return compare(self, node, frame)
            case tree.And(terms=terms):
                return self.choice(len(terms), terms, frame)
            case tree.Or(terms=terms):
                return self.choice(1, terms, frame)
            case tree.Some(least=least, terms=terms):
                return self.choice(least, terms, frame)
            case tree.Not(body=body):
                return Guard(self.lower(body, attrs.evolve(frame, followed=False)))
            case tree.Within(body=body, span=span):
                return self.window(body, self.span(span, body), frame)
            case tree.Before(body=body, instant=text):
                close = civil.instant_of(text, self.plan.zone)
                ceiling = close if frame.ceiling is None else min(frame.ceiling, close)
                return self.window(body, Moment(close), attrs.evolve(frame, ceiling=ceiling))
            case tree.Since(body=body, instant=text):
                floor = max(frame.floor or 0, civil.instant_of(text, self.plan.zone))
                return self.lower(body, attrs.evolve(frame, floor=floor))
            case tree.Over(body=body, span=span):
                return self.judgement(body, self.span(span, body), frame, absence=False)
            case tree.No(body=body, span=span):
                return self.judgement(tree.Not(body), self.span(span, body), frame, absence=True)
            case tree.Then(steps=steps):
                return self.chain(steps, frame)
            case tree.Ever(body=body):
                return self.ever(body, frame)
            case tree.InAny() | tree.InOne() | tree.InLast() | tree.By() | tree.Streak():
                return nest(self, node, frame)
            case tree.Satisfied(body=body) if body is not None:
                return nest(self, node, frame)
            case _:
                named = f"@{node.name}" if isinstance(node, tree.Named) else f"satisfied({node.name})"
                raise ValidationError(f"the condition `{named}` is not known here: pass it in `definitions`")

    def span(self, span: tree.Span, body: tree.Node) -> Bound:
        if self.opened or (isinstance(body, tree.Ever) and not self.later):
            raise ValidationError("a window at an `ever` has no start: put it to the right of a `then`")
        if isinstance(span, tree.Calendar):
            if span.count < 1:
                raise ValidationError("a window lasts at least one day")
            return shortest_unit(span)
        if span.microseconds < 1:
            raise ValidationError("a window lasts at least one microsecond")
        return span.microseconds

    def leaf(self, node: tree.AtLeast, frame: Frame) -> Leaf:
        if node.least < 1 or not node.matches:
            raise ValidationError(f"`*{node.least}` counts nothing: write a number of at least 1")
        return Leaf(self.counter(node.matches, node.least, frame), node.least, frame.cut, frame.followed)

    def counter(self, matches: tuple[tree.Match, ...], most: int, frame: Frame) -> int:
        """The slot that counts some events, shared by all that count the same, up to the highest of their needs."""
        key = (repr(matches), frame.cut, frame.floor)
        slot = self.counters.get(key)
        if slot is None:
            slot = self.counters[key] = self.slot(Counter(matches, frame.cut, most, frame.floor))
        counter = self.made.slots[slot]
        assert isinstance(counter, Counter)
        counter.most = max(counter.most, most)
        counter.followed |= frame.followed
        self.hear(frozenset(match.name for match in matches))
        return slot

    def choice(self, least: int, terms: tuple[tree.Node, ...], frame: Frame) -> Step:
        if not terms or not 1 <= least <= len(terms):
            raise ValidationError(f"`{least} of` {len(terms)} conditions cannot be meant")
        return Choice(least, tuple(self.lower(term, frame) for term in terms), frame.followed)

    def window(self, body: tree.Node, bound: Bound, frame: Frame) -> Step:
        cut = tightened(frame.cut, bound)
        if cut == frame.cut:
            return self.lower(body, frame)
        self.bounds.add(bound)
        return Window(self.lower(body, attrs.evolve(frame, cut=cut)), bound, frame.followed)

    def judgement(self, body: tree.Node, bound: Bound, frame: Frame, *, absence: bool) -> Step:
        forestalled = forestalling(frame.cut, bound)
        # The body is lowered even where it is never judged, so that what it cannot mean is refused all the same.
        if forestalled is None:
            inner = Lowering(Plan(zone=self.plan.zone), later=self.later, opened=self.opened, widened=self.widened)
            inner.segment(body, Frame(followed=False))
            return Never()
        self.bounds.add(bound)
        lowered = self.lower(body, attrs.evolve(frame, cut=tightened(frame.cut, bound), followed=False))
        return Judgement(lowered, bound, forestalled, frame.followed, absence)

    def chain(self, steps: tuple[tree.Node, ...], frame: Frame) -> Step:
        first, *rest = _flat(steps)
        if not rest:
            return self.lower(first, frame)
        begun = self.lower(first, attrs.evolve(frame, followed=True))
        segments = []
        for place, step in enumerate(rest, start=1):
            inner = self.inner(later=True, opened=False)
            followed = frame.followed or place < len(rest)
            segments.append(inner.segment(step, Frame(followed, (), frame.floor, frame.ceiling)))
            self.hear(inner.made.names)
            self.made.asks |= inner.made.asks
        slot = self.slot(None)
        chain = Chain(slot, begun, tuple(segments), frame.cut, frame.followed)
        self.made.slots[slot] = chain
        return chain

    def ever(self, body: tree.Node, frame: Frame) -> Step:
        if self.later and frame.followed:
            raise ValidationError(
                "an `ever` to the right of `then` cannot be followed: its ends may lie before that step"
            )
        inner = self.inner(later=False, opened=True, widened=True)
        # `(ever σ) before T` is `ever (σ before T)`: a scope that opens after T still asks what held at T.
        ended = body if frame.ceiling is None else tree.Before(body, rfc3339(frame.ceiling))
        segment = inner.segment(ended, Frame(frame.followed, (), frame.floor))
        self.hear(segment.names)
        self.made.asks = True
        number = len(self.plan.evers)
        self.plan.evers.append(segment)
        cut = tuple(bound for bound in frame.cut if moves(bound))
        if not cut:
            return History(number, None, (), frame.followed)
        slot = self.slot(None)
        history = History(number, slot, cut, frame.followed)
        self.made.slots[slot] = history
        return history

    def slot(self, slot: Slot | None) -> int:
        self.made.slots.append(slot)
        return len(self.made.slots) - 1


def _flat(steps: tuple[tree.Node, ...]) -> list[tree.Node]:
    """`then` is associative: a `then` that is itself a step joins its surroundings."""
    if not steps:
        raise ValidationError("a `then` needs steps")
    return [inner for step in steps for inner in (_flat(step.steps) if isinstance(step, tree.Then) else [step])]
