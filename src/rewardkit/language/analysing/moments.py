"""The instants that matter to a condition: which ones a search has to try, and whether these are all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from rewardkit.language import civil, tree
from rewardkit.language.descent import descend
from rewardkit.language.event import LATEST, Event, Instant
from rewardkit.language.specification.deadlines import deadlines

MOST_PHASES = 64
"""Stretches of time between fixed instants that a search tells apart."""
MOST_NEAR = 12
"""Instants that are tried for the next event, where windows begin with events."""

_Anchors = frozenset[Instant] | None
"""The instants at which a window may begin; None where that is wherever an event happens."""


@attrs.frozen
class Setting:
    """The scope that a condition is looked at in."""

    start: Instant | None
    end: Instant | None
    zone: str

    @property
    def begin(self) -> Instant:
        """The instant of the first event, at the earliest."""
        return BEGINNING if self.start is None else self.start


BEGINNING: Instant = 1_704_067_200_000_000
"""2024-01-01T00:00:00Z, where histories that are made up begin."""


class _FloatingError(Exception):
    """A window begins with an event, so that no fixed instants tell everything."""


def phases(nodes: Iterable[tree.Node], setting: Setting) -> tuple[Instant, ...] | None:
    """Instants that stand for all others: within the stretch up to the next one, only the order of events matters.

    None where windows begin with events, or where there are too many.
    """
    found = _Phases(setting)
    try:
        for node in nodes:
            found.walk(node, None if setting.start is None else frozenset((setting.start,)))
    except _FloatingError:
        return None
    first = setting.begin
    if setting.start is None and found.fixed:
        first = min(first, min(found.fixed) - 1)
    end = LATEST if setting.end is None else setting.end
    made = tuple(sorted({at for at in found.fixed if first < at < end} | {first}))
    return made if len(made) <= MOST_PHASES else None


class _Phases:
    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.fixed: set[Instant] = set()

    def walk(self, node: tree.Node, anchors: _Anchors) -> _Anchors:
        """Collects the closes of windows, and gives the instants at which they may hand over."""
        match node:
            case tree.AtLeast() | tree.Between():
                return None
            case tree.Comparison() if not _counts_days(node):
                return None
            case tree.And(terms=terms) | tree.Or(terms=terms) | tree.Some(terms=terms):
                found = [self.walk(term, anchors) for term in terms]
                return None if None in found else frozenset().union(*(one for one in found if one is not None))
            case tree.Not(body=body):
                self.walk(body, anchors)
                return frozenset()
            case tree.By(body=body):
                return self.walk(body, anchors)
            case tree.Within(body=body, span=span):
                self._closes(span, anchors)
                return self.walk(body, anchors)
            case tree.Over(body=body, span=span) | tree.No(body=body, span=span):
                closes = self._closes(span, anchors)
                self.walk(body, anchors)
                return closes
            case tree.Then(steps=steps):
                for step in steps:
                    anchors = self.walk(step, anchors)
                return anchors
            case tree.Before(body=body, instant=text) | tree.Since(body=body, instant=text):
                self.fixed.add(civil.instant_of(text, self.setting.zone))
                return self.walk(body, anchors)
            case tree.Ever(body=body) if not any(isinstance(part, tree.Before | tree.Since) for part in descend(body)):
                self.walk(body, None)
                return None
            case _:
                raise _FloatingError

    def _closes(self, span: tree.Span, anchors: _Anchors) -> frozenset[Instant]:
        if anchors is None:
            raise _FloatingError
        closes = frozenset(close_of(span, anchor, self.setting.zone) for anchor in anchors)
        self.fixed |= closes
        return closes


def close_of(span: tree.Span, anchor: Instant, zone: str) -> Instant:
    """The close of a window."""
    if isinstance(span, tree.Elapsed):
        return anchor + span.microseconds
    return civil.span_end(anchor, span.count, span.unit, zone)


def near(nodes: Sequence[tree.Node], events: Sequence[Event], now: Instant, setting: Setting) -> list[Instant]:
    """Later instants that are worth trying for the next event: closes, the microsecond before each, new buckets."""
    found: set[Instant] = set()
    for node in nodes:
        found |= deadlines(node, events, setting.start, setting.zone, None)
        for part in descend(node):
            if isinstance(part, tree.Since):
                found.add(civil.instant_of(part.instant, setting.zone))
            unit = _unit(part)
            if unit is not None:
                found.add(civil.bucket(now, unit, setting.zone)[1])
    end = LATEST if setting.end is None else setting.end
    later = {at for close in found for at in (close, close - 1) if now < at < end}
    return sorted(later)[:MOST_NEAR]


def _unit(part: tree.Node) -> str | None:
    """The calendar unit that a part sorts events into."""
    match part:
        case tree.InOne(unit=unit) | tree.Streak(span=tree.Calendar(unit=unit)):
            return unit
        case tree.Comparison() if _counts_days(part):
            return "day"
        case _:
            return None


def _counts_days(node: tree.Comparison) -> bool:
    terms = node.left if isinstance(node.right, str) else node.left + node.right
    return any(term.aggregate is not None and term.aggregate.function == "days" for term in terms)
