"""The host's own object, a driver's, SQLAlchemy's or Django's, and how its transaction is made to begin.

The host's facade and its driver can disagree: SQLAlchemy and Django believe themselves in a transaction that the driver
begins only with the first statement that it takes for a change. A savepoint made in between is the outermost thing, and
releasing it commits, whatever the host does later. So the facade begins first, then the driver, and only then we.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from rewardkit.errors import StoreError, ValidationError

_CHOICES = (
    "a connection of `sqlite3` or `psycopg`, a SQLAlchemy `Session` or `Connection` over one of them, "
    "or Django's `connection`"
)


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
    packages = {base.__module__.partition(".")[0] for base in type(host).__mro__}
    if "sqlalchemy" in packages:
        return _sqlalchemy(host)
    if "django" in packages:
        return _django(host)
    if packages & {"sqlite3", "psycopg"}:
        return Host(lambda: host, host)
    raise cannot_join(host)


def cannot_join(host: object) -> ValidationError:
    """The refusal of an object that is none of the choices."""
    return ValidationError(f"cannot join the transaction of a `{_kind(host)}`; give {_CHOICES}")


def elsewhere(connection: object, database: str, driver: str) -> ValidationError:
    """The refusal of a connection that is not one of the driver of the database where the rewards are."""
    return ValidationError(
        f"cannot join the transaction of a `{_kind(connection)}`: this kit keeps its rewards in {database}"
        f" and joins a `{driver}`, given as it is or by SQLAlchemy or Django"
    )


def _kind(thing: object) -> str:
    return f"{type(thing).__module__.partition('.')[0]}.{type(thing).__qualname__}".removeprefix("builtins.")


def _sqlalchemy(host: Any) -> Host:
    from sqlalchemy.engine import Connection
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session, scoped_session

    def begin() -> Any:
        try:
            # A session's connection has begun when it is given; a connection may not have.
            connection = host.connection() if isinstance(host, Session | scoped_session) else host
            if not connection.in_transaction():
                connection.begin()
            driver = connection.connection.driver_connection
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
