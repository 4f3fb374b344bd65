"""The tree of a condition: what the parser builds and every other part of the language reads.

Nodes are frozen, compare by meaning (spans are left out) and hold no behaviour.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import attrs

Place: TypeAlias = tuple[int, int]
"""Half-open range of characters of the source text."""

Literal: TypeAlias = str | int | Decimal | bool
Field: TypeAlias = str
"""Name of an event's property; a dot descends into nested objects."""


def _place() -> Place:
    return attrs.field(default=(0, 0), eq=False, repr=False, kw_only=True)


def _exact(value: object) -> object:
    """What a value is compared by: `true` and `1` are equal in Python, and are not one condition."""
    if isinstance(value, tuple):
        return tuple(_exact(item) for item in value)
    return isinstance(value, bool), value


# --- time spans -------------------------------------------------------------------------------


@attrs.frozen
class Elapsed:
    """A length of elapsed time: `7d`, `36h`, `1d12h`; a day is 24 hours."""

    microseconds: int


@attrs.frozen
class Calendar:
    """A length of civil time: `3 calendar days`."""

    count: int
    unit: str
    """`day`, `week`, `month`, `quarter` or `year`."""


Span: TypeAlias = Elapsed | Calendar

# --- property filters -------------------------------------------------------------------------


@attrs.frozen
class Compare:
    """`amount >= 50`; `operator` is one of `== != < <= > >= like`."""

    field: Field
    operator: str
    value: Literal = attrs.field(eq=_exact)
    place: Place = _place()


@attrs.frozen
class OneOf:
    """`country in ("FR", "DE")`."""

    field: Field
    values: tuple[Literal, ...] = attrs.field(eq=_exact)
    place: Place = _place()


@attrs.frozen
class Has:
    """`has coupon`."""

    field: Field
    place: Place = _place()


@attrs.frozen
class Every:
    """Predicates joined by `and`."""

    terms: tuple[Predicate, ...]
    place: Place = _place()


@attrs.frozen
class Either:
    """Predicates joined by `or`."""

    terms: tuple[Predicate, ...]
    place: Place = _place()


@attrs.frozen
class Except:
    """`not …` in front of a predicate."""

    term: Predicate
    place: Place = _place()


Predicate: TypeAlias = Compare | OneOf | Has | Every | Either | Except

# --- conditions -------------------------------------------------------------------------------


@attrs.frozen
class Match:
    """Events of one name, whose properties satisfy `where`."""

    name: str
    where: Predicate | None = None
    place: Place = _place()


@attrs.frozen
class AtLeast:
    """`σ*n`: at least `least` distinct events match any of `matches`; a bare `A` has `least` 1."""

    matches: tuple[Match, ...]
    least: int = 1
    place: Place = _place()


@attrs.frozen
class Between:
    """`σ*n..m`: between `least` and `most` matching events, both included."""

    matches: tuple[Match, ...]
    least: int
    most: int
    place: Place = _place()


@attrs.frozen
class Aggregate:
    """`sum(purchase:amount)`; `function` is one of count sum avg min max distinct days latest first."""

    function: str
    matches: tuple[Match, ...]
    field: Field | None = None
    place: Place = _place()


@attrs.frozen
class Term:
    """`factor` times an aggregate, or the plain number `factor` where there is none."""

    factor: int | Decimal
    aggregate: Aggregate | None = None
    place: Place = _place()


@attrs.frozen
class Comparison:
    """A linear comparison: the sum of `left` against the sum of `right`, or against a text."""

    left: tuple[Term, ...]
    operator: str
    right: tuple[Term, ...] | str
    place: Place = _place()


@attrs.frozen
class And:
    """All of `terms`."""

    terms: tuple[Node, ...]
    place: Place = _place()


@attrs.frozen
class Or:
    """Any of `terms`."""

    terms: tuple[Node, ...]
    place: Place = _place()


@attrs.frozen
class Not:
    """A guard: not so far in this scope."""

    body: Node
    place: Place = _place()


@attrs.frozen
class Then:
    """Steps in order: each one begins after an end of the one before it."""

    steps: tuple[Node, ...]
    place: Place = _place()


@attrs.frozen
class Within:
    """`φ within D`: as soon as φ holds on `[a, a+D)`."""

    body: Node
    span: Span
    place: Place = _place()


@attrs.frozen
class Over:
    """`φ over D`: judged when `[a, a+D)` has closed."""

    body: Node
    span: Span
    place: Place = _place()


@attrs.frozen
class No:
    """`no σ within D`: an absence that a timer decides; the same as `!σ over D`."""

    body: Node
    span: Span
    place: Place = _place()


@attrs.frozen
class InAny:
    """`φ in any D`: in some window that begins with an event."""

    body: Node
    span: Span
    place: Place = _place()


@attrs.frozen
class InLast:
    """`φ in last D`: in the window that ends now; for segments only."""

    body: Node
    span: Span
    place: Place = _place()


@attrs.frozen
class InOne:
    """`φ in one month`: in some bucket of the calendar."""

    body: Node
    unit: str
    place: Place = _place()


@attrs.frozen
class Before:
    """`φ before "2026-01-01"`."""

    body: Node
    instant: str
    place: Place = _place()


@attrs.frozen
class Since:
    """`φ since "2026-01-01"`."""

    body: Node
    instant: str
    place: Place = _place()


@attrs.frozen
class By:
    """`φ by order_id`: on the events that share one value of a property."""

    body: Node
    field: Field
    place: Place = _place()


@attrs.frozen
class Ever:
    """Widens the scope to all known history of the user."""

    body: Node
    place: Place = _place()


@attrs.frozen
class Some:
    """`k of (…)`: at least `least` of `terms`."""

    least: int
    terms: tuple[Node, ...]
    place: Place = _place()


@attrs.frozen
class Streak:
    """`streak(σ*n, N calendar days, skip k)`."""

    body: Node
    span: Span
    skip: int = 0
    place: Place = _place()


@attrs.frozen
class Named:
    """`@name`: the named condition, inlined."""

    name: str
    place: Place = _place()


@attrs.frozen
class Satisfied:
    """`satisfied(name)`: the event that the named condition became satisfied."""

    name: str
    """Empty where the condition is written out."""
    body: Node | None = None
    """The condition: written out, as in `satisfied((A then B))`, or put in for its name; None where it has to be."""
    place: Place = _place()


Node: TypeAlias = (
    AtLeast
    | Between
    | Comparison
    | And
    | Or
    | Not
    | Then
    | Within
    | Over
    | No
    | InAny
    | InLast
    | InOne
    | Before
    | Since
    | By
    | Ever
    | Some
    | Streak
    | Named
    | Satisfied
)
