"""Stretches of a history without its start: what is left of their events is what a condition may still need.

A condition that only counts needs the first few places of each leaf; any other keeps every event that it listens to.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable

import attrs

from rewardkit.errors import InvariantError, ValidationError
from rewardkit.language import tree
from rewardkit.language.descent import descend
from rewardkit.language.encoding.event_data import read_events, write_events
from rewardkit.language.event import Event, Position
from rewardkit.language.listening import hears_all, names_of
from rewardkit.language.ordering import in_order
from rewardkit.language.values.filter import matches


@attrs.frozen
class Partial:
    """What one condition needs of a stretch of a user's history; made by `Program.partial`."""

    fingerprint: bytes
    """Of the program that it belongs to."""
    first: Position | None
    """The place of the stretch's first event, kept or not; None where it has none."""
    last: Position | None
    events: tuple[Event, ...]
    """What is kept, in total order."""


class Stretches:
    """Makes, joins and packs the partials of one program."""

    def __init__(self, node: tree.Node, fingerprint: bytes) -> None:
        self._fingerprint = fingerprint
        self._keep = _keeping(node)

    def partial(self, events: Iterable[Event]) -> Partial:
        """The partial of a stretch's events, given in any order."""
        known = in_order(events)
        first, last = (known[0].position, known[-1].position) if known else (None, None)
        return Partial(self._fingerprint, first, last, self._keep(known))

    def joined(self, left: Partial, right: Partial) -> Partial:
        """The partial of two stretches that follow each other."""
        self.require(left, right)
        if left.last is not None and right.first is not None and right.first <= left.last:
            raise ValidationError(
                "stretches of a history are merged in order: the right one begins before the left ends"
            )
        events = self._keep([*left.events, *right.events])
        return Partial(self._fingerprint, left.first or right.first, right.last or left.last, events)

    def require(self, *partials: Partial) -> None:
        """Refuses a partial of another program."""
        if any(partial.fingerprint != self._fingerprint for partial in partials):
            raise InvariantError("a partial belongs to the condition that made it: make it anew from stored events")

    def pack(self, partial: Partial) -> bytes:
        """The bytes of a partial."""
        self.require(partial)
        data = [partial.first, partial.last, write_events(partial.events)]
        body = json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode()
        return zlib.crc32(body, zlib.crc32(self._fingerprint)).to_bytes(4, "big") + body

    def unpack(self, data: bytes) -> Partial:
        """The partial of some bytes, or InvariantError."""
        if zlib.crc32(data[4:], zlib.crc32(self._fingerprint)).to_bytes(4, "big") != data[:4]:
            raise InvariantError("a packed partial is damaged, or belongs to another condition: make it anew")
        first, last, events = json.loads(data[4:])
        places = [None if place is None else Position(*place) for place in (first, last)]
        return Partial(self._fingerprint, places[0], places[1], read_events(events))


_Keep = Callable[[list[Event]], tuple[Event, ...]]

_COUNTING = (
    tree.AtLeast | tree.Between | tree.And | tree.Or | tree.Some | tree.Not
    | tree.Within | tree.Over | tree.No | tree.Before | tree.Ever
)  # fmt: skip
"""Of these a leaf counts from its scope's beginning up to a bound: later matches than the first few are idle."""


def _keeping(node: tree.Node) -> _Keep:
    parts = list(descend(node))
    if not all(isinstance(part, _COUNTING) for part in parts):
        names = None if hears_all(node) else names_of(node)
        return lambda events: tuple(event for event in events if names is None or event.name in names)
    leaves: list[tuple[tuple[tree.Match, ...], int]] = []
    for part in parts:
        if isinstance(part, tree.AtLeast):
            leaves.append((part.matches, part.least))
        elif isinstance(part, tree.Between):
            leaves.append((part.matches, part.most + 1))
    return lambda events: _first_places(events, leaves)


def _first_places(events: list[Event], leaves: list[tuple[tuple[tree.Match, ...], int]]) -> tuple[Event, ...]:
    """The events that are among the first few matches of some leaf."""
    counts = [0] * len(leaves)
    kept = []
    for event in events:
        needed = False
        for place, (found, most) in enumerate(leaves):
            if counts[place] < most and _matched(found, event):
                counts[place] += 1
                needed = True
        if needed:
            kept.append(event)
    return tuple(kept)


def _matched(found: tuple[tree.Match, ...], event: Event) -> bool:
    return any(
        match.name == event.name and (match.where is None or matches(match.where, event.properties)) for match in found
    )
