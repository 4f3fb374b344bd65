"""A store inside the host's transaction: a savepoint for each of ours, and the commit is the host's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, NoReturn, TypeVar
from weakref import ref

from rewardkit.errors import RewardKitError, ValidationError
from rewardkit.ports import AsyncJoined, Store
from rewardkit.storage.sql.async_hosts import async_host_of
from rewardkit.storage.sql.awaited import AwaitedConnection
from rewardkit.storage.sql.driver import Driver
from rewardkit.storage.sql.hosts import Host, host_of
from rewardkit.storage.transaction import OpenTransaction

A = TypeVar("A")


class JoinedStore:
    """See `rewardkit.ports.Store.join`. It sets nothing, commits nothing and tries nothing twice."""

    def __init__(self, driver: Driver[Any], host: Host) -> None:
        self._driver = driver
        self._host = host
        # Refused here already, where the caller has just named the host.
        driver.enter(host.begin())

    @property
    def joined(self) -> Literal[True]:
        """Always."""
        return True

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[OpenTransaction]:
        """A savepoint in the host's transaction, kept when the block ends, undone when it raises; the host's reads."""
        driver = self._driver
        connection = self._host.begin()
        with _alone(connection), driver.entered(connection):
            driver.execute(connection, "SAVEPOINT rewardkit")
            transaction = OpenTransaction(driver.rows(connection, tenant), reading=reading)
            try:
                self._look_for_tables(connection)
                yield transaction
                transaction.check()
            except BaseException:
                _undo(driver, connection)
                raise
            else:
                # Not undone where it raises: cancelled, it has ended all the same, and then there is no savepoint.
                driver.execute(connection, "RELEASE SAVEPOINT rewardkit")
            finally:
                transaction.end()

    def join(self, host: object) -> Store:
        """Joins another host."""
        return JoinedStore(self._driver, host_of(host))

    def join_async(self, host: object) -> AsyncJoined:
        """Joins another host."""
        return JoinedAsync(self._driver, host)

    def migrate(self) -> NoReturn:
        """Raises `ValidationError`: tables are not made in passing, inside somebody's transaction."""
        raise ValidationError("a store that has joined a host's transaction does not migrate; run `rewardkit migrate`")

    def listening(self, tenant: str) -> NoReturn:  # noqa: ARG002 - nobody's notices are heard here
        """Raises `ValidationError`: inside a transaction nothing is heard of what others commit."""
        raise ValidationError("a store that has joined a host's transaction hears of no notices; listen on its own")

    def close(self) -> None:
        """Nothing to close: the connection is the host's."""

    def _look_for_tables(self, connection: Any) -> None:
        databases, database = self._driver.databases, self._host.database
        place = id(database)
        if place in databases and databases[place]() is database:
            return
        self._driver.check_schema(self._driver.version(connection))
        try:
            databases[place] = ref(database, lambda _: databases.pop(place, None))
        except TypeError:
            # A connection of `sqlite3` cannot be referred to weakly: it is asked again, which costs it microseconds.
            return


class JoinedAsync:
    """See `rewardkit.ports.AsyncJoined`: the joined store, beside the task that awaits what its driver does."""

    def __init__(self, driver: Driver[Any], host: object) -> None:
        self._driver = driver
        self._host = async_host_of(host, driver)

    async def run(self, call: Callable[[Store], A]) -> A:
        """See `AsyncJoined.run`."""
        return await self._host.run(lambda host: call(JoinedStore(self._driver, host)))


def _alone(connection: Any) -> AbstractContextManager[None]:
    return connection.alone() if isinstance(connection, AwaitedConnection) else nullcontext()


def _undo(driver: Driver[Any], connection: Any) -> None:
    try:
        driver.execute(connection, "ROLLBACK TO SAVEPOINT rewardkit")
        driver.execute(connection, "RELEASE SAVEPOINT rewardkit")
    except RewardKitError:
        # The connection is lost, or the database has undone the whole transaction: nothing of ours is left either way,
        # and what went wrong first is on its way to the caller.
        return
