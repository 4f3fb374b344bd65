"""The statements that only PostgreSQL executes: a whole batch in each, because each costs a round trip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, get_type_hints

from rewardkit.core.storing.effects import Effect, Insert, Publish, Replace
from rewardkit.core.storing.rows import NoticeRow
from rewardkit.storage.sql.arrays import bytes_array, integer_array, text_array
from rewardkit.storage.sql.postgres_pools import PostgresPoolStatements
from rewardkit.storage.sql.statements import CLAIM_COLUMNS, ON_CLAIM, Statements
from rewardkit.storage.tables import EVENT, FIRST_PLACE, MEMBER, TABLE_OF, TABLES, Table


class Kind(NamedTuple):
    """How a column travels: its type there, and the writer of its array."""

    name: str
    array: Callable[[Iterable[Any]], str]
    one: str
    """A parameter of it. An integer travels as text, like nothing at all: of one type whether there is one or not, so
    that one statement is kept for both.
    """


_KINDS = {
    str: Kind("text", text_array, "%s::text"),
    int: Kind("bigint", integer_array, "%s::text::bigint"),
    int | None: Kind("bigint", integer_array, "%s::text::bigint"),
    bytes: Kind("bytea", bytes_array, "%s::bytea"),
}


_COLUMNS = {row: tuple(_KINDS[hint] for hint in get_type_hints(row).values()) for row in TABLE_OF}
"""How the columns of a row's type travel, in order."""


def inserted(tenant: str, rows: Sequence[Any]) -> list[Any]:
    """The parameters of an `Insert`: one row plainly, since an array of each column costs several times that."""
    if len(rows) == 1:
        return [tenant, *map(_plain, rows[0])]
    return [tenant, *arrays(type(rows[0]), rows)]


def replaced(tenant: str, rows: Sequence[Any]) -> list[Any]:
    """The parameters of a `Replace`."""
    if len(rows) > 1:
        return [*arrays(type(rows[0]), rows), tenant]
    table, row = TABLE_OF[type(rows[0])], rows[0]
    columns = (*_not_key(table), *table.key)
    values = [_plain(getattr(row, column)) for column in columns]
    return [*values[: -len(table.key)], tenant, *values[-len(table.key) :]]


def _plain(value: Any) -> Any:
    """See `Kind.one`."""
    return str(value) if isinstance(value, int) else value


def _not_key(table: Table) -> tuple[str, ...]:
    return tuple(column for column in table.columns if column not in table.key)


