"""A store on its own connections: begin, commit, roll back, migrate, and what to do when one of them fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

from rewardkit.errors import StoreError
from rewardkit.ports import AsyncJoined, Hear, Store
from rewardkit.storage.sql.connections import Connection, Connections
from rewardkit.storage.sql.dialect import Dialect
from rewardkit.storage.sql.driver import Driver
from rewardkit.storage.sql.hosts import host_of
from rewardkit.storage.sql.joined import JoinedAsync, JoinedStore
from rewardkit.storage.sql.migrations import MIGRATION_TABLE, MIGRATIONS
from rewardkit.storage.transaction import OpenTransaction, unhearing

C = TypeVar("C", bound=Connection)


class SqlStore(Driver[C]):
    """What both dialects share. See `rewardkit.ports.Store`."""

    def __init__(self, dialect: Dialect, prefix: str) -> None:
        super().__init__(dialect, prefix)
        self._connections = Connections(self._connect)

    @property
    def joined(self) -> Literal[False]:
        """Not: its transactions are its own."""
        return False

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[OpenTransaction]:
        """As `Store.transaction` promises."""
        held = self._connections.take()
        transaction: OpenTransaction | None = None
        try:
            begin = self.begin_reading if reading else self.begin
            begin(held.connection)
            transaction = OpenTransaction(self.rows(held.connection, tenant), reading=reading)
            yield transaction
            transaction.check()
            self.commit(held.connection)
        except BaseException:
            if not self.roll_back(held.connection):
                self._connections.discard(held)
            raise
        finally:
            held.busy = False
            if transaction is not None:
                transaction.end()

    def join(self, host: object) -> Store:
        """As `Store.join` promises."""
        return JoinedStore(self, host_of(host))

    def join_async(self, host: object) -> AsyncJoined:
        """As `Store.join_async` promises."""
        return JoinedAsync(self, host)

    @contextmanager
    def listening(self, tenant: str) -> Iterator[Hear]:  # noqa: ARG002 - for a dialect that hears
        """As `Store.listening` promises: this one hears of nothing."""
        yield unhearing

    def migrate(self) -> tuple[str, ...]:
        """As `Store.migrate` promises."""
        connection = self.connect()
        try:
            return self.apply_migrations(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """As `Store.close` promises."""
        self._connections.close()

    def apply_migrations(self, connection: C) -> tuple[str, ...]:
        """Apply what is missing, each step in a transaction of its own, which also looks what is missing."""
        applied: list[str] = []
        words = self.dialect.words(self.prefix)
        while True:
            try:
                self.begin_migration(connection)
                self.execute(connection, MIGRATION_TABLE.format_map(words))
                version = self.version(connection)
                self.refuse_newer(version)
                for migration in MIGRATIONS[version : version + 1]:
                    for text in migration.texts(self.dialect, self.prefix):
                        self.execute(connection, text)
                    self.execute(
                        connection,
                        f'INSERT INTO {self.statements.name("migration")} ("number", "name") VALUES '
                        f"({self.dialect.parameter}, {self.dialect.parameter})",
                        (version + 1, migration.name),
                    )
                    applied.append(migration.name)
                self.commit(connection)
            except BaseException:
                self.roll_back(connection)
                raise
            if version >= len(MIGRATIONS):
                return tuple(applied)

    def _connect(self) -> C:
        connection = self.connect()
        try:
            self.prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def failed(what: str, error: BaseException, *, transient: bool = False, unknown: bool = False) -> StoreError:
    """A driver's error in our words."""
    # Further lines would be the server's details, which quote values.
    message = f"{what}: {str(error).partition(chr(10))[0]}"
    return StoreError(message, "unknown" if unknown else "not_applied", transient=transient)
