"""SQLite by the standard library: a file beside the application, or part of it."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Effect, Insert, Publish, Replace
from rewardkit.core.storing.rows import Row
from rewardkit.errors import InvariantError, SchemaError, StoreError
from rewardkit.storage.sql.awaited_sqlite import AwaitedSqlite, AwaitedSqliteCursor
from rewardkit.storage.sql.dialect import DEFAULT_PREFIX, SQLITE
from rewardkit.storage.sql.hosts import autocommits, elsewhere
from rewardkit.storage.sql.migrations import MIGRATIONS
from rewardkit.storage.sql.rows import SqlRows, Values, claim_values, granted_in_order, log_statement
from rewardkit.storage.sql.sqlite_pools import SqlitePools, SqlitePoolStatements
from rewardkit.storage.sql.statements import Statements
from rewardkit.storage.sql.store import SqlStore, failed
from rewardkit.storage.tables import EVENT, FIRST_PLACE, MEMBER, TABLE_OF, Table

_UNKEEPABLE = (OverflowError, UnicodeEncodeError, sqlite3.InterfaceError, sqlite3.DataError)
"""What the driver raises for a value that no column takes."""


class SqliteStore(SqlStore[sqlite3.Connection]):
    """A SQLite file: created, readable by its owner only, and migrated on first use.

    Transactions wait for each other, over all threads and processes; each is on the disk when it has committed.

    Args:
        path: of the file; its directory must exist. Not on a network's file system: its locks cannot be trusted.
        prefix: of all tables.
        timeout_seconds: how long a transaction waits for the one before it.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, prefix: str = DEFAULT_PREFIX, timeout_seconds: float = 5.0
    ) -> None:
        super().__init__(SQLITE, prefix)
        self._path = Path(path)
        self._timeout_seconds = timeout_seconds
        self._texts = SqliteTexts(self.statements)

    def connect(self) -> sqlite3.Connection:
        """A new connection that has the settings which the promises need."""
        try:
            self._create()
            connection = sqlite3.connect(
                self._path,
                timeout=self._timeout_seconds,
                isolation_level=None,
                # A thread's connection is closed by whichever thread notices that it has ended.
                check_same_thread=False,
                cached_statements=256,
            )
        except (OSError, sqlite3.Error) as error:
            raise failed(f"cannot open `{self._path}`", error) from error
        try:
            self._use_write_ahead_log(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # In kibibytes and pages: a batch of a thousand users touches more pages than the defaults have room for,
            # and would be copied from the log into the file at each commit.
            connection.execute("PRAGMA cache_size = -16000")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
        except sqlite3.Error as error:
            connection.close()
            raise failed(f"cannot open `{self._path}`", error) from error
        return connection

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Migrate: whoever embeds a file has no other moment for it."""
        try:
            version = self.version(connection)
        except SchemaError:
            version = 0
        if version < len(MIGRATIONS):
            self.apply_migrations(connection)
        else:
            self.check_schema(version)

    def enter(self, connection: Any) -> None:
        """See `SqlStore.enter`."""
        if not isinstance(connection, sqlite3.Connection | AwaitedSqlite):
            raise elsewhere(connection, "SQLite", "sqlite3.Connection")
        try:
            begun = connection.in_transaction
        except sqlite3.ProgrammingError:
            raise StoreError("the host's connection is closed") from None
        if begun:
            return
        # From Python 3.12 on a connection may say by itself that it commits each statement.
        if connection.isolation_level is None or getattr(connection, "autocommit", None) is True:
            raise autocommits('execute "BEGIN IMMEDIATE" before')
        # The driver would wait with it until the first change that it recognises.
        self.execute(connection, "BEGIN IMMEDIATE")

    @contextmanager
    def entered(self, connection: Any) -> Iterator[None]:
        """See `SqlStore.entered`."""
        self.enter(connection)
        factory, connection.text_factory = connection.text_factory, str
        try:
            yield
        finally:
            connection.text_factory = factory

    def begin(self, connection: sqlite3.Connection) -> None:
        """Begin as the file's one writer: a reader that became one later could be refused."""
        self.execute(connection, "BEGIN IMMEDIATE")

    def begin_reading(self, connection: sqlite3.Connection) -> None:
        """Begin with the first reading, which the log answers beside any writer."""
        self.execute(connection, "BEGIN DEFERRED")

    def begin_migration(self, connection: sqlite3.Connection) -> None:
        """A writer is alone."""
        self.begin(connection)

    def commit(self, connection: sqlite3.Connection) -> None:
        """Commit. Where the disk fails in the middle of it, nobody knows what a crash would bring back."""
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise translated(error, committing=True) from error

    def roll_back(self, connection: sqlite3.Connection) -> bool:
        """See `SqlStore.roll_back`."""
        try:
            # A full disk makes SQLite roll back by itself.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            return False
        return True

    def execute(
        self, connection: sqlite3.Connection | AwaitedSqlite, text: str, values: Sequence[Any] = ()
    ) -> list[Any]:
        """See `SqlStore.execute`."""
        try:
            if isinstance(connection, AwaitedSqlite):
                return connection.execute(text, values)
            return sqlite3.Cursor(connection).execute(text, values).fetchall()
        except sqlite3.Error as error:
            raise translated(error) from error

    def rows(self, connection: sqlite3.Connection | AwaitedSqlite, tenant: str) -> SqliteRows:
        """See `SqlStore.rows`."""
        if isinstance(connection, AwaitedSqlite):
            return SqliteRows(self._texts, tenant, connection.cursor())
        return SqliteRows(self._texts, tenant, sqlite3.Cursor(connection))

    def _create(self) -> None:
        """SQLite would create it readable by everybody; its companions for the log follow the file's own mode.

        A file that is there is not opened: closing it would drop the locks of all this process's connections to it,
        and another process would remove the log under their feet.
        """
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))

    def _use_write_ahead_log(self, connection: sqlite3.Connection) -> None:
        """Switching needs the file alone for a moment, and does not wait for it by itself."""
        deadline = time.monotonic() + self._timeout_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not _busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


