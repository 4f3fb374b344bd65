"""Stores by name, as they are written in a configuration."""

from __future__ import annotations

from rewardkit.errors import ValidationError
from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


_CHOICES = (
    "write `:memory:`, `sqlite:///rewards.db`, `sqlite:////absolute/rewards.db` or `postgresql://user@host/database`"
)


def open_store(text: str, prefix: str = "rewardkit_") -> Store:
    """The store that a text names. Nothing is connected before its first use.

    Args:
        text: `:memory:`, `sqlite:///rewards.db` (from the working directory), `sqlite:////var/lib/rewards.db`,
            or `postgresql://user@host/database`.
        prefix: of all tables.

    Raises:
        ValidationError: the text names no store.
        ExtraNotInstalled: PostgreSQL without its driver.
    """
    if text == ":memory:":
        return MemoryStore()
    if text == f"{_SQLITE}:memory:":
        # SQLite would answer with a file of that name, or with an empty database for each thread.
        raise ValidationError(f"`{text}` names no store that threads can share; write `:memory:`")
    if text.startswith(_SQLITE) and len(text) > len(_SQLITE):
        from rewardkit.storage.sql.sqlite import SqliteStore

        return SqliteStore(text.removeprefix(_SQLITE), prefix=prefix)
    if text.startswith(_POSTGRES):
        from rewardkit.storage.sql.postgres import PostgresStore

        return PostgresStore(text, prefix=prefix)
    raise ValidationError(f"`{_masked(text)}` names no store; {_CHOICES}")


def not_a_store(given: object) -> ValidationError:
    """The refusal of what is neither a store's name nor a store, such as a setting that is not set, or a path."""
    return ValidationError(f"a store is a text or a `Store`, not `{type(given).__name__}`; {_CHOICES}")


def _masked(text: str) -> str:
    """Without what may be a password."""
    before, at, after = text.rpartition("@")
    scheme, separator, _ = before.partition("://")
    return f"{scheme}{separator}…@{after}" if at else text
