"""What a proof is made of: events that happened, and what did not, or came to what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from rewardkit.language import tree
from rewardkit.language.event import Event, Instant
from rewardkit.language.specification import Place
from rewardkit.language.syntax.format import format_condition


class Absence(NamedTuple):
    """Something that did not happen, or not often enough."""

    what: str
    """An event in backticks, or several; or a part of the condition."""
    fewer_than: int
    """1 where it did not happen at all."""
    since: Instant | None
    """The start of the stretch; None where the scope has none."""
    until: Instant | None
    """Its end; None for the reading itself."""
    after: Place
    """The same stretch, as places in the order of events: it begins after this one."""
    upto: Place
    """The last place that is part of it."""
    matches: tuple[tree.Match, ...] = ()
    """What is counted; none where a part of the condition was not completed."""


class Value(NamedTuple):
    """What an aggregate came to."""

    what: str
    value: str
    """As a condition writes it, `nothing` where there was nothing to aggregate."""
    since: Instant | None
    until: Instant | None


Fact: TypeAlias = Event | Absence | Value


def described(match: tree.Match) -> str:
    """What an event has to be, for people: its bare name where there is no filter."""
    return match.name if match.where is None else format_condition(tree.AtLeast((match,)))


def selector(matches: tuple[tree.Match, ...]) -> str:
    """What one of several events has to be."""
    return " or ".join(f"`{described(match)}`" for match in matches)


def once(facts: Iterable[Fact]) -> list[Fact]:
    """Each fact once, where it comes first."""
    kept: list[Fact] = []
    for fact in facts:
        if fact not in kept:
            kept.append(fact)
    return kept
