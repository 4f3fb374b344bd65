"""The asynchronous host's own object, recognised before anything is awaited; see `hosts` for the blocking ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from rewardkit.errors import ValidationError
from rewardkit.storage.sql.awaiting import Wait, beside_task
from rewardkit.storage.sql.driver import Driver
from rewardkit.storage.sql.hosts import ASYNC_CHOICES, Host, elsewhere, host_of, is_asynchronous, kind, packages_of

A = TypeVar("A")

_DRIVERS: Final = {"postgresql": ("psycopg", "asyncpg"), "sqlite": ("aiosqlite",)}
"""SQLAlchemy's drivers that lead to each dialect's databases."""


class AsyncHost(Protocol):
    """Where an asynchronous host keeps its transaction."""

    async def run(self, call: Callable[[Host], A]) -> A:
        """Call blocking code that can wait for the host's driver, with the host as it sees it."""
        ...


def async_host_of(host: object, driver: Driver[Any]) -> AsyncHost:
    """Recognise a host by the package that its type comes from, and refuse what cannot be served.

    Raises:
        ValidationError: it is none that can be joined, or not over this dialect's database.
        StoreError: its connection is closed, or its transaction broken.
        ExtraNotInstalled: as `beside_task`.
    """
    if not is_asynchronous(host):
        raise _not_asynchronous(host)
    packages = packages_of(host)
    if "sqlalchemy" in packages:
        return _SqlalchemyHost(host, driver)
    if "psycopg" in packages:
        return _PsycopgHost(host, driver)
    raise ValidationError(
        f"cannot join a `{kind(host)}` by itself; {ASYNC_CHOICES}, and use it for your own statements as well"
    )


class _PsycopgHost:
    def __init__(self, connection: Any, driver: Driver[Any]) -> None:
        from psycopg import AsyncConnection

        if not isinstance(connection, AsyncConnection):
            raise _cannot_join(connection)
        if driver.dialect.name != "postgresql":
            raise elsewhere(connection, "SQLite", "sqlite+aiosqlite")
        self._connection = connection
        self._beside = beside_task()
        driver.enter(self._seen(_nothing_to_wait_for))

    async def run(self, call: Callable[[Host], A]) -> A:
        return await self._beside(lambda wait: call(Host(lambda: self._seen(wait), self._connection)))

    def _seen(self, wait: Wait) -> Any:
        from rewardkit.storage.sql.awaited_psycopg import AwaitedPsycopg

        return AwaitedPsycopg(self._connection, wait)


class _SqlalchemyHost:
    def __init__(self, host: Any, driver: Driver[Any]) -> None:
        from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session

        if not isinstance(host, AsyncConnection | AsyncSession | async_scoped_session):
            raise _cannot_join(host)
        # A scoped session is one of each task's own.
        self._host: Callable[[], Any] = host if isinstance(host, async_scoped_session) else (lambda: host)
        if isinstance(host, AsyncConnection):
            if host.sync_connection is None:
                raise ValidationError(
                    "the `AsyncConnection` has not been opened; `await` it, or begin it with `async with`"
                )
            dialect = host.dialect
        else:
            session: Any = self._host()
            database: Any = host_of(session.sync_session).database
            dialect = database.dialect
        if dialect.driver not in _DRIVERS.get(driver.dialect.name, ()):
            wanted = " or ".join(f"`{driver.dialect.name}+{name}`" for name in _DRIVERS[driver.dialect.name])
            raise ValidationError(
                f"cannot join a transaction over `{dialect.name}+{dialect.driver}`: this kit keeps its rewards in"
                f" {driver.dialect.name}, and joins SQLAlchemy over {wanted}"
            )

    async def run(self, call: Callable[[Host], A]) -> A:
        answer: A = await self._host().run_sync(lambda blocking: call(host_of(blocking)))
        return answer


def _cannot_join(host: object) -> ValidationError:
    return ValidationError(f"cannot join the transaction of a `{kind(host)}`; {ASYNC_CHOICES}")


def _not_asynchronous(host: object) -> ValidationError:
    if packages_of(host) & {"sqlalchemy", "psycopg", "sqlite3", "django"}:
        return ValidationError(
            f"a `{kind(host)}` is blocking; join it with a `RewardKit` on the same store, on a thread,"
            f" or {ASYNC_CHOICES}"
        )
    return _cannot_join(host)


def _nothing_to_wait_for(_awaitable: Any) -> Any:
    raise AssertionError("nothing is awaited while a host is recognised")
