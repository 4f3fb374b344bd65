"""The names of the events that a condition listens to, which may be all that there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Everything(frozenset[str]):
    """All names; going through it gives the ones that the condition mentions."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True

    def __and__(self, other: Any) -> frozenset[str]:
        return frozenset(other)

    __rand__ = __and__


def together(heard: Iterable[frozenset[str]]) -> frozenset[str]:
    """The names of several parts."""
    parts = list(heard)
    mentioned = frozenset[str]().union(*parts)
    return Everything(mentioned) if any(isinstance(part, Everything) for part in parts) else mentioned
