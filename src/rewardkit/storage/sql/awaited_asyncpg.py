"""asyncpg's connection, inside SQLAlchemy's transaction, for the store of PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any

import asyncpg
import psycopg

from rewardkit.errors import StoreError
from rewardkit.storage.sql.awaited_postgres import AwaitedCursor, AwaitedPostgres
from rewardkit.storage.sql.hosts import autocommits
from rewardkit.storage.sql.postgres import check_encoding, translated

_PARAMETER = re.compile(r"%s(::\w+\[\])?")

_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError)


class AwaitedAsyncpg(AwaitedPostgres):
    """See `AwaitedPostgres`."""

    def check(self) -> None:
        """See `AwaitedPostgres.check`."""
        if self.driver.is_closed():
            raise StoreError("the host's connection is closed")
        if not self.driver.is_in_transaction():
            raise autocommits("take the isolation level `AUTOCOMMIT` away")
        settings = self.driver.get_settings()
        check_encoding(lambda name: getattr(settings, name, None))

    def execute(self, text: str, values: Sequence[Any] = ()) -> list[Any]:
        """See `AwaitedConnection.execute`."""
        try:
            return self.waited(self._rows(text, values), interruptible=False)
        except _ERRORS as error:
            raise translated(as_psycopg(error)) from error

    def cursor(self) -> AwaitedCursor:
        """See `AwaitedPostgres.cursor`."""
        return AwaitedCursor(self._fetch)

    def _fetch(self, text: bytes, values: Sequence[Any]) -> list[Any]:
        try:
            return self.waited(self._rows(text.decode(), values), interruptible=True)
        except _ERRORS as error:
            raise as_psycopg(error) from error

    async def _rows(self, text: str, values: Sequence[Any]) -> list[Any]:
        return list(map(tuple, await self.driver.fetch(numbered(text), *values)))


@lru_cache(maxsize=1_024)
def numbered(text: str) -> str:
    """A statement with asyncpg's parameters in the place of psycopg's.

    Arrays travel as their text, which asyncpg would not take for an array: the server makes one of it.
    """
    numbers = count(1)
    return _PARAMETER.sub(lambda found: f"${next(numbers)}{f'::text{found[1]}' if found[1] else ''}", text)


def as_psycopg(error: Exception) -> psycopg.Error:
    """The error that psycopg would have raised, so that both are told in the same words."""
    state = getattr(error, "sqlstate", None)
    message = str(error).partition("\n")[0]
    if state is not None:
        try:
            return psycopg.errors.lookup(state)(message)
        except KeyError:  # newer than psycopg, or a function's own
            return psycopg.DatabaseError(message)
    if isinstance(error, OSError):
        return psycopg.OperationalError(message)
    if isinstance(error, ValueError):
        return psycopg.DataError(message)
    return psycopg.InterfaceError(message)
