"""Terms by version, as commands gave them: versions between two that were given have the terms of the one before."""

from __future__ import annotations

from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.define
class Versions(Generic[T]):
    """The terms of one kind of definition, by name."""

    _given: dict[str, list[tuple[int, T]]] = attrs.field(factory=dict)

    def put(self, name: str, version: int, terms: T) -> None:
        """Keep what a version was defined as."""
        self._given.setdefault(name, []).append((version, terms))

    def at(self, name: str, version: int) -> T:
        """What a version says."""
        return [terms for given, terms in self._given[name] if given <= version][-1]

    def newest(self, name: str) -> T:
        """What is made next is made from this."""
        return self._given[name][-1][1]

    def names(self) -> tuple[str, ...]:
        """In the order in which they were first defined."""
        return tuple(self._given)
