"""A store inside the host's transaction: a savepoint for each of ours, and the commit is the host's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NoReturn
from weakref import ref

from rewardkit.errors import RewardKitError, ValidationError
from rewardkit.ports import Store
from rewardkit.storage.sql.hosts import Host
from rewardkit.storage.transaction import OpenTransaction

if TYPE_CHECKING:
    from rewardkit.storage.sql.store import SqlStore


class JoinedStore:
    """See `rewardkit.ports.Store.join`. It sets nothing, commits nothing and tries nothing twice."""

    def __init__(self, store: SqlStore[Any], host: Host) -> None:
        self._store = store
        self._host = host
        # Refused here already, where the caller has just named the host.
        store.enter(host.begin())

    @property
    def joined(self) -> Literal[True]:
        """Always."""
        return True

    @contextmanager
    def transaction(self, tenant: str) -> Iterator[OpenTransaction]:
        """A savepoint in the host's transaction: kept when the block ends, undone when it raises."""
        store = self._store
        connection = self._host.begin()
        with store.entered(connection):
            store.execute(connection, "SAVEPOINT rewardkit")
            transaction = OpenTransaction(store.rows(connection, tenant))
            try:
                self._look_for_tables(connection)
                yield transaction
                transaction.check()
                store.execute(connection, "RELEASE SAVEPOINT rewardkit")
            except BaseException:
                _undo(store, connection)
                raise
            finally:
                transaction.end()

    def join(self, host: object) -> Store:
        """Joins another host."""
        return self._store.join(host)

    def migrate(self) -> NoReturn:
        """Raises `ValidationError`: tables are not made in passing, inside somebody's transaction."""
        raise ValidationError("a store that has joined a host's transaction does not migrate; run `rewardkit migrate`")

    def close(self) -> None:
        """Nothing to close: the connection is the host's."""

    def _look_for_tables(self, connection: Any) -> None:
        databases, database = self._store.databases, self._host.database
        place = id(database)
        if place in databases and databases[place]() is database:
            return
        self._store.check_schema(self._store.version(connection))
        try:
            databases[place] = ref(database, lambda _: databases.pop(place, None))
        except TypeError:
            # A connection of `sqlite3` cannot be referred to weakly: it is asked again, which costs it microseconds.
            return


def _undo(store: SqlStore[Any], connection: Any) -> None:
    try:
        store.execute(connection, "ROLLBACK TO SAVEPOINT rewardkit")
        store.execute(connection, "RELEASE SAVEPOINT rewardkit")
    except RewardKitError:
        # The connection is lost, or the database has undone the whole transaction: nothing of ours is left either way,
        # and what went wrong first is on its way to the caller.
        return
