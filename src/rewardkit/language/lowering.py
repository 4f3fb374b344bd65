"""From a condition's tree to the plan of its program."""

from __future__ import annotations

from rewardkit.errors import ValidationError
from rewardkit.language import tree
from rewardkit.language.plan import (
    Chain,
    Choice,
    Counter,
    Guard,
    History,
    Judgement,
    Leaf,
    Never,
    Offset,
    Plan,
    Segment,
    Slot,
    Step,
    Window,
)


def lower(node: tree.Node) -> Plan:
    """The plan of a condition.

    Raises:
        ValidationError: for an operator that is not evaluated yet, or a tree that no text could mean.
    """
    plan = Plan()
    plan.root = _Lowering(plan, followed=False, later=False, opened=False).segment(node)
    plan.anchored = bool(plan.root.offsets)
    return plan


class _Lowering:
    """Lowers one segment.

    Args:
        later: the segment is a step of `then` after its first.
        opened: the segment is the body of an `ever`, which has no start.
    """

    def __init__(self, plan: Plan, *, followed: bool, later: bool, opened: bool) -> None:
        self.plan = plan
        self.later = later
        self.opened = opened
        self.made = Segment(0, followed=followed)
        self.counters: dict[object, int] = {}
        self.offsets: set[Offset] = set()
        self.names: set[str] = set()

    def segment(self, node: tree.Node) -> Segment:
        made = self.made
        made.root = self.lower(node, None, followed=made.followed)
        made.offsets = tuple(sorted(self.offsets))
        made.names = frozenset(self.names)
        made.number = len(self.plan.segments)
        self.plan.segments.append(made)
        return made

    def lower(self, node: tree.Node, cut: Offset | None, *, followed: bool) -> Step:
        match node:
            case tree.AtLeast():
                return self.leaf(node, cut, followed=followed)
            case tree.And(terms=terms):
                return self.choice(len(terms), terms, cut, followed=followed)
            case tree.Or(terms=terms):
                return self.choice(1, terms, cut, followed=followed)
            case tree.Some(least=least, terms=terms):
                return self.choice(least, terms, cut, followed=followed)
            case tree.Not(body=body):
                return Guard(self.lower(body, cut, followed=False))
            case tree.Within(body=body, span=span):
                return self.window(body, self.offset(span, body), cut, followed=followed)
            case tree.Over(body=body, span=span):
                return self.judgement(body, self.offset(span, body), cut, followed=followed, absence=False)
            case tree.No(body=body, span=span):
                return self.judgement(tree.Not(body), self.offset(span, body), cut, followed=followed, absence=True)
            case tree.Then(steps=steps):
                return self.chain(steps, cut, followed=followed)
            case tree.Ever(body=body):
                return self.ever(body, cut, followed=followed)
            case _:
                raise ValidationError(f"`{spelling(node)}` is not evaluated by this version")

    def offset(self, span: tree.Span, body: tree.Node) -> Offset:
        if not isinstance(span, tree.Elapsed):
            raise ValidationError(
                "a calendar span is not evaluated by this version: write an elapsed one, such as `7d`"
            )
        if self.opened or (isinstance(body, tree.Ever) and not self.later):
            raise ValidationError("a window at an `ever` has no start: put it to the right of a `then`")
        if span.microseconds < 1:
            raise ValidationError("a window lasts at least one microsecond")
        return span.microseconds

    def leaf(self, node: tree.AtLeast, cut: Offset | None, *, followed: bool) -> Leaf:
        if node.least < 1 or not node.matches:
            raise ValidationError(f"`*{node.least}` counts nothing: write a number of at least 1")
        key = (repr(node.matches), cut)
        slot = self.counters.get(key)
        if slot is None:
            slot = self.counters[key] = self.slot(Counter(node.matches, cut, node.least))
        counter = self.made.slots[slot]
        assert isinstance(counter, Counter)
        counter.most = max(counter.most, node.least)
        counter.followed |= followed
        self.names |= {match.name for match in node.matches}
        return Leaf(slot, node.least, cut, followed)

    def choice(self, least: int, terms: tuple[tree.Node, ...], cut: Offset | None, *, followed: bool) -> Step:
        if not terms or not 1 <= least <= len(terms):
            raise ValidationError(f"`{least} of` {len(terms)} conditions cannot be meant")
        return Choice(least, tuple(self.lower(term, cut, followed=followed) for term in terms), followed)

    def window(self, body: tree.Node, offset: Offset, cut: Offset | None, *, followed: bool) -> Step:
        if cut is not None and cut <= offset:
            return self.lower(body, cut, followed=followed)
        self.offsets.add(offset)
        return Window(self.lower(body, offset, followed=followed), offset, followed)

    def judgement(self, body: tree.Node, offset: Offset, cut: Offset | None, *, followed: bool, absence: bool) -> Step:
        # The body is lowered even where it is never judged, so that what it cannot mean is refused all the same.
        if cut is not None and cut < offset:
            _Lowering(Plan(), followed=False, later=self.later, opened=self.opened).segment(body)
            return Never()
        self.offsets.add(offset)
        return Judgement(self.lower(body, offset, followed=False), offset, followed, absence)

    def chain(self, steps: tuple[tree.Node, ...], cut: Offset | None, *, followed: bool) -> Step:
        first, *rest = _flat(steps)
        if not rest:
            return self.lower(first, cut, followed=followed)
        begun = self.lower(first, cut, followed=True)
        segments = []
        for place, step in enumerate(rest, start=1):
            inner = _Lowering(self.plan, followed=followed or place < len(rest), later=True, opened=False)
            segments.append(inner.segment(step))
            self.names |= inner.names
        slot = self.slot(None)
        chain = Chain(slot, begun, tuple(segments), cut, followed)
        self.made.slots[slot] = chain
        return chain

    def ever(self, body: tree.Node, cut: Offset | None, *, followed: bool) -> Step:
        if self.later and followed:
            raise ValidationError(
                "an `ever` to the right of `then` cannot be followed: its ends may lie before that step"
            )
        inner = _Lowering(self.plan, followed=followed, later=False, opened=True)
        segment = inner.segment(body)
        self.names |= inner.names
        number = len(self.plan.evers)
        self.plan.evers.append(segment)
        if cut is None:
            return History(number, None, cut, followed)
        slot = self.slot(None)
        history = History(number, slot, cut, followed)
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


_SPELLINGS = {
    "Between": "*n..m",
    "Comparison": "an aggregate comparison",
    "InAny": "in any",
    "InLast": "in last",
    "InOne": "in one",
    "Before": "before",
    "Since": "since",
    "By": "by",
    "Streak": "streak",
    "Named": "@name",
    "Satisfied": "satisfied(name)",
}


def spelling(node: object) -> str:
    """How a person writes this operator."""
    return _SPELLINGS.get(type(node).__name__, type(node).__name__)
