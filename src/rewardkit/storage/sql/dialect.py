"""Where SQLite and PostgreSQL differ in what they are told. How they are driven is in `sqlite` and `postgres`."""

from __future__ import annotations

import re

import attrs

from rewardkit.errors import ValidationError

_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,31}")

DEFAULT_PREFIX = "rewardkit_"


@attrs.frozen(kw_only=True)
class Dialect:
    """The few words that differ.

    Text is ordered by code point in both: SQLite compares the bytes of UTF-8, PostgreSQL does so under the collation C.
    """

    name: str
    parameter: str
    text: str
    integer: str
    bytes: str
    table: str
    """What follows the columns of a table."""
    clustered: str
    """The same, for a table that is kept in the order of its primary key where the database can do that."""
    among: str
    """Whether a column, `{}`, is in a list that is one parameter."""
    chosen: str
    """Whether an id is one of the few in the common table `chosen`."""
    column: str
    """How a column, `{}`, is read."""
    lock: str
    lock_unless_held: str

    def words(self, prefix: str) -> dict[str, str]:
        """What the texts of migrations are filled in with."""
        return {
            "prefix": prefix,
            "text": self.text,
            "integer": self.integer,
            "bytes": self.bytes,
            "table": self.table,
            "clustered": self.clustered,
        }


SQLITE = Dialect(
    name="sqlite",
    parameter="?",
    text="TEXT",
    integer="INTEGER",
    bytes="BLOB",
    table="STRICT",
    clustered="STRICT, WITHOUT ROWID",
    among="{} IN (SELECT value FROM json_each(?))",
    chosen='"id" IN (SELECT "id" FROM chosen)',
    # An expression has no declared type, so that a converter which the host has registered for TEXT is not applied.
    column="+{}",
    # A transaction that writes has the whole file to itself.
    lock="",
    lock_unless_held="",
)

POSTGRESQL = Dialect(
    name="postgresql",
    parameter="%s",
    text='TEXT COLLATE "C"',
    integer="BIGINT",
    bytes="BYTEA",
    table="",
    clustered="",
    among="{} = ANY(?::text[])",
    # A join would be planned by a guess at how many they are, a tenth of all that wait, and may read the whole table.
    chosen='"id" = ANY (ARRAY(SELECT "id" FROM chosen))',
    column="{}",
    lock=" FOR UPDATE",
    lock_unless_held=" FOR UPDATE SKIP LOCKED",
)


def checked_prefix(prefix: str) -> str:
    """A prefix that can stand in SQL as it is.

    Raises:
        ValidationError: it cannot.
    """
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        raise ValidationError(
            f"`{prefix}` cannot begin a table's name; use a lower-case letter, then up to 31 of a-z, 0-9 and _"
        )
    return prefix
