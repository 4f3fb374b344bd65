"""Ids in the order of an instant that may change or go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import TypeAlias

Place: TypeAlias = tuple[int, str]


class Queue:
    """A heap that forgets lazily: changing an instant leaves the old entry behind, which is skipped when it comes up.

    So a change costs the logarithm of the size, and nothing is ever searched.
    """

    def __init__(self) -> None:
        self._instants: dict[str, int] = {}
        self._heap: list[Place] = []

    def put(self, id: str, instant: int | None) -> None:
        """Move an id to an instant, or out of the queue."""
        if instant is None:
            self._instants.pop(id, None)
        elif self._instants.get(id) != instant:
            self._instants[id] = instant
            heappush(self._heap, (instant, id))
        if len(self._heap) > 2 * len(self._instants) + 64:
            self._heap = [(instant, id) for id, instant in self._instants.items()]
            heapify(self._heap)

    def ids(self) -> Iterator[str]:
        """All ids, in no order."""
        return iter(self._instants)

    def first(self, limit: int, until: int = 2**63, where: Callable[[str], bool] = lambda _id: True) -> list[str]:
        """At most `limit` ids that are up to this instant and as wanted, earliest first, then by id."""
        first: list[str] = []
        seen: list[Place] = []
        while self._heap and self._heap[0][0] <= until and len(first) < limit:
            place = heappop(self._heap)
            if self._instants.get(place[1]) != place[0] or (seen and seen[-1] == place):
                continue
            seen.append(place)
            if where(place[1]):
                first.append(place[1])
        for place in seen:
            heappush(self._heap, place)
        return first
