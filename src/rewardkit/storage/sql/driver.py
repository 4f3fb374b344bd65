"""What the store asks of a dialect's driver; the same whoever opened the connection, the store or a host."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar
from weakref import ReferenceType

from rewardkit.errors import SchemaError
from rewardkit.storage.sql.connections import Connection
from rewardkit.storage.sql.dialect import Dialect, checked_prefix
from rewardkit.storage.sql.migrations import MIGRATIONS
from rewardkit.storage.sql.rows import SqlRows
from rewardkit.storage.sql.statements import Statements

C = TypeVar("C", bound=Connection)


class Driver(ABC, Generic[C]):
    """One dialect's statements, and how its connections are driven."""

    def __init__(self, dialect: Dialect, prefix: str) -> None:
        self.dialect = dialect
        self.prefix = checked_prefix(prefix)
        self.statements = Statements(dialect, prefix)
        self.databases: dict[int, ReferenceType[object]] = {}
        """Databases of hosts in which the tables were found, by identity."""

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
        self.refuse_newer(version)

    def refuse_newer(self, version: int) -> None:
        """Raise `SchemaError` where the tables are newer than this version of rewardkit."""
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
    def begin_reading(self, connection: C) -> None:
        """Begin, to see one committed state and to change nothing: it waits for no writer."""

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
