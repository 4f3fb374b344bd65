"""What has to happen before a condition holds, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Final, TypeAlias

import attrs

from rewardkit.language import tree
from rewardkit.language.event import Instant

WAIT: Final = Fraction(1, 10)
"""What waiting for an instant costs, where an event costs 1: something, since it is not over before that instant."""
_MOST_CHOICES = 64
"""Of `k of (…)` that are all tried; past it, the cheapest terms by themselves are taken."""


@attrs.frozen
class Need:
    """Events that have to happen, or an instant that has to pass."""

    matches: tuple[tree.Match, ...]
    """What each event has to be; none where any will do, or none is needed."""
    events: int
    """How many; 0 for an instant, or for a share of an amount."""
    cost: Fraction
    """Counted in events: a share of one for an amount, a tenth for an instant."""
    what: str
    """In words, such as "1 more `purchase`"."""
    by: Instant | None = None
    """The first instant that is too late."""
    until: Instant | None = None
    """The instant that has to pass; None where it is not known yet."""
    span: tree.Span | None = None
    """How long it takes for the instant to pass, where it is a window's."""
    later: bool = False
    """Whether it counts only after other needs are met."""


Way: TypeAlias = tuple[Need, ...] | None
"""Everything that is needed; nothing where it holds already, None where it cannot be."""


def events_needed(count: int, matches: tuple[tree.Match, ...], what: str, by: Instant | None) -> Need:
    """So many more events."""
    return Need(matches, count, Fraction(count), f"{count} more {what}", by)


def cost(way: Sequence[Need]) -> Fraction:
    """Of everything together."""
    return sum((need.cost for need in way), Fraction(0))


def cheapest(ways: Sequence[Way]) -> Way:
    """The way that costs least; of equal ones the first."""
    opened = [way for way in ways if way is not None]
    return min(opened, key=cost) if opened else None


def together(ways: Sequence[Way]) -> Way:
    """All ways, where one event may serve several of them; within one way each needs its own."""
    if any(way is None for way in ways):
        return None
    given = [way or () for way in ways]
    # What serves others comes first, so that they find it.
    order = sorted(range(len(given)), key=lambda place: -_narrowness(given[place]))
    kept: dict[int, tuple[Need, ...]] = {}
    for place in order:
        spare = [(need, need.cost) for way in kept.values() for need in way]
        kept[place] = tuple(left for need in given[place] if (left := _uncovered(need, spare)) is not None)
    return tuple(need for place in range(len(given)) for need in kept[place])


def cheapest_of(least: int, ways: Sequence[Way]) -> Way:
    """The `least` cheapest ways, together."""
    opened = [place for place, way in enumerate(ways) if way is not None]
    if len(opened) < least:
        return None
    if comb(len(opened), least) <= _MOST_CHOICES:
        return cheapest([together([ways[place] for place in some]) for some in combinations(opened, least)])
    chosen = sorted(opened, key=lambda place: (cost(ways[place] or ()), place))[:least]
    return together([ways[place] for place in sorted(chosen)])


def _narrowness(way: Sequence[Need]) -> int:
    """How many events a way asks for by a filter, and by one name alone."""
    return sum(4 * (found.where is not None) + (len(need.matches) == 1) for need in way for found in need.matches)


def _uncovered(need: Need, spare: list[tuple[Need, Fraction]]) -> Need | None:
    """What is left of a need after others serve it."""
    left = need.cost
    for place, (other, amount) in enumerate(spare):
        if left and amount and _serves(other, need):
            taken = min(left, amount)
            left -= taken
            spare[place] = (other, amount - taken)
    if not left:
        return None
    if need.events and left != need.cost:
        return attrs.evolve(need, events=int(left), cost=left, what=need.what.replace(str(need.events), str(left), 1))
    return need


def _serves(other: Need, need: Need) -> bool:
    if not need.events or not other.events:
        return (other.what, other.until, other.by) == (need.what, need.until, need.by)
    return all(
        any(wide.name == narrow.name and wide.where in (None, narrow.where) for wide in need.matches)
        for narrow in other.matches
    ) and bool(other.matches)
