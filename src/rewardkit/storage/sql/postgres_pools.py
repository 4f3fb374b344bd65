"""Pools on PostgreSQL: a code is handed out in one statement, and nobody waits as long as some slice is free."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias, get_args

from rewardkit.core.pools import needs
from rewardkit.core.pools.slices import SLICES
from rewardkit.core.storing.pool_rows import CodeRow, NewCodeRow, PoolRow
from rewardkit.errors import StoreError
from rewardkit.storage.sql.pool_rows import SqlPools
from rewardkit.storage.sql.pool_statements import FREE, NUMBERED, PoolStatements
from rewardkit.storage.sql.statements import Statements
from rewardkit.storage.tables import CODE, HOLDING, ISSUANCE, POOL, SLICE

_TRIES: Final = 50
"""Of handing out a code while others change the very codes that come next."""

Way: TypeAlias = Literal["free", "any", "locked"]
"""To a slice: one that nobody holds; one at or after a place, which is waited for; the one that is locked already.

Nobody waits for a slice with another one in hand, nor for two in one statement: two who did would wait in a circle,
also with those who lock all of them. What was emptied between being seen and being locked is in hand as well.
"""

_POOL_COLUMNS = len(PoolRow._fields)


class PostgresPoolStatements(PoolStatements):
    """The statements that only PostgreSQL executes."""

    def __init__(self, statements: Statements) -> None:
        super().__init__(statements)
        self.draw = {name: f"SELECT nextval({self.sequence(table)})" for name, table in NUMBERED.items()}
        self.add_codes = (
            f"INSERT INTO {self.name(CODE)} "
            '("tenant", "pool", "created_at", "updated_at", "key", "code", "slice", "position") '
            "SELECT %s::text, %s::bigint, %s::bigint, %s::bigint, d.* "
            "FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[]) AS d "
            'ON CONFLICT ("tenant", "key") DO NOTHING RETURNING "key"'
        )
        self.has_quota = f'SELECT 1 FROM {self.name(SLICE)} WHERE "tenant" = %s AND "pool" = %s AND "quota" > 0 LIMIT 1'
        self._take = {
            (by_id, known, way): self._take_code(statements, way, by_id=by_id, known=known)
            for by_id in (False, True)
            for known in (False, True)
            for way in get_args(Way)
        }

    def take_code(self, way: Way, *, by_id: bool, known: bool) -> str:
        """See `needs.TakeCode`.

        Parameters: the tenant, the pool; where `known` the tenant and the issuee; the tenant, the instant, and for
        `free` the tenant, else the slice that the `way` names; the tenant; issuee, external issuee, instant, tenant;
        tenant; tenant, issuee; tenant, issuee, external issuee, application, reference, instant.
        """
        return self._take[by_id, known, way]

    def _take_code(self, statements: Statements, way: Way, *, by_id: bool, known: bool) -> str:
        pool, by, held, held_key, unless_held = (
            '(SELECT "id" FROM pool)',
            "id" if by_id else "name",
            "",
            "NULL::text",
            "",
        )
        if known:
            held_key, unless_held = '(SELECT "key" FROM held)', "AND NOT EXISTS (SELECT 1 FROM held) "
            held = (
                f'held AS (SELECT "key" FROM {self.name(HOLDING)} '
                f'WHERE "tenant" = %s AND "pool" = {pool} AND "issuee" = %s), '
            )
        which = {
            # Chosen beside what is locked: one that was emptied meanwhile is told, and not locked in silence.
            "free": f'AND s."slice" = ANY (ARRAY(SELECT o."slice" FROM {self.name(SLICE)} AS o '
            f'WHERE o."tenant" = %s AND o."pool" = {pool} AND o."quota" > 0)) '
            'ORDER BY s."quota" DESC, s."slice" LIMIT 1 FOR UPDATE OF s SKIP LOCKED',
            # Those who wait begin at different slices, or all would wait for the same one.
            "any": f'AND s."quota" > 0 AND s."slice" = (SELECT o."slice" FROM {self.name(SLICE)} AS o '
            'WHERE o."tenant" = s."tenant" AND o."pool" = s."pool" AND o."quota" > 0 '
            f'ORDER BY mod(o."slice" + %s::bigint, {SLICES}) LIMIT 1) FOR UPDATE OF s',
            "locked": 'AND s."quota" > 0 AND s."slice" = %s::bigint FOR UPDATE OF s',
        }[way]
        issuance = ", ".join(f'"{column}"' for column in ("tenant", *ISSUANCE.columns))
        return (
            f'WITH pool AS (SELECT * FROM {self.name(POOL)} WHERE "tenant" = %s AND "{by}" = %s), '
            f"{held}"
            f'chosen AS MATERIALIZED (SELECT s."slice", s."cursor", s."quota" FROM {self.name(SLICE)} AS s '
            f'WHERE s."tenant" = %s AND s."pool" = {pool} '
            'AND (SELECT coalesce("valid_until" > %s, true) FROM pool) '
            f"{unless_held}"
            f"{which}), "
            f'candidate AS MATERIALIZED (SELECT "key" FROM {self.name(CODE)} WHERE "tenant" = %s AND "pool" = {pool} '
            'AND "slice" = (SELECT "slice" FROM chosen WHERE "quota" > 0) '
            f'AND "position" >= (SELECT "cursor" FROM chosen) AND {FREE} ORDER BY "position" LIMIT 1), '
            # The candidate may have been changed since the statement began: then nothing is taken, and it is repeated.
            f'taken AS (UPDATE {self.name(CODE)} SET "status" = \'issued\', "issuee" = %s, '
            '"external_issuee" = %s, "issuances" = 1, "issuees" = 1, "updated_at" = %s '
            'WHERE "tenant" = %s AND "key" = (SELECT "key" FROM candidate) '
            f"AND {FREE} RETURNING {statements.columns(CODE)}), "
            f'moved AS (UPDATE {self.name(SLICE)} SET "issued" = "issued" + 1, "remaining" = "remaining" - 1, '
            '"quota" = "quota" - 1, "cursor" = (SELECT "position" + 1 FROM taken) '
            'WHERE "tenant" = %s AND "pool" = (SELECT "pool" FROM taken) AND "slice" = (SELECT "slice" FROM taken)), '
            f'holding AS (INSERT INTO {self.name(HOLDING)} AS h ("tenant", "pool", "issuee", "key") '
            f'SELECT %s::text, "pool", %s::text, "key" FROM taken {self.unless_held} RETURNING 1), '
            f"issuance AS (INSERT INTO {self.name(ISSUANCE)} ({issuance}) "
            f'SELECT %s::text, nextval({self.sequence(ISSUANCE)}), "key", 1, "code", "pool", '
            "%s::text, %s::text, %s::text, %s::text, %s::bigint "
            'FROM taken RETURNING "id") '
            f"SELECT {statements.columns(POOL, 'pool.')}, "
            f'{held_key}, (SELECT "slice" FROM chosen), (SELECT "quota" FROM chosen), (SELECT count(*) FROM holding), '
            '(SELECT "id" FROM issuance), '
            f"{statements.columns(CODE, 'taken.')} FROM pool LEFT JOIN taken ON true"
        )


class PostgresPools(SqlPools):
    """Part of `PostgresRows`."""

    _pools: PostgresPoolStatements

    @abstractmethod
    def columns(self, row: type[Any], rows: Sequence[Any]) -> list[str]:
        """Rows of one type, column by column, as parameters."""

    def add_codes(self, need: needs.AddCodes) -> frozenset[str]:
        """See `rewardkit.core.pools.needs.AddCodes`."""
        values = (self._tenant, need.pool, need.at, need.at, *self.columns(NewCodeRow, need.codes))
        return frozenset(key for (key,) in self.fetch(self._pools.add_codes, values))

    def draw(self, need: needs.Draw) -> int:
        """See `rewardkit.core.pools.needs.Draw`."""
        number: int = self.fetch(self._pools.draw[need.table], ())[0][0]
        return number

    def take_code(self, need: needs.TakeCode) -> needs.Taken | None:
        """See `rewardkit.core.pools.needs.TakeCode`."""
        way: Way = "free"
        place, emptied = 0, False
        for _ in range(_TRIES):
            rows = self._try_to_take(need, way, place)
            if not rows:
                return None
            pool = PoolRow._make(rows[0][:_POOL_COLUMNS])
            held, chosen, quota, kept, number, *code = rows[0][_POOL_COLUMNS:]
            if held is not None:
                return needs.Taken(pool, held, None, 0)
            if pool.valid_until is not None and pool.valid_until <= need.issuance.created_at:
                return needs.Taken(pool, "", None, 0)
            if number is not None:
                if not kept and not need.another:
                    raise StoreError("another issuance to the same issuee came between; try again", transient=True)
                return needs.Taken(pool, "", CodeRow._make(code), number)
            if quota == 0:
                emptied = True
                continue
            if chosen is not None:
                # Its code was changed meanwhile. The slice is locked now, so that nobody changes another.
                way, place = "locked", chosen
                continue
            if way == "any" or emptied:
                # What it waited for, or was about to take, is empty and locked now: it must not wait with that in hand.
                break
            if not self.fetch(self._pools.has_quota, (self._tenant, pool.id)):
                return needs.Taken(pool, "", None, 0)
            way, place = "any", random.randrange(SLICES)  # noqa: S311 - spreads those who wait
        raise StoreError("others took the codes that came next; try again", transient=True)

    def _try_to_take(self, need: needs.TakeCode, way: Way, place: int) -> list[Any]:
        tenant, new = self._tenant, need.issuance
        by_id = isinstance(need.pool, int)
        values: list[Any] = [tenant, need.pool]
        values += [tenant, new.issuee] if need.known else []
        values += [tenant, new.created_at]
        values += [tenant if way == "free" else place]
        values += [tenant, new.issuee, new.external_issuee, new.created_at, tenant, tenant, tenant, new.issuee]
        values += [tenant, new.issuee, new.external_issuee, new.application, new.reference, new.created_at]
        return self.fetch(self._pools.take_code(way, by_id=by_id, known=need.known), values)
