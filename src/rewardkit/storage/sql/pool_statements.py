"""The statements about pools that both dialects execute; see `rewardkit.storage.sql.statements`."""

from __future__ import annotations

from rewardkit.storage.sql.statements import Statements
from rewardkit.storage.tables import (
    CODE,
    HOLDING,
    ISSUANCE,
    POOL,
    REDEEMER,
    REDEMPTION,
    RESERVATION,
    SLICE,
    Table,
)

FREE = '"status" = \'unissued\' AND "active" = 1'
"""Whether a code can be handed out."""


class PoolStatements:
    """Texts, with the tenant as the first parameter of each."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._of_pool = ('"name" = ?', '"id" = ?')
        lock = statements.dialect.lock
        share = " FOR KEY SHARE" if lock else ""
        self.pool_of = self._by_name_or_id("")
        self.lock_pool = self._by_name_or_id(lock)
        self.share_pool = self._select(POOL, '"id" = ?', share)
        positions = f'UPDATE {self.name(POOL)} SET "positions" = "positions" + ? WHERE "tenant" = ? AND '
        returning = f" RETURNING {statements.columns(POOL)}"
        self.take_positions = tuple(self._text(f"{positions}{by}{returning}") for by in self._of_pool)
        self.slices = self._select(SLICE, '"pool" = ?', 'ORDER BY "slice"')
        self.lock_slices = self._select(SLICE, '"pool" = ?', f'ORDER BY "slice"{lock}')
        self.take_holding = self._text(
            f'INSERT INTO {self.name(HOLDING)} AS h ("tenant", "pool", "issuee", "key") VALUES (?, ?, ?, \'\') '
            'ON CONFLICT ("tenant", "pool", "issuee") DO UPDATE SET "key" = h."key" RETURNING "key"'
        )
        self.unless_held = (
            'ON CONFLICT ("tenant", "pool", "issuee") DO UPDATE SET "key" = excluded."key" '
            f"WHERE h.\"key\" = '' OR EXISTS (SELECT 1 FROM {self.name(CODE)} AS c "
            'WHERE c."tenant" = h."tenant" AND c."key" = h."key" AND c."status" = \'void\')'
        )
        """Has an issuee hold what is inserted as `h`, unless she holds a code that is not void."""
        self.next_code = self._select(
            CODE, f'"pool" = ? AND "slice" = ? AND "position" >= ? AND {FREE}', f'ORDER BY "position" LIMIT 1{lock}'
        )
        self.next_issued_code = self._select(
            CODE,
            '"pool" = ? AND ("slice", "position") >= (?, ?) AND "status" = \'issued\' AND "active" = 1',
            f'ORDER BY "slice", "position" LIMIT 1{lock}',
        )
        both = (
            f"{statements.columns(CODE, 'c.')}, {statements.columns(POOL, 'p.')} FROM {self.name(CODE)} AS c "
            f'JOIN {self.name(POOL)} AS p ON p."tenant" = c."tenant" AND p."id" = c."pool" '
            'WHERE c."tenant" = ? AND c."key" = ?'
        )
        self.code_of = self._text(f"SELECT {both}")
        self.lock_code = self._text(f"SELECT {both}{' FOR UPDATE OF c FOR KEY SHARE OF p' if lock else ''}")
        self.redeemer_of = self._select(REDEEMER, '"key" = ? AND "issuee" = ?')
        self.redemption_of = self._select(REDEMPTION, '"id" = ?', lock)
        self.reservation_of = self._select(RESERVATION, '"id" = ?', lock)
        self.redemption_for, self.reservation_for = (
            self._text(f'SELECT "key" FROM {self.name(table)} WHERE "tenant" = ? AND "id" = ?')
            for table in (REDEMPTION, RESERVATION)
        )
        self.overdue_reservations = self._select(
            RESERVATION,
            '"key" = ? AND "status" = \'open\' AND "expires_at" <= ?',
            f'ORDER BY "id" LIMIT ?{lock}',
        )
        self.list_pools = self._select(POOL, '"id" > ?', 'ORDER BY "id" LIMIT ?')
        self.slices_of_pools = self._select(SLICE, '"pool" BETWEEN ? AND ?', 'ORDER BY "pool", "slice"')

    def name(self, table: Table) -> str:
        """A table's name, quoted."""
        return self._statements.name(table.name)

    def codes(self, *, of_pool: bool) -> str:
        """Codes in key order."""
        return self._select(CODE, '"key" > ?' + ' AND "pool" = ?' * of_pool, 'ORDER BY "key" LIMIT ?')

    def records(self, table: Table, filters: tuple[str, ...]) -> str:
        """Issuances or redemptions in id order."""
        equal = "".join(f' AND "{column}" = ?' for column in filters)
        return self._select(table, f'"id" > ?{equal}', 'ORDER BY "id" LIMIT ?')

    def sequence(self, table: Table) -> str:
        """The name of what numbers a table's rows on PostgreSQL."""
        return f"'{self.name(table)[:-1]}_id_seq\"'"

    def _by_name_or_id(self, then: str) -> tuple[str, ...]:
        return tuple(self._select(POOL, by, then) for by in self._of_pool)

    def _select(self, table: Table, where: str, then: str = "") -> str:
        columns = self._statements.columns(table)
        return self._text(f'SELECT {columns} FROM {self.name(table)} WHERE "tenant" = ? AND {where} {then}')

    def _text(self, text: str) -> str:
        return text.replace("?", self._statements.dialect.parameter)


NUMBERED = {"pool": POOL, "issuance": ISSUANCE, "redemption": REDEMPTION}
"""The tables whose rows have numbers."""
