"""Which events any of some matches accepts, as one function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rewardkit.language import tree
from rewardkit.language.event import Event
from rewardkit.language.values.predicate import compile_predicate

Selector: TypeAlias = Callable[[Event], bool]


def selector_of(found: tuple[tree.Match, ...]) -> Selector:
    """The selector of some matches."""
    filters = [(one.name, None if one.where is None else compile_predicate(one.where)) for one in found]

    def matches(event: Event) -> bool:
        return any(event.name == name and (where is None or where(event.properties)) for name, where in filters)

    return matches
