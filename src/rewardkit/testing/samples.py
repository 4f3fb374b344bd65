"""Random conditions and histories, quickly and from a seed.

They cluster where engines disagree: at deadlines and a microsecond to either side, at ties, with duplicates.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rewardkit.language import tree
from rewardkit.language.event import Event

NAMES = ("A", "B", "C")
SPANS = (1, 2, 3, 5, 8)
"""Microseconds: short ones, so that deadlines and events meet."""

_VALUES: tuple[Any, ...] = (1, 2, Decimal("2.5"), "x", "xy", True, None)


def random_predicate(chance: random.Random, depth: int = 2) -> tree.Predicate:
    """A filter over the properties `p` and `q.r`."""
    kind = chance.randrange(7 if depth else 4)
    field = chance.choice(("p", "q.r"))
    match kind:
        case 0:
            return tree.Compare(
                field, chance.choice(("==", "!=", "<", "<=", ">", ">=")), chance.choice((1, 2, Decimal("2.5")))
            )
        case 1:
            return tree.Compare(field, chance.choice(("==", "!=", "like", "<")), chance.choice(("x", "x*", "?y")))
        case 2:
            return tree.OneOf(field, (1, "x", True)[: chance.randint(1, 3)])
        case 3:
            return tree.Has(field)
        case 4:
            return tree.Every(tuple(random_predicate(chance, depth - 1) for _ in range(2)))
        case 5:
            return tree.Either(tuple(random_predicate(chance, depth - 1) for _ in range(2)))
        case _:
            return tree.Except(random_predicate(chance, depth - 1))


def random_properties(chance: random.Random) -> dict[str, Any]:
    """Properties that some filters accept."""
    made: dict[str, Any] = {}
    if chance.random() < 0.8:
        made["p"] = chance.choice(_VALUES)
    if chance.random() < 0.5:
        made["q"] = {"r": chance.choice(_VALUES)} if chance.random() < 0.8 else 7
    return made


def random_selector(chance: random.Random) -> tree.AtLeast:
    """An event, a union or a count of either."""
    names = chance.sample(NAMES, 2 if chance.random() < 0.15 else 1)
    found = tuple(tree.Match(name, random_predicate(chance) if chance.random() < 0.12 else None) for name in names)
    return tree.AtLeast(found, chance.choice((1, 1, 1, 2, 3)))


class RandomConditions:
    """Draws conditions.

    Args:
        windows: whether a window may stand at the scope's own start, which an open scope does not have.
        history: whether `ever` may be drawn.
    """

    def __init__(self, chance: random.Random, *, windows: bool = True, history: bool = True) -> None:
        self.chance = chance
        self.windows = windows
        self.history = history

    def draw(self, depth: int = 3) -> tree.Node:
        return self._node(depth, windows=self.windows, ever=self.history)

    def _span(self, spans: Sequence[int] = SPANS) -> tree.Elapsed:
        return tree.Elapsed(self.chance.choice(spans))

    def _node(self, depth: int, *, windows: bool, ever: bool) -> tree.Node:
        """`ever` says whether one may stand here: not where its ends would be needed to the right of a `then`."""
        chance = self.chance
        if depth == 0 or chance.random() < 0.12:
            return random_selector(chance)
        kind = chance.choice(_KINDS)
        if kind in ("within", "over", "no") and not windows:
            kind = "then"
        match kind:
            case "and" | "or" | "some":
                many = 3 if kind == "some" or chance.random() < 0.2 else 2
                terms = tuple(self._node(depth - 1, windows=windows, ever=ever) for _ in range(many))
                if kind == "some":
                    return tree.Some(chance.randint(1, many), terms)
                return tree.And(terms) if kind == "and" else tree.Or(terms)
            case "not":
                return tree.Not(self._node(depth - 1, windows=windows, ever=ever))
            case "within":
                return tree.Within(self._framed(depth - 1, ever=ever), self._span())
            case "over":
                return tree.Over(self._framed(depth - 1, ever=ever), self._span())
            case "no":
                return tree.No(random_selector(chance), self._span())
            case "ever" if ever:
                return tree.Ever(self._node(depth - 1, windows=False, ever=False))
            case _:
                return self._then(depth, windows=windows, ever=ever)

    def _framed(self, depth: int, *, ever: bool) -> tree.Node:
        """The body of a window: not an `ever`, which has no start for the window to count from."""
        body = self._node(depth, windows=True, ever=ever)
        return tree.Not(body) if isinstance(body, tree.Ever) else body

    def _then(self, depth: int, *, windows: bool, ever: bool) -> tree.Node:
        first = self._node(depth - 1, windows=windows, ever=ever)
        middle = [self._node(depth - 1, windows=True, ever=False)] if self.chance.random() < 0.3 else []
        last = self._node(depth - 1, windows=True, ever=False)
        return tree.Then((first, *middle, last))

    def closes(self) -> tree.Then:
        """Steps that complete at a close, each counting from the one before it: no anchor makes another superfluous.

        Mostly absences, since where events are needed the leaves already pull both ways.
        """
        judged = [self._judged(self._event()) for _ in range(self.chance.choice((1, 1, 2)))]
        return tree.Then((self._event(), *judged, tree.Within(self._event(), self._span(SPANS[:3]))))

    def _judged(self, body: tree.AtLeast) -> tree.Node:
        span = self._span(SPANS[2:])
        return tree.No(body, span) if self.chance.random() < 0.8 else tree.Over(body, span)

    def _event(self) -> tree.AtLeast:
        return tree.AtLeast((tree.Match(self.chance.choice(NAMES)),))


_KINDS = (
    "and", "and", "or", "not", "not", "some", "within", "within", "over", "over", "no", "no",
    "then", "then", "then", "then", "ever",
)  # fmt: skip


def random_history(chance: random.Random, start: int, length: int = 8, names: Sequence[str] = ()) -> list[Event]:
    """Events around an instant, in total order: close together, often tied, often a span apart or one off.

    There are at most `length`, their names drawn from `NAMES`; or one for each of `names`, in that order.
    """
    at = start - chance.choice((0, 0, 3, 9))
    events = []
    for number, name in enumerate(names or [chance.choice(NAMES) for _ in range(chance.randint(0, length))]):
        at += chance.choice((0, 0, 1, 1, 2, *SPANS, *(span + 1 for span in SPANS)))
        order = chance.choice((0, 0, 0, 1, -1))
        properties = random_properties(chance)
        events.append(Event(name, at, f"e{chance.randrange(100)}-{number}", order=order, properties=properties))
    return sorted(events, key=lambda event: event.position)


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
