"""A store on its own connections: begin, commit, roll back, migrate, and what to do when one of them fails."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, Literal, TypeVar
from weakref import ReferenceType

from rewardkit.errors import SchemaError, StoreError
from rewardkit.ports import Store
from rewardkit.storage.sql.connections import Connection, Connections
from rewardkit.storage.sql.dialect import Dialect, checked_prefix
from rewardkit.storage.sql.hosts import host_of
from rewardkit.storage.sql.joined import JoinedStore
from rewardkit.storage.sql.migrations import MIGRATION_TABLE, MIGRATIONS
from rewardkit.storage.sql.rows import SqlRows
from rewardkit.storage.sql.statements import Statements
from rewardkit.storage.transaction import OpenTransaction

C = TypeVar("C", bound=Connection)


class SqlStore(ABC, Generic[C]):
    """What both dialects share. See `rewardkit.ports.Store`."""

    def __init__(self, dialect: Dialect, prefix: str) -> None:
        self.dialect = dialect
        self.prefix = checked_prefix(prefix)
        self.statements = Statements(dialect, prefix)
        self.databases: dict[int, ReferenceType[object]] = {}
        """Databases of hosts in which the tables were found, by identity."""
        self._connections = Connections(self._connect)

    @property
    def joined(self) -> Literal[False]:
        """Not: its transactions are its own."""
        return False

    @contextmanager
    def transaction(self, tenant: str) -> Iterator[OpenTransaction]:
        """As `Store.transaction` promises."""
        held = self._connections.take()
        transaction: OpenTransaction | None = None
        try:
            self.begin(held.connection)
            transaction = OpenTransaction(self.rows(held.connection, tenant))
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
                self._refuse_newer(version)
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

    def check_schema(self, version: int) -> None:
        """Raise unless this version of rewardkit can work with the tables.

        Args:
            version: how many migrations have been applied.

        Raises:
            SchemaError: too few or too many.
        """
        if version < len(MIGRATIONS):
            raise SchemaError(
                f"the tables are at migration {version}, this version needs {len(MIGRATIONS)}; run `rewardkit migrate`"
            )
        self._refuse_newer(version)

    def _refuse_newer(self, version: int) -> None:
        if version > len(MIGRATIONS):
            raise SchemaError(
                f"the tables are at migration {version}, this version knows {len(MIGRATIONS)}; upgrade rewardkit"
            )

    def version(self, connection: C) -> int:
        """How many migrations have been applied.

        Raises:
            SchemaError: none, ever.
        """
        name = self.statements.name("migration")
        return int(self.execute(connection, f'SELECT coalesce(max("number"), 0) FROM {name}')[0][0])

    def _connect(self) -> C:
        connection = self.connect()
        try:
            self.prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @abstractmethod
    def connect(self) -> C:
        """A new connection, set up."""

    @abstractmethod
    def prepare(self, connection: C) -> None:
        """Make sure of the tables, once a connection."""

    @abstractmethod
    def enter(self, connection: Any) -> None:
        """Make a host's driver begin where its facade has and it has not.

        Raises:
            ValidationError: not a connection of this dialect's driver, or in autocommit.
            StoreError: the host's transaction has failed, or its connection is closed.
        """

    @contextmanager
    def entered(self, connection: Any) -> Iterator[None]:
        """As `enter`, for the length of a block, in which a host's settings do not reach us."""
        self.enter(connection)
        yield

    @abstractmethod
    def begin(self, connection: C) -> None: ...

    @abstractmethod
    def begin_migration(self, connection: C) -> None:
        """Begin, and keep all other migrations out."""

    @abstractmethod
    def commit(self, connection: C) -> None: ...

    @abstractmethod
    def roll_back(self, connection: C) -> bool:
        """Undo whatever is open; whether the connection can be trusted afterwards. Never raises."""

    @abstractmethod
    def execute(self, connection: C, text: str, values: Sequence[Any] = ()) -> list[Any]:
        """Execute, and give the rows, if any."""

    @abstractmethod
    def rows(self, connection: C, tenant: str) -> SqlRows:
        """A tenant's rows in the connection's transaction."""


def failed(what: str, error: BaseException, *, transient: bool = False, unknown: bool = False) -> StoreError:
    """A driver's error in our words."""
    # Further lines would be the server's details, which quote values.
    message = f"{what}: {str(error).partition(chr(10))[0]}"
    return StoreError(message, "unknown" if unknown else "not_applied", transient=transient)
