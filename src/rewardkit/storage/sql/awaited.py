"""A host's asynchronous connection as blocking code sees it: statements that are waited for, one call at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from rewardkit.errors import StoreError
from rewardkit.storage.sql.awaiting import Wait, ended

A = TypeVar("A")

_BUSY: Final[set[int]] = set()
"""Connections in which a call is under way, by identity."""


class AwaitedConnection(ABC):
    """What a dialect's driver uses in place of its own kind of connection."""

    def __init__(self, driver: Any, wait: Wait) -> None:
        self.driver = driver
        self._wait = wait

    @abstractmethod
    def execute(self, text: str, values: Sequence[Any] = ()) -> list[Any]:
        """Execute to the end, and give the rows, if any; raises what the dialect's own driver would."""

    def waited(self, statement: Coroutine[Any, Any, A], *, interruptible: bool) -> A:
        """What came of a statement."""
        return self._wait(ended(statement, interruptible=interruptible))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second task out: its savepoint and ours would undo each other's rows.

        Raises:
            StoreError: another call has not ended.
        """
        place = id(self.driver)
        if place in _BUSY:
            raise StoreError(
                "another call is under way in the same transaction of the host; await one before the next begins"
            )
        _BUSY.add(place)
        try:
            yield
        finally:
            _BUSY.discard(place)
