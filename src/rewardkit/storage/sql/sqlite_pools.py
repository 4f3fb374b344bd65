"""Pools on SQLite: a statement costs it next to nothing, and a transaction has the file to itself."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from rewardkit.core.pools import needs
from rewardkit.core.storing.pool_rows import CodeRow, HoldingRow
from rewardkit.core.storing.rows import Row
from rewardkit.errors import InvariantError
from rewardkit.storage.sql.pool_rows import SqlPools
from rewardkit.storage.sql.pool_statements import NUMBERED, PoolStatements
from rewardkit.storage.sql.statements import Statements
from rewardkit.storage.tables import CODE, HOLDING, SLICE


class SqlitePoolStatements(PoolStatements):
    """The statements that only SQLite executes."""

    def __init__(self, statements: Statements) -> None:
        super().__init__(statements)
        codes = self.name(CODE)
        self.add_code = (
            f'INSERT INTO {codes} ("tenant", "pool", "created_at", "updated_at", "key", "code", "slice", "position") '
            'VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ("tenant", "key") DO NOTHING'
        )
        self.added = (
            f'SELECT "key" FROM {codes} WHERE "tenant" = ? AND "key" IN (SELECT value FROM json_each(?)) '
            'AND "pool" = ? AND "position" BETWEEN ? AND ?'
        )
        self.holding_of = (
            f"SELECT {statements.columns(HOLDING)} FROM {self.name(HOLDING)} "
            'WHERE "tenant" = ? AND "pool" = ? AND "issuee" = ?'
        )
        self.hold = f"INSERT INTO {self.name(HOLDING)} AS h VALUES (?, ?, ?, ?) {self.unless_held}"
        self.best_slice = (
            f'SELECT "slice", "cursor" FROM {self.name(SLICE)} '
            'WHERE "tenant" = ? AND "pool" = ? AND "quota" > 0 ORDER BY "quota" DESC, "slice" LIMIT 1'
        )
        self.take_from_slice = (
            f'UPDATE {self.name(SLICE)} SET "issued" = "issued" + 1, "remaining" = "remaining" - 1, '
            '"quota" = "quota" - 1, "cursor" = ? WHERE "tenant" = ? AND "pool" = ? AND "slice" = ?'
        )
        self.draw = {
            name: f'SELECT coalesce(max("id"), 0) + 1 FROM {self.name(table)} WHERE "tenant" = ?'
            for name, table in NUMBERED.items()
        }


class SqlitePools(SqlPools):
    """Part of `SqliteRows`."""

    _pools: SqlitePoolStatements

    @abstractmethod
    def insert(self, rows: Sequence[Row]) -> None:
        """Insert rows of one type."""

    @abstractmethod
    def replace(self, rows: Sequence[Row]) -> None:
        """Replace rows of one type."""

    @abstractmethod
    def many(self, statement: str, values: Sequence[Sequence[Any]]) -> int:
        """Execute a statement for each, and give the number of rows that changed."""

    def add_codes(self, need: needs.AddCodes) -> frozenset[str]:
        """See `rewardkit.core.pools.needs.AddCodes`."""
        if not need.codes:
            return frozenset()
        same = (self._tenant, need.pool, need.at, need.at)
        keys = [new.key for new in need.codes]
        if self.many(self._pools.add_code, [(*same, *new) for new in need.codes]) == len(keys):
            return frozenset(keys)
        # Nobody else has these places: what has one of them was inserted now.
        places = [new.position for new in need.codes]
        values = (self._tenant, json.dumps(keys), need.pool, min(places), max(places))
        return frozenset(key for (key,) in self.fetch(self._pools.added, values))

    def take_code(self, need: needs.TakeCode) -> needs.Taken | None:
        """See `rewardkit.core.pools.needs.TakeCode`."""
        pool = self.read_pool(need.pool)
        if pool is None:
            return None
        template = need.issuance
        held = self.fetch(self._pools.holding_of, (self._tenant, pool.id, template.issuee)) if need.known else []
        if held:
            return needs.Taken(pool, HoldingRow._make(held[0]).key, None, 0)
        over = pool.valid_until is not None and pool.valid_until <= template.created_at
        found = [] if over else self.fetch(self._pools.best_slice, (self._tenant, pool.id))
        if not found:
            return needs.Taken(pool, "", None, 0)
        number, cursor = found[0]
        code = self.next_code(needs.NextCode(pool.id, number, cursor))
        if code is None:
            raise InvariantError(f"pool {pool.id} has a quota and no code")
        return self._hand_out(need, needs.Taken(pool, "", code, self.draw(needs.Draw("issuance"))), code)

    def _hand_out(self, need: needs.TakeCode, taken: needs.Taken, code: CodeRow) -> needs.Taken:
        template, pool = need.issuance, taken.pool
        after = code._replace(
            status="issued",
            issuee=template.issuee,
            external_issuee=template.external_issuee,
            issuances=1,
            issuees=1,
            updated_at=template.created_at,
        )
        self.replace((after,))
        self.fetch(self._pools.take_from_slice, (code.position + 1, self._tenant, pool.id, code.slice))
        self.fetch(self._pools.hold, (self._tenant, *HoldingRow(pool.id, template.issuee, code.key)))
        issuance = template._replace(id=taken.issuance, key=code.key, number=1, code=code.code, pool=pool.id)
        self.insert((issuance,))
        return taken._replace(code=after)

    def draw(self, need: needs.Draw) -> int:
        """See `rewardkit.core.pools.needs.Draw`."""
        number: int = self.fetch(self._pools.draw[need.table], (self._tenant,))[0][0]
        return number