class SqliteTexts:
    """The statements that only SQLite executes: one a row, because a statement costs it next to nothing."""

    def __init__(self, statements: Statements) -> None:
        self.statements = statements
        self.pools = SqlitePoolStatements(statements)
        self.insert = {row: statements.insert(table) for row, table in TABLE_OF.items()}
        self.replace = {row: statements.replace(table) for row, table in TABLE_OF.items()}
        self.replaced = {row: _replaced(table) for row, table in TABLE_OF.items()}
        self.accept_event = statements.insert_if_absent(EVENT)
        self.accept_member = statements.insert_if_absent(MEMBER)
        self.claim = statements.claim()


class SqliteRows(SqlitePools, SqlRows):
    """A tenant's rows through a cursor of `sqlite3`."""

    _pools: SqlitePoolStatements

    def __init__(self, texts: SqliteTexts, tenant: str, cursor: sqlite3.Cursor | AwaitedSqliteCursor) -> None:
        super().__init__(texts.statements, texts.pools, tenant)
        self._texts = texts
        self._cursor = cursor

    def fetch(self, statement: str, values: Values) -> list[Any]:
        """See `SqlRows.fetch`."""
        log_statement(statement)
        try:
            return self._cursor.execute(statement, values).fetchall()
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            raise translated(error) from error

    def listed(self, values: Iterable[str]) -> str:
        """See `SqlRows.listed`."""
        return json.dumps(list(values), ensure_ascii=False)

    def accept(self, need: needs.Accept) -> needs.Accepted:
        """See `rewardkit.core.storing.needs.Accept`."""
        epoch, fingerprint = self.epoch()
        tenant, execute, text = self._tenant, self._cursor.execute, self._texts.accept_event
        log_statement(text)
        log_statement(self._texts.accept_member)
        try:
            fresh = frozenset(
                [(event.user, event.id) for event in need.events if execute(text, (tenant, *event)).rowcount]
            )
            known = [(tenant, user, epoch, *FIRST_PLACE, None, b"") for user in need.users]
            self._cursor.executemany(self._texts.accept_member, known)
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            raise translated(error) from error
        return needs.Accepted(epoch, fingerprint, fresh)

    def claims(self, need: needs.Claims) -> tuple[int, ...]:
        """See `rewardkit.core.storing.needs.Claims`."""
        text = self._texts.claim
        changed = [self.fetch(text, (self._tenant, *claim_values(claim)))[0] for claim in need.claims]
        return granted_in_order(need.claims, changed)

    def write(self, effects: Sequence[Effect]) -> None:
        """See `rewardkit.ports.Transaction.write`."""
        for effect in effects:
            match effect:
                case Insert(rows) if rows:
                    self.insert(rows)
                case Replace(rows) if rows:
                    self.replace(rows)
                case Publish(epoch, fingerprint):
                    self._publish(epoch, fingerprint)
                case _:
                    pass

    def insert(self, rows: Sequence[Row]) -> None:
        """See `Insert`."""
        self._change(self._texts.insert[type(rows[0])], [(self._tenant, *row) for row in rows], rows)

    def replace(self, rows: Sequence[Row]) -> None:
        """See `Replace`."""
        values, key = self._texts.replaced[type(rows[0])]
        changes = [(*values(row), self._tenant, *key(row)) for row in rows]
        self._change(self._texts.replace[type(rows[0])], changes, rows)

    def many(self, statement: str, values: Sequence[Values]) -> int:
        """See `SqlitePools.many`."""
        log_statement(statement)
        try:
            return self._cursor.executemany(statement, values).rowcount
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            raise translated(error) from error

    def _change(self, text: str, values: Sequence[Values], rows: Sequence[Row]) -> None:
        changed = self.many(text, values)
        if changed != len(rows):
            name = TABLE_OF[type(rows[0])].name
            raise InvariantError(f"{len(rows) - changed} of {len(rows)} rows of `{name}` are not there to replace")

    def _publish(self, epoch: int, fingerprint: int) -> None:
        if epoch == 1:
            self.fetch(self._texts.statements.lock_epoch, (self._tenant,))
        values = (fingerprint, epoch, self._tenant, epoch - 1)
        self.fetch(self._texts.statements.publish, values)
        if self._cursor.rowcount != 1:
            raise InvariantError(f"epoch {epoch} does not follow the one in force")


