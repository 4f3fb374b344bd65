"""What the store of PostgreSQL needs of an asynchronous connection, whichever driver it is of."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

from rewardkit.storage.sql.awaited import AwaitedConnection


class AwaitedCursor:
    """Stands in for psycopg's plain cursor, and raises psycopg's errors."""

    def __init__(self, fetch: Callable[[bytes, Sequence[Any]], list[Any]]) -> None:
        self._fetch = fetch
        self._rows: list[Any] = []

    def execute(self, text: bytes, values: Sequence[Any]) -> Self:
        """Execute, and wait for the rows."""
        self._rows = self._fetch(text, values)
        return self

    def fetchall(self) -> list[Any]:
        """The rows of the last statement."""
        return self._rows


class AwaitedPostgres(AwaitedConnection):
    """A connection to PostgreSQL."""

    @abstractmethod
    def check(self) -> None:
        """Refuse what cannot be joined, without asking the server.

        Raises:
            ValidationError: it is in autocommit with no transaction open.
            StoreError: it is closed, its transaction is broken, or it cannot keep all text.
        """

    @abstractmethod
    def cursor(self) -> AwaitedCursor:
        """A cursor that gives text, integers and bytes as such, and whose statements a cancellation interrupts."""
