"""psycopg's AsyncConnection for the store of PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from rewardkit.storage.sql.awaited_postgres import AwaitedCursor, AwaitedPostgres
from rewardkit.storage.sql.postgres import check_open, plain_cursor


class AwaitedPsycopg(AwaitedPostgres):
    """See `AwaitedPostgres`."""

    driver: psycopg.AsyncConnection[Any]

    def check(self) -> None:
        """See `AwaitedPostgres.check`."""
        check_open(self.driver)

    def execute(self, text: str, values: Sequence[Any] = ()) -> list[Any]:
        """See `AwaitedConnection.execute`."""
        cursor = psycopg.AsyncCursor(self.driver, row_factory=tuple_row)
        return self.waited(_rows(cursor, text.encode(), values), interruptible=False)

    def cursor(self) -> AwaitedCursor:
        """See `AwaitedPostgres.cursor`."""
        cursor = plain_cursor(psycopg.AsyncCursor(self.driver, row_factory=tuple_row))
        return AwaitedCursor(lambda text, values: self.waited(_rows(cursor, text, values), interruptible=True))


async def _rows(cursor: psycopg.AsyncCursor[Any], text: bytes, values: Sequence[Any]) -> list[Any]:
    await cursor.execute(text, values)
    return await cursor.fetchall() if cursor.description else []
