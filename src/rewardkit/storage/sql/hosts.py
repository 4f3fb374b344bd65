"""The host's own object, a driver's, SQLAlchemy's or Django's, and how its transaction is made to begin.

The host's facade and its driver can disagree: SQLAlchemy and Django believe themselves in a transaction that the driver
begins only with the first statement that it takes for a change. A savepoint made in between is the outermost thing, and
releasing it commits, whatever the host does later. So the facade begins first, then the driver, and only then we.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs

from rewardkit.errors import StoreError, ValidationError
from rewardkit.storage.sql.awaited import AwaitedConnection
from rewardkit.storage.sql.awaited_sqlite import AwaitedSqlite

_CHOICES = (
    "a connection of `sqlite3` or `psycopg`, a SQLAlchemy `Session` or `Connection` over one of them, "
    "or Django's `connection`"
)


ASYNC_CHOICES = (
    "give psycopg's `AsyncConnection`, or SQLAlchemy's `AsyncSession` or `AsyncConnection` over psycopg, asyncpg or"
    " aiosqlite"
)

A = TypeVar("A")


@attrs.frozen
class Host:
    """Where a host keeps its transaction."""

    begin: Callable[[], Any]
    """Makes the facade begin where it has not, and gives the driver's connection."""
    database: object
    """What stands for the database: looked for our tables once."""


def host_of(host: object) -> Host:
    """Recognise a host by the package that its type comes from; nothing is imported that is not there already.

    Raises:
        ValidationError: it is none that can be joined.
    """
    if is_asynchronous(host):
        raise ValidationError(
            f"a `{kind(host)}` is asynchronous, and this kit is not; join it with an `AsyncRewardKit` on the same store"
        )
    packages = packages_of(host)
    if "sqlalchemy" in packages:
        return _sqlalchemy(host)
    if "django" in packages:
        return _django(host)
    if packages & {"sqlite3", "psycopg"}:
        return Host(lambda: host, host)
    raise cannot_join(host)


def packages_of(thing: object) -> set[str]:
    """The packages that its type and what it derives from come from."""
    return {base.__module__.partition(".")[0] for base in type(thing).__mro__}


def is_asynchronous(host: object) -> bool:
    """Whether its transaction is one that has to be awaited."""
    if packages_of(host) & {"asyncpg", "aiosqlite"}:
        return True
    modules = {base.__module__ for base in type(host).__mro__}
    if any(module.startswith("sqlalchemy.ext.asyncio") for module in modules):
        return True
    return "psycopg" in packages_of(host) and type(host).__name__.startswith("Async")


def broken() -> StoreError:
    """The refusal of a transaction in which PostgreSQL does nothing any more."""
    return StoreError("the host's transaction is broken by an earlier error and can only be rolled back")


def cannot_join(host: object) -> ValidationError:
    """The refusal of an object that is none of the choices."""
    return ValidationError(f"cannot join the transaction of a `{kind(host)}`; give {_CHOICES}")


def elsewhere(connection: object, database: str, driver: str) -> ValidationError:
    """The refusal of a connection that is not one of the driver of the database where the rewards are."""
    given = connection.driver if isinstance(connection, AwaitedConnection) else connection
    return ValidationError(
        f"cannot join the transaction of a `{kind(given)}`: this kit keeps its rewards in {database}"
        f" and joins a `{driver}`, given as it is or by SQLAlchemy or Django"
    )


def kind(thing: object) -> str:
    """What a thing is, for a message."""
    return f"{type(thing).__module__.partition('.')[0]}.{type(thing).__qualname__}".removeprefix("builtins.")


def _sqlalchemy(host: Any) -> Host:
    from sqlalchemy.engine import Connection
    from sqlalchemy.exc import MissingGreenlet, SQLAlchemyError
    from sqlalchemy.orm import Session, scoped_session

    def begin() -> Any:
        try:
            # A session's connection has begun when it is given; a connection may not have.
            connection = host.connection() if isinstance(host, Session | scoped_session) else host
            if not connection.in_transaction():
                connection.begin()
            driver = awaited(connection) if connection.dialect.is_async else connection.connection.driver_connection
        except MissingGreenlet:
            raise ValidationError(
                "the host's driver is asynchronous; give the `AsyncSession` or `AsyncConnection` to an `AsyncRewardKit`"
            ) from None
        except SQLAlchemyError as error:
            raise StoreError(f"the host's transaction cannot go on: {error}") from error
        return driver

    if isinstance(host, Session | scoped_session):
        try:
            return Host(begin, host.get_bind())
        except SQLAlchemyError:
            raise ValidationError(
                "the session does not say by itself which database it means; give the connection that it uses for"
                " the one where the rewards are, as in `session.connection(bind_arguments={...})`"
            ) from None
    if isinstance(host, Connection):
        return Host(begin, host.engine)
    raise cannot_join(host)


def awaited(connection: Any) -> AwaitedConnection:
    """The driver's connection of SQLAlchemy's facade over an asynchronous one, begun where it has not.

    Only the driver's own calls are used: aiosqlite's connection is not one of `sqlite3`.
    """
    adapted = connection.connection.dbapi_connection
    driver = adapted.driver_connection

    def wait(awaitable: Awaitable[A]) -> A:
        came: A = adapted.run_async(lambda _: awaitable)
        return came

    match connection.dialect.driver:
        case "psycopg":
            from rewardkit.storage.sql.awaited_psycopg import AwaitedPsycopg

            return AwaitedPsycopg(driver, wait)
        case "asyncpg":
            from rewardkit.storage.sql.awaited_asyncpg import AwaitedAsyncpg

            if not driver.is_in_transaction():
                # The facade begins with the first statement that it is given.
                connection.exec_driver_sql("SELECT 1")
            return AwaitedAsyncpg(driver, wait)
        case "aiosqlite":
            return AwaitedSqlite(driver, wait)
        case other:
            raise ValidationError(
                f"cannot join a transaction over `{connection.dialect.name}+{other}`; {ASYNC_CHOICES}"
            )


def _django(host: Any) -> Host:
    def begin() -> Any:
        host.ensure_connection()
        if not host.in_atomic_block and host.get_autocommit():
            raise autocommits("open it with `transaction.atomic()`")
        if host.in_atomic_block and host.needs_rollback:
            raise StoreError("the host's atomic block is broken by an earlier error and can only be rolled back")
        return host.connection

    if not hasattr(host, "in_atomic_block"):
        raise cannot_join(host)
    return Host(begin, host)


def autocommits(instead: str) -> ValidationError:
    """The refusal of a connection on which every statement would commit by itself."""
    return ValidationError(f"the host's connection is in autocommit and has no transaction open; {instead}")
