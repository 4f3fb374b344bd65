"""How far a condition is: a number from 0 to 1, by what the cheapest way on costs now and cost at the start."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from rewardkit.language import civil, tree
from rewardkit.language.descent import descend
from rewardkit.language.event import Instant
from rewardkit.language.explaining.continuation import way_on
from rewardkit.language.explaining.need import WAIT, Way, cost
from rewardkit.language.specification import Decided, Scope, timer
from rewardkit.language.verdict import Status

_PLACES = 10_000
_AFTER_EVENTS = 2
_MOST_LAPSES = 8
"""Instants that are looked at, latest first, for one that made the rest longer."""


class Lapse(NamedTuple):
    """Time alone made the rest longer: a window, a gap or a streak was not met."""

    at: Instant
    before: Fraction
    """What was missing just before, counted in events."""
    after: Fraction


def distance(way: Way) -> Fraction | None:
    """What a way on costs where the condition does not hold; None where there is none."""
    return None if way is None else cost(way) or WAIT


def share(status: Status, now: Way, opened: Way) -> float:
    """From 0 to 1, rounded down to four places; 1 where it is satisfied, and nowhere else."""
    if status != "pending":
        return float(status == "satisfied")
    rest, whole = distance(now), distance(opened)
    if rest is None or whole is None or rest >= whole:
        return 0.0
    return float(Fraction(int((1 - rest / whole) * _PLACES), _PLACES))


def progress(node: tree.Node, found: Decided) -> float:
    """The progress of a verdict of the specification."""
    status = found.reading.status
    if status != "pending":
        return share(status, (), ())
    return share(status, way_on(node, found.scope, found.at), way_on(node, found.opened, found.opened.until[0]))


def lapse(node: tree.Node, found: Decided, way: Way) -> Lapse | None:
    """The last instant at which time alone made the rest longer, where it is longer than before still.

    Args:
        node: the condition.
        found: its verdict, pending.
        way: the cheapest way on as things are now.
    """
    now = distance(way)
    for at in sorted(_instants(node, found), reverse=True)[:_MOST_LAPSES]:
        before = distance(way_on(node, _as_of(found.scope, (at - 1, _AFTER_EVENTS, 0, "")), at - 1))
        after = distance(way_on(node, _as_of(found.scope, timer(at)), at))
        if before is not None and after is not None and after > before:
            return Lapse(at, before, after) if now is None or now > before else None
    return None


def _as_of(scope: Scope, until: tuple[Instant, int, int, str]) -> Scope:
    return scope._replace(until=until, reading=until)


def _instants(node: tree.Node, found: Decided) -> Iterable[Instant]:
    """The timers so far, and the last beginnings of a streak's buckets, which decide nothing."""
    begin = found.opened.until[0]
    instants = set(found.timers)
    for part in descend(node):
        if isinstance(part, tree.Streak) and isinstance(part.span, tree.Calendar):
            start, _ = civil.bucket(found.at, part.span.unit, found.scope.zone)
            instants |= {start, civil.bucket(max(0, start - 1), part.span.unit, found.scope.zone)[0]}
    return {at for at in instants if begin < at <= found.at}
