"""PostgreSQL by psycopg 3."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeAlias, TypeVar

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Effect, Insert, Publish, Replace
from rewardkit.core.storing.rows import EventRow, NoticeRow
from rewardkit.errors import ExtraNotInstalled, InvariantError, SchemaError, StoreError
from rewardkit.ports import Hear
from rewardkit.storage.sql.arrays import integer_array, text_array
from rewardkit.storage.sql.awaited_postgres import AwaitedCursor, AwaitedPostgres
from rewardkit.storage.sql.dialect import DEFAULT_PREFIX, POSTGRESQL
from rewardkit.storage.sql.hosts import autocommits, broken, elsewhere
from rewardkit.storage.sql.postgres_pools import PostgresPools, PostgresPoolStatements
from rewardkit.storage.sql.postgres_texts import PostgresTexts, arrays, inserted, replaced
from rewardkit.storage.sql.rows import SqlRows, Values, claim_values, granted_in_order, log_statement
from rewardkit.storage.sql.store import SqlStore, failed
from rewardkit.storage.tables import TABLE_OF

try:
    import psycopg
    from psycopg import errors
    from psycopg.pq import Format, TransactionStatus
    from psycopg.rows import tuple_row
    from psycopg.types.numeric import Int8BinaryLoader, Int8Dumper
    from psycopg.types.string import ByteaBinaryLoader, BytesDumper, StrDumperUnknown, TextBinaryLoader
except ImportError as _error:
    raise ExtraNotInstalled("PostgreSQL", "postgres") from _error

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"
PlainCursor: TypeAlias = "psycopg.Cursor[tuple[Any, ...]] | AwaitedCursor"
AnyCursor = TypeVar("AnyCursor", "psycopg.Cursor[tuple[Any, ...]]", "psycopg.AsyncCursor[tuple[Any, ...]]")

_MIGRATION_LOCK = 0x726577617264
"""Keeps two migrations apart; advisory, because there may be no table to lock yet. "reward" in ASCII."""

_TRANSIENT = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)


class PostgresStore(SqlStore[Connection]):
    """Tables in a PostgreSQL database, version 13 or newer, made by `migrate()` or `rewardkit migrate`.

    Args:
        dsn: as psycopg takes it.
        prefix: of all tables.
        lock_timeout_seconds: how long a statement waits for a row that another transaction holds.
        statement_timeout_seconds: how long a statement may run at all.
    """

    def __init__(
        self,
        dsn: str,
        *,
        prefix: str = DEFAULT_PREFIX,
        lock_timeout_seconds: float = 5.0,
        statement_timeout_seconds: float = 60.0,
    ) -> None:
        super().__init__(POSTGRESQL, prefix)
        self._dsn = dsn
        self._lock_timeout_seconds = lock_timeout_seconds
        self._statement_timeout_seconds = statement_timeout_seconds
        self._texts = PostgresTexts(self.statements)

    def connect(self) -> Connection:
        """A new connection that has the settings which the promises need, whatever the server's defaults are."""
        try:
            connection = psycopg.connect(self._dsn, client_encoding="UTF8")
        except psycopg.Error as error:
            raise failed("cannot connect to PostgreSQL", error) from error
        try:
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            connection.prepare_threshold = 2
            # A plan is kept as long as the connection, and one that was made when a table was small would read all of
            # it for each call until the next ANALYZE: so rows are reached by indexes, whatever the planner believes.
            # Without compiling, which PostgreSQL before 18 would do where there is no index, whatever that costs.
            connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false), set_config('lock_timeout', %s, false), "
                "set_config('statement_timeout', %s, false), set_config('enable_seqscan', 'off', false), "
                "set_config('jit', 'off', false)",
                (f"{self._lock_timeout_seconds * 1000:.0f}ms", f"{self._statement_timeout_seconds * 1000:.0f}ms"),
            )
            connection.commit()
            check_encoding(connection.info.parameter_status)
        except psycopg.Error as error:
            connection.close()
            raise failed("cannot set up a connection to PostgreSQL", error) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def prepare(self, connection: Connection) -> None:
        """Look only: tables in a shared database are made on purpose."""
        version = self.version(connection)
        self.commit(connection)
        self.check_schema(version)

    def enter(self, connection: Any) -> None:
        """See `SqlStore.enter`. A driver that is not in autocommit begins with our first statement."""
        if isinstance(connection, AwaitedPostgres):
            connection.check()
        elif isinstance(connection, psycopg.Connection):
            check_open(connection)
        else:
            raise elsewhere(connection, "PostgreSQL", "psycopg.Connection")

    def begin(self, connection: Connection) -> None:
        """The driver begins with the first statement, as it is told here."""
        if connection.read_only:
            connection.read_only = None
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED

    def begin_reading(self, connection: Connection) -> None:
        """Told as in `begin`; one that only reads is never refused for what others commit."""
        if not connection.read_only:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    def begin_migration(self, connection: Connection) -> None:
        """See `SqlStore.begin_migration`."""
        self.begin(connection)
        self.execute(connection, "SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))

    def commit(self, connection: Connection) -> None:
        """Commit. Where the answer to it does not arrive, nobody knows."""
        try:
            connection.commit()
        except psycopg.Error as error:
            if connection.closed:
                raise failed("the connection was lost during the commit", error, unknown=True) from error
            raise translated(error) from error

    def roll_back(self, connection: Connection) -> bool:
        """See `SqlStore.roll_back`."""
        try:
            connection.rollback()
        except psycopg.Error:
            return False
        return not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE

    def execute(self, connection: Connection | AwaitedPostgres, text: str, values: Sequence[Any] = ()) -> list[Any]:
        """See `SqlStore.execute`."""
        try:
            if isinstance(connection, AwaitedPostgres):
                return connection.execute(text, values)
            cursor = psycopg.Cursor(connection, row_factory=tuple_row).execute(text.encode(), values)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise translated(error) from error

    @contextmanager
    def listening(self, tenant: str) -> Iterator[Hear]:
        """As `Store.listening` promises, on a connection of its own, which no pooler may share out by transaction."""
        try:
            connection = psycopg.connect(self._dsn, client_encoding="UTF8", autocommit=True)
        except psycopg.Error as error:
            raise failed("cannot connect to PostgreSQL", error, transient=True) from error
        with closing(connection):

            def hear(seconds: float) -> bool:
                deadline = time.monotonic() + seconds
                try:
                    while (left := deadline - time.monotonic()) > 0:
                        for notification in connection.notifies(timeout=left, stop_after=1):
                            if notification.payload == tenant:
                                return True
                except psycopg.Error as error:
                    raise failed("no longer hears of PostgreSQL", error, transient=True) from error
                return False

            try:
                connection.execute(f'LISTEN "{self._texts.channel}"'.encode())
            except psycopg.Error as error:
                raise failed("cannot listen to PostgreSQL", error, transient=True) from error
            yield hear

    def rows(self, connection: Connection | AwaitedPostgres, tenant: str) -> PostgresRows:
        """See `SqlStore.rows`."""
        if isinstance(connection, AwaitedPostgres):
            return PostgresRows(self._texts, tenant, connection.cursor())
        return PostgresRows(self._texts, tenant, plain_cursor(psycopg.Cursor(connection, row_factory=tuple_row)))


class PostgresRows(PostgresPools, SqlRows):
    """A tenant's rows through a cursor of psycopg."""

    _pools: PostgresPoolStatements

    def __init__(self, texts: PostgresTexts, tenant: str, cursor: PlainCursor) -> None:
        super().__init__(texts.statements, texts.pools, tenant)
        self._texts = texts
        self._cursor = cursor

    def fetch(self, statement: str, values: Values) -> list[Any]:
        """See `SqlRows.fetch`."""
        log_statement(statement)
        try:
            return self._cursor.execute(statement.encode(), values).fetchall()
        except (psycopg.Error, UnicodeEncodeError) as error:
            raise translated(error) from error

    def listed(self, values: Iterable[str]) -> str:
        """See `SqlRows.listed`."""
        return text_array(values)

    def columns(self, row: type[Any], rows: Sequence[Any]) -> list[str]:
        """See `PostgresPools.columns`."""
        return arrays(row, rows)

    def accept(self, need: needs.Accept) -> needs.Accepted:
        """See `rewardkit.core.storing.needs.Accept`."""
        tenant = self._tenant
        values = (tenant, *arrays(EventRow, need.events), tenant, tenant, text_array(need.users))
        rows = self.fetch(self._texts.accept, values)
        epoch, fingerprint, *_ = rows[0]
        return needs.Accepted(epoch, fingerprint, frozenset((row[2], row[3]) for row in rows if row[2] is not None))

    def claims(self, need: needs.Claims) -> tuple[int, ...]:
        """See `rewardkit.core.storing.needs.Claims`."""
        if not need.claims:
            return ()
        names, *numbers = zip(*map(claim_values, need.claims), strict=True)
        values = (self._tenant, text_array(names), *map(integer_array, numbers))
        return granted_in_order(need.claims, self.fetch(self._texts.claim, values))

    def write(self, effects: Sequence[Effect]) -> None:
        """See `rewardkit.ports.Transaction.write`."""
        effects = [effect for effect in effects if isinstance(effect, Publish) or effect.rows]
        if not effects:
            return
        values: list[Any] = []
        for effect in effects:
            match effect:
                case Insert(rows):
                    values += inserted(self._tenant, rows)
                case Replace(rows):
                    values += replaced(self._tenant, rows)
                case Publish(epoch, fingerprint):
                    if epoch == 1:
                        self.fetch(self._texts.statements.lock_epoch, (self._tenant,))
                    values += [fingerprint, epoch, self._tenant, epoch - 1]
        if any(isinstance(effect, Insert) and isinstance(effect.rows[0], NoticeRow) for effect in effects):
            values.append(self._tenant)
        counts = self.fetch(self._texts.write(effects), values)[0]
        for effect, count in zip(effects, counts[: len(effects)], strict=True):
            _check(effect, count)


def plain_cursor(cursor: AnyCursor) -> AnyCursor:
    """A cursor that gives text, integers and bytes as such, whatever its connection's owner has set up."""
    cursor.format = Format.BINARY
    adapters = cursor.adapters
    adapters.register_loader("text", TextBinaryLoader)
    adapters.register_loader("int8", Int8BinaryLoader)
    adapters.register_loader("bytea", ByteaBinaryLoader)
    adapters.register_dumper(str, StrDumperUnknown)
    # Whatever the value: a type that varies with it would make another prepared statement of each.
    adapters.register_dumper(int, Int8Dumper)
    adapters.register_dumper(bytes, BytesDumper)
    return cursor


def check_open(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    """See `Driver.enter`; asks the driver, and not the server."""
    status = connection.info.transaction_status
    if connection.closed or status == TransactionStatus.UNKNOWN:
        raise StoreError("the host's connection is closed")
    if status == TransactionStatus.INERROR:
        raise broken()
    if status == TransactionStatus.IDLE and connection.autocommit:
        raise autocommits("open it with psycopg's `transaction()`, or take SQLAlchemy's `AUTOCOMMIT` away")
    check_encoding(connection.info.parameter_status)


def check_encoding(parameter: Callable[[str], str | None]) -> None:
    """Raise `StoreError` unless any text can be kept, by what the server says of its parameters."""
    for what in ("server_encoding", "client_encoding"):
        encoding = parameter(what)
        if encoding != "UTF8":
            raise StoreError(f"{what} is `{encoding}`, in which not every text can be kept; use a database in UTF8")


def translated(error: Exception) -> StoreError | InvariantError:
    """What an exception of the driver means, before a commit was tried."""
    if isinstance(error, psycopg.IntegrityError):
        return InvariantError(f"the database refused a row: {_first_line(error)}")
    if isinstance(error, psycopg.DataError | UnicodeEncodeError):
        return InvariantError("a value that PostgreSQL cannot keep")
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        return SchemaError(
            f"the tables are missing or older than this version, run `rewardkit migrate`: {_first_line(error)}"
        )
    if isinstance(error, errors.InFailedSqlTransaction):
        return broken()
    if isinstance(error, _TRANSIENT):
        return failed("another transaction was in the way; try again", error, transient=True)
    # Without a code nothing came from the server: the connection is gone, and nothing was committed on it.
    state = getattr(error, "sqlstate", None)
    lost = isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(("08", "57P")))
    return failed("PostgreSQL could not do it", error, transient=lost)


def _first_line(error: Exception) -> str:
    """Further lines would be the server's details, which quote values."""
    return str(error).partition("\n")[0]


def _check(effect: Effect, count: int) -> None:
    match effect:
        case Publish(epoch, _):
            if count != 1:
                raise InvariantError(f"epoch {epoch} does not follow the one in force")
        case Insert(rows) | Replace(rows):
            if count != len(rows):
                name = TABLE_OF[type(rows[0])].name
                raise InvariantError(f"{len(rows) - count} of {len(rows)} rows of `{name}` are not there to replace")
