"""Who listens to an event, by its name: those that mention it, and those to whom every event may matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import attrs

from rewardkit.language.planning.names import Everything

One = TypeVar("One")


@attrs.frozen(slots=False)
class Listeners(Generic[One]):
    """Listeners of one kind."""

    by_name: Mapping[str, tuple[One, ...]]
    """Of every name that one of them mentions, all who listen to it."""
    everywhere: tuple[One, ...]
    """Who listens to any other name."""

    def to(self, name: str) -> tuple[One, ...]:
        """Who listens to an event, each once."""
        return self.by_name.get(name, self.everywhere)


def listeners(heard: Iterable[tuple[One, frozenset[str]]]) -> Listeners[One]:
    """The listeners of some names each, in the order in which they are given."""
    known = list(heard)
    mentioned = frozenset[str]().union(*(names for _, names in known))
    by_name = {name: tuple(one for one, names in known if name in names) for name in mentioned}
    return Listeners(by_name, tuple(one for one, names in known if isinstance(names, Everything)))