def translated(error: Exception, *, committing: bool = False) -> StoreError | InvariantError:
    """What an exception of the driver means."""
    if isinstance(error, sqlite3.IntegrityError):
        return InvariantError(f"the database refused a row: {error}")
    if isinstance(error, _UNKEEPABLE):
        return InvariantError(f"a value that SQLite cannot keep: {error}")
    if str(error).startswith("no such table"):
        return SchemaError(
            f"{error} in this database; run `rewardkit migrate`, or join a connection to the kit's store"
        )
    if _busy(error):
        return failed("another transaction holds the file; try again", error, transient=True)
    # A commit that failed to reach the disk may still be found in the log after a crash.
    torn = committing and _code(error) == sqlite3.SQLITE_IOERR
    return failed("SQLite could not do it", error, unknown=torn)


def _busy(error: Exception) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: Exception) -> int | None:
    """The primary result code; the driver gives the extended one."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _replaced(table: Table) -> tuple[Any, Any]:
    """Readers of a row's columns that are no key, and of its key, each as a tuple."""
    values = [column for column in table.columns if column not in table.key]
    return _columns(table, values), _columns(table, table.key)


def _columns(table: Table, columns: Sequence[str]) -> Any:
    places = [table.columns.index(column) for column in columns]
    if len(places) == 1:
        place = places[0]
        return lambda row: (row[place],)
    return itemgetter(*places)
