"""Random conditions over every operator, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Literal

import attrs

from rewardkit.language import tree
from rewardkit.language.descent import descend
from rewardkit.language.event import rfc3339
from rewardkit.testing.samples import NAMES, SPANS, random_predicate
from rewardkit.testing.world import MICROSECONDS, World

Field = Literal["p", "q.r"]
_FIELDS: tuple[Field, ...] = ("p", "q.r")
_AGGREGATES = ("count", "count", "sum", "sum", "avg", "min", "max", "distinct", "days", "latest", "first")
_OPERATORS = (">=", ">=", ">", "<", "<=", "==", "!=")


@attrs.frozen
class Standing:
    """What may be drawn where."""

    windows: Literal["any", "moving", "none"]
    """Whether windows have an anchor; one that moves, under `in last`, carries elapsed windows that nothing follows."""
    ever: bool
    """Not where its ends would be needed to the right of a `then`, nor under `by`."""
    derived: bool = True
    """`satisfied(…)`, which no `by` sees."""
    anchored: bool = True
    """Whether the outermost scope has a start."""
    followed: bool = False


class RandomConditions:
    """Draws conditions.

    Args:
        windows: whether a window may stand at the scope's own start, which an open scope does not have.
        history: whether `ever` may be drawn.
        kinds: of operators, each as often as it is named; see `EVERY_KIND` and `PLAIN_KINDS`.
        world: where instants, spans and zones come from.
    """

    def __init__(
        self,
        chance: random.Random,
        *,
        windows: bool = True,
        history: bool = True,
        kinds: Sequence[str] = (),
        world: World = MICROSECONDS,
    ) -> None:
        self.chance = chance
        self.world = world
        self.kinds = tuple(kinds) or PLAIN_KINDS
        self.standing = Standing("any" if windows else "none", history, anchored=windows)
        self.draws: dict[str, Callable[[int, Standing], tree.Node]] = {
            "and": self._several,
            "or": self._several,
            "some": self._several,
            "not": lambda depth, at: tree.Not(self._node(depth, attrs.evolve(at, followed=False))),
            "within": lambda depth, at: tree.Within(self._framed(depth, at), self._span(at)),
            "over": lambda depth, at: tree.Over(self._framed(depth, attrs.evolve(at, followed=False)), self._span(at)),
            "no": lambda _, at: tree.No(self._selector(), self._span(at)),
            "then": self._then,
            "ever": lambda depth, at: tree.Ever(
                self._node(depth, attrs.evolve(at, windows="none", ever=False, anchored=False))
            ),
            "between": lambda *_: self._between(),
            "comparison": lambda *_: self._comparison(),
            "in any": lambda depth, at: tree.InAny(self._node(depth, self._framing(at)), self._span(at)),
            "in one": lambda depth, at: tree.InOne(self._node(depth, self._framing(at)), self._unit()),
            "in last": self._in_last,
            "before": lambda depth, at: tree.Before(self._node(depth, at), self._instant()),
            "since": lambda depth, at: tree.Since(self._node(depth, at), self._instant()),
            "by": lambda depth, at: tree.By(
                self._node(depth, attrs.evolve(at, ever=False, derived=False)), self.chance.choice(_FIELDS)
            ),
            "streak": lambda *_: self._streak(),
            "satisfied": self._satisfied,
        }

    def draw(self, depth: int = 3) -> tree.Node:
        return self._node(depth, self.standing)

    def _node(self, depth: int, at: Standing) -> tree.Node:
        if depth == 0 or self.chance.random() < 0.12:
            return self._leaf()
        kind = self.chance.choice(self.kinds)
        if not self._may(kind, at):
            kind = "then" if "then" in self.kinds else "and"
        self.kind = kind
        return self.draws[kind](depth - 1, at)

    def _may(self, kind: str, at: Standing) -> bool:
        if kind in ("within", "over", "no"):
            return at.windows == "any" or (at.windows == "moving" and not at.followed)
        return not (kind == "ever" and not at.ever) and not (kind == "satisfied" and not at.derived)

    def _leaf(self) -> tree.Node:
        kinds = [kind for kind in ("between", "comparison", "streak") if kind in self.kinds]
        if not kinds or self.chance.random() < 0.8:
            return self._selector()
        return self.draws[self.chance.choice(kinds)](0, self.standing)

    def _several(self, depth: int, at: Standing) -> tree.Node:
        kind = self.kind
        many = 3 if kind == "some" or self.chance.random() < 0.2 else 2
        terms = tuple(self._node(depth, at) for _ in range(many))
        if kind == "some":
            return tree.Some(self.chance.randint(1, many), terms)
        return tree.And(terms) if kind == "and" else tree.Or(terms)

    def _then(self, depth: int, at: Standing) -> tree.Node:
        later = attrs.evolve(at, windows="any", ever=False)
        first = self._node(depth, attrs.evolve(at, followed=True))
        middle = [self._node(depth, attrs.evolve(later, followed=True))] if self.chance.random() < 0.3 else []
        return tree.Then((first, *middle, self._node(depth, later)))

    def _framed(self, depth: int, at: Standing) -> tree.Node:
        """The body of a window: not an `ever`, which has no start for the window to count from."""
        body = self._node(depth, at)
        return tree.Not(body) if isinstance(body, tree.Ever) else body

    def _framing(self, at: Standing) -> Standing:
        """Of a body that has an anchor of its own; an `ever` in it is no more than a fact."""
        return attrs.evolve(at, windows="any", ever=at.ever and not at.followed)

    def _in_last(self, depth: int, at: Standing) -> tree.Node:
        body = self._node(depth, attrs.evolve(at, windows="moving", ever=at.ever and not at.followed))
        if any(isinstance(getattr(part, "span", None), tree.Elapsed) for part in descend(body)):
            return tree.InLast(body, tree.Elapsed(self.chance.choice(self.world.spans)))
        return tree.InLast(body, self._span(attrs.evolve(at, windows="any")))

    def _satisfied(self, depth: int, at: Standing) -> tree.Node:
        windows: Literal["any", "none"] = "any" if at.anchored else "none"
        return tree.Satisfied("", self._node(depth, Standing(windows, ever=at.anchored, anchored=at.anchored)))

    def _selector(self, filtered: float = 0.12) -> tree.AtLeast:
        """An event, a union or a count of either."""
        return tree.AtLeast(self._matches(filtered), self.chance.choice((1, 1, 1, 2, 3)))

    def _matches(self, filtered: float = 0.12) -> tuple[tree.Match, ...]:
        chance = self.chance
        names = chance.sample(NAMES, 2 if chance.random() < 0.15 else 1)
        return tuple(
            tree.Match(name, random_predicate(chance) if chance.random() < filtered else None) for name in names
        )

    def _between(self) -> tree.Node:
        least = self.chance.choice((0, 1, 1, 2))
        return tree.Between(self._matches(), least, max(1, least + self.chance.choice((0, 1, 2))))

    def _comparison(self) -> tree.Node:
        chance = self.chance
        if chance.random() < 0.15:
            aggregate = self._aggregate(("latest", "first"))
            return tree.Comparison((tree.Term(1, aggregate),), chance.choice(_OPERATORS), chance.choice(("x", "xy")))
        left = tuple(self._term() for _ in range(chance.choice((1, 1, 1, 2))))
        right = [tree.Term(chance.choice((0, 1, 2, 3, Decimal("2.5"), -1)))]
        if chance.random() < 0.2:
            right.append(self._term())
        return tree.Comparison(left, chance.choice(_OPERATORS), tuple(right))

    def _term(self) -> tree.Term:
        factor = self.chance.choice((1, 1, 1, 1, 2, -1, Decimal("0.5")))
        return tree.Term(factor, self._aggregate(_AGGREGATES))

    def _aggregate(self, functions: Sequence[str]) -> tree.Aggregate:
        function = self.chance.choice(functions)
        field = None if function in ("count", "days") else self.chance.choice(("p", "p", "q.r"))
        return tree.Aggregate(function, self._matches(), field)

    def _streak(self) -> tree.Node:
        many = self.chance.choice((1, 2, 2, 3))
        unit = self.chance.choice(("day", "day", "day", "week", "month"))
        skip = self.chance.choice((0, 0, 1)) if many > 1 else 0
        body = tree.AtLeast(self._matches(), self.chance.choice((1, 1, 2)))
        return tree.Streak(body, tree.Calendar(many, unit), skip)

    def _span(self, at: Standing) -> tree.Span:
        spans: Sequence[tree.Span] = [tree.Elapsed(span) for span in self.world.spans]
        civil = self.world.calendar if at.windows == "any" else ()
        return self.chance.choice([*spans, *civil])

    def _unit(self) -> str:
        return self.chance.choice(self.world.units)

    def _instant(self) -> str:
        world = self.world
        if world.dates and self.chance.random() < 0.5:
            return self.chance.choice(world.dates)
        return rfc3339(max(0, world.start + self.chance.choice((-1, 0, 1, *world.spans))))

    def closes(self) -> tree.Then:
        """Steps that complete at a close, each counting from the one before it: no anchor makes another superfluous.

        Mostly absences, since where events are needed the leaves already pull both ways.
        """
        judged = [self._judged(self._event()) for _ in range(self.chance.choice((1, 1, 2)))]
        last = tree.Within(self._event(), tree.Elapsed(self.chance.choice(SPANS[:3])))
        return tree.Then((self._event(), *judged, last))

    def _judged(self, body: tree.AtLeast) -> tree.Node:
        span = tree.Elapsed(self.chance.choice(SPANS[2:]))
        return tree.No(body, span) if self.chance.random() < 0.8 else tree.Over(body, span)

    def _event(self) -> tree.AtLeast:
        return tree.AtLeast((tree.Match(self.chance.choice(NAMES)),))


PLAIN_KINDS = (
    "and", "and", "or", "not", "not", "some", "within", "within", "over", "over", "no", "no",
    "then", "then", "then", "then", "ever",
)  # fmt: skip
"""Counts, windows and steps."""

EVERY_KIND = (
    "and", "and", "or", "not", "some", "within", "over", "no", "then", "then", "then", "ever", "between",
    "comparison", "comparison", "in any", "in any", "in one", "in last", "before", "since", "by", "by", "streak",
    "satisfied",
)  # fmt: skip
"""All operators of the language."""


def along(chance: random.Random, chain: tree.Then) -> list[str]:
    """Names of events that take a chain's steps in turn, so that several anchors compete; see `closes`."""
    names = []
    for step in chain.steps:
        event = step if isinstance(step, tree.AtLeast) else getattr(step, "body", None)
        assert isinstance(event, tree.AtLeast)
        many = chance.randint(0, 1) if isinstance(step, tree.No) else chance.randint(1, 3)
        names += [event.matches[0].name] * many
    return names


def operators(node: tree.Node) -> set[str]:
    """Names of the operators that a condition contains."""
    found = {type(node).__name__}
    for child in (getattr(node, "body", None), *getattr(node, "terms", ()), *getattr(node, "steps", ())):
        if child is not None:
            found |= operators(child)
    return found