def arrays(row: type[Any], rows: Sequence[Any]) -> list[str]:
    """Rows of one type, column by column, as parameters; there may be none."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(_COLUMNS[row])
    return [kind.array(column) for kind, column in zip(_COLUMNS[row], columns, strict=True)]


class PostgresTexts:
    """Texts made once for a prefix."""

    def __init__(self, statements: Statements) -> None:
        self.statements = statements
        self.pools = PostgresPoolStatements(statements)
        self.channel = statements.name("notice").strip('"')
        """On which workers hear, by the tenant's name, of notices that have been committed."""
        self.accept = self._accept()
        self.claim = self._claim()
        self._writes: dict[tuple[Any, ...], str] = {}

    def write(self, effects: Sequence[Effect]) -> str:
        """All effects in one statement, which answers how many rows each changed.

        Where it inserts notices, the tenant is its last parameter: those who listen hear of them when it commits.
        The parts of it do not see each other's changes, and must not touch one row twice.
        """
        shape = tuple(_shape(effect) for effect in effects)
        text = self._writes.get(shape)
        if text is None:
            parts = [f"w{number} AS ({self._part(*part)})" for number, part in enumerate(shape)]
            counts = [f"(SELECT count(*) FROM w{number})" for number in range(len(shape))]
            if any(kind is Insert and row is NoticeRow for kind, row, _ in shape):
                counts.append(f"pg_notify('{self.channel}', %s)::text")
            text = self._writes[shape] = f"WITH {', '.join(parts)} SELECT {', '.join(counts)}"
        return text

    def _part(self, kind: type[Effect], row: type[Any] | None, alone: bool) -> str:  # noqa: FBT001 - as `_shape` says it
        if row is None:
            return (
                f'UPDATE {self.statements.name("tenant")} SET "fingerprint" = %s, "epoch" = %s '
                'WHERE "tenant" = %s AND "epoch" = %s RETURNING 1'
            )
        table = TABLE_OF[row]
        if kind is Insert:
            return f"{self._insert_one(table) if alone else self._insert(table)} RETURNING 1"
        return f"{self._replace_one(table) if alone else self._replace(table)} RETURNING 1"

    def _insert_one(self, table: Table) -> str:
        columns = ", ".join(f'"{column}"' for column in table.columns)
        values = ", ".join(kind.one for kind in _COLUMNS[table.row])
        return f'INSERT INTO {self.statements.name(table.name)} ("tenant", {columns}) VALUES (%s, {values})'

    def _replace_one(self, table: Table) -> str:
        kinds = dict(zip(table.columns, _COLUMNS[table.row], strict=True))
        changes = ", ".join(f'"{column}" = {kinds[column].one}' for column in _not_key(table))
        found = " AND ".join(f'"{column}" = {kinds[column].one}' for column in table.key)
        return f'UPDATE {self.statements.name(table.name)} SET {changes} WHERE "tenant" = %s AND {found}'

    def _insert(self, table: Table) -> str:
        name = self.statements.name(table.name)
        columns = ", ".join(f'"{column}"' for column in table.columns)
        return f'INSERT INTO {name} ("tenant", {columns}) SELECT %s, d.* FROM {_unnested(table)}'

    def _replace(self, table: Table) -> str:
        """An upsert of rows that are there.

        An update that joins the arrays would be planned by statistics, which a young table has not: then it reads all
        rows of the tenant for each batch. This reaches each row by its key, whatever the planner believes.
        """
        name = self.statements.name(table.name)
        whole = next(other for other in TABLES if other.name == table.name)
        columns = ", ".join(f'"{column}"' for column in whole.columns)
        values = ", ".join(f'{"d" if column in table.columns else "o"}."{column}"' for column in whole.columns)
        found = " AND ".join(f't."{column}" = d."{column}"' for column in table.key)
        key = ", ".join(f'"{column}"' for column in ("tenant", *table.key))
        changes = ", ".join(f'"{column}" = excluded."{column}"' for column in table.columns if column not in table.key)
        return (
            f'INSERT INTO {name} ("tenant", {columns}) SELECT o."tenant", {values} FROM {_unnested(table)} '
            f'CROSS JOIN LATERAL (SELECT * FROM {name} AS t WHERE t."tenant" = %s AND {found} OFFSET 0) AS o '
            f"ON CONFLICT ({key}) DO UPDATE SET {changes}"
        )

    def _accept(self) -> str:
        at, order, id = FIRST_PLACE
        # Counting the events first makes every transaction take its locks in one order: events, then members.
        return (
            f'WITH fresh AS ({self._insert(EVENT)} ON CONFLICT ("tenant", "user", "id") DO NOTHING '
            'RETURNING "user", "id"), '
            'now AS (SELECT coalesce(max("epoch"), 0) AS "epoch", coalesce(max("fingerprint"), 0) AS "fingerprint" '
            f'FROM {self.statements.name("tenant")} WHERE "tenant" = %s), '
            f"known AS (INSERT INTO {self.statements.name(MEMBER.name)} "
            '("tenant", "user", "epoch", "at", "order", "id", "state") '
            f"SELECT %s, u.\"user\", now.\"epoch\", {at}, ({order})::bigint, '{id}', ''::bytea "
            'FROM (SELECT count(*) FROM fresh) AS counted, now, unnest(%s::text[]) AS u("user") '
            'ON CONFLICT ("tenant", "user") DO NOTHING) '
            'SELECT now."epoch", now."fingerprint", fresh."user", fresh."id" FROM now LEFT JOIN fresh ON true'
        )

    def _claim(self) -> str:
        names = ", ".join(f'"{column}"' for column in CLAIM_COLUMNS)
        types = ", ".join(["%s::text[]", *["%s::bigint[]"] * (len(CLAIM_COLUMNS) - 1)])
        return (
            f'INSERT INTO {self.statements.name("counter")} AS c ("tenant", {names}) '
            f'SELECT %s, d.* FROM unnest({types}) AS d({names}) ORDER BY d."name" COLLATE "C" {ON_CLAIM}'
        )


def _unnested(table: Table) -> str:
    names = ", ".join(f'"{column}"' for column in table.columns)
    types = ", ".join(f"%s::{kind.name}[]" for kind in _COLUMNS[table.row])
    return f"unnest({types}) AS d({names})"


def _shape(effect: Effect) -> tuple[type[Effect], type[Any] | None, bool]:
    """What an effect does, to rows of which type, and whether to one alone."""
    match effect:
        case Insert(rows) | Replace(rows):
            return type(effect), type(rows[0]), len(rows) == 1
        case Publish():
            return Publish, None, True
