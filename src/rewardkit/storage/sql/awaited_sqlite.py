"""aiosqlite's connection, inside SQLAlchemy's transaction, for the store of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from rewardkit.storage.sql.awaited import AwaitedConnection

if TYPE_CHECKING:
    import aiosqlite


class AwaitedSqlite(AwaitedConnection):
    """Has what the store looks at on a connection of `sqlite3`."""

    driver: aiosqlite.Connection

    @property
    def in_transaction(self) -> bool:
        """Whether the driver has begun.

        Raises:
            sqlite3.ProgrammingError: the connection is closed.
        """
        try:
            return self.driver.in_transaction
        except ValueError as error:
            raise sqlite3.ProgrammingError(str(error)) from error

    @property
    def isolation_level(self) -> str | None:
        """None where the driver never begins by itself."""
        return self.driver.isolation_level

    @property
    def text_factory(self) -> Any:
        """What makes the host's texts."""
        return self.driver.text_factory

    @text_factory.setter
    def text_factory(self, factory: Any) -> None:
        self.driver.text_factory = factory

    def execute(self, text: str, values: Sequence[Any] = ()) -> list[Any]:
        """See `AwaitedConnection.execute`."""
        return self.waited(self.fetched(text, values), interruptible=False)[0]

    def cursor(self) -> AwaitedSqliteCursor:
        """A cursor; its statements run on the driver's thread, where nothing interrupts them."""
        return AwaitedSqliteCursor(self)

    async def fetched(self, text: str, values: Sequence[Any]) -> tuple[list[Any], int]:
        """A statement's rows, and how many it changed."""
        cursor = await _open(self.driver.execute(text, values))
        rows: list[Any] = []
        if cursor.description:
            cursor.row_factory = None
            rows = list(await cursor.fetchall())
        return rows, cursor.rowcount

    async def repeated(self, text: str, values: Iterable[Sequence[Any]]) -> tuple[list[Any], int]:
        """As `fetched`, of a statement that is executed for each of the values."""
        cursor = await _open(self.driver.executemany(text, values))
        return [], cursor.rowcount


class AwaitedSqliteCursor:
    """Stands in for a cursor of `sqlite3`, and raises its errors."""

    def __init__(self, connection: AwaitedSqlite) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.rowcount = -1

    def execute(self, text: str, values: Sequence[Any] = ()) -> Self:
        """Execute, and wait for the rows."""
        return self._take(self._connection.fetched(text, values))

    def executemany(self, text: str, values: Iterable[Sequence[Any]]) -> Self:
        """Execute for each of the values."""
        return self._take(self._connection.repeated(text, values))

    def fetchall(self) -> list[Any]:
        """The rows of the last statement."""
        return self._rows

    def _take(self, statement: Coroutine[Any, Any, tuple[list[Any], int]]) -> Self:
        self._rows, self.rowcount = self._connection.waited(statement, interruptible=False)
        return self


async def _open(opening: Any) -> aiosqlite.Cursor:
    try:
        cursor: aiosqlite.Cursor = await opening
    except UnicodeEncodeError:
        raise
    except ValueError as error:  # the driver's word for a closed connection
        raise sqlite3.ProgrammingError(str(error)) from error
    return cursor
