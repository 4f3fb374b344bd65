"""The rows of pools in SQL: what both dialects do the same way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rewardkit.core.pools import needs
from rewardkit.core.storing.pool_rows import (
    CodeRow,
    IssuanceRow,
    PoolRow,
    RedeemerRow,
    RedemptionRow,
    ReservationRow,
    SliceRow,
)
from rewardkit.storage.sql.pool_statements import PoolStatements
from rewardkit.storage.tables import ISSUANCE, REDEMPTION, Table

_CODE_COLUMNS = len(CodeRow._fields)


class SqlPools(ABC):
    """Part of `SqlRows`."""

    _tenant: str
    _pools: PoolStatements

    @abstractmethod
    def fetch(self, statement: str, values: Sequence[Any]) -> list[Any]: ...

    @abstractmethod
    def add_codes(self, need: needs.AddCodes) -> frozenset[str]: ...

    @abstractmethod
    def take_code(self, need: needs.TakeCode) -> needs.Taken | None: ...

    @abstractmethod
    def draw(self, need: needs.Draw) -> int: ...

    def pool_of(self, need: needs.PoolOf) -> needs.Stocked | None:
        # Two statements: what somebody commits between them is decided again under locks, where it matters.
        pool = self.read_pool(need.pool)
        return None if pool is None else needs.Stocked(pool, self._slices(self._pools.slices, pool.id))

    def read_pool(self, pool: int | str) -> PoolRow | None:
        """The terms of a pool, without its slices."""
        return self._one_pool(self._pools.pool_of, pool)

    def lock_pool(self, need: needs.LockPool) -> PoolRow | None:
        return self._one_pool(self._pools.lock_pool, need.pool)

    def share_pool(self, need: needs.SharePool) -> PoolRow | None:
        rows = self.fetch(self._pools.share_pool, (self._tenant, need.pool))
        return PoolRow._make(rows[0]) if rows else None

    def take_positions(self, need: needs.TakePositions) -> PoolRow | None:
        text = self._pools.take_positions[isinstance(need.pool, int)]
        rows = self.fetch(text, (need.count, self._tenant, need.pool))
        return PoolRow._make(rows[0]) if rows else None

    def lock_slices(self, need: needs.LockSlices) -> tuple[SliceRow, ...]:
        return self._slices(self._pools.lock_slices, need.pool)

    def take_holding(self, need: needs.TakeHolding) -> str:
        key: str = self.fetch(self._pools.take_holding, (self._tenant, need.pool, need.issuee))[0][0]
        return key

    def next_code(self, need: needs.NextCode) -> CodeRow | None:
        rows = self.fetch(self._pools.next_code, (self._tenant, need.pool, need.slice, need.position))
        return CodeRow._make(rows[0]) if rows else None

    def next_issued_code(self, need: needs.NextIssuedCode) -> CodeRow | None:
        for place in ((need.slice, need.position), (0, 0)):
            rows = self.fetch(self._pools.next_issued_code, (self._tenant, need.pool, *place))
            if rows:
                return CodeRow._make(rows[0])
        return None

    def code_of(self, need: needs.CodeOf) -> tuple[CodeRow, PoolRow] | None:
        return _code_and_pool(self.fetch(self._pools.code_of, (self._tenant, need.key)))

    def lock_code(self, need: needs.LockCode) -> needs.Locked | None:
        found = _code_and_pool(self.fetch(self._pools.lock_code, (self._tenant, need.key)))
        return None if found is None else needs.Locked(*found)

    def redeemer_of(self, need: needs.RedeemerOf) -> RedeemerRow | None:
        rows = self.fetch(self._pools.redeemer_of, (self._tenant, need.key, need.issuee))
        return RedeemerRow._make(rows[0]) if rows else None

    def redemption_of(self, need: needs.RedemptionOf) -> RedemptionRow | None:
        rows = self.fetch(self._pools.redemption_of, (self._tenant, need.id))
        return RedemptionRow._make(rows[0]) if rows else None

    def reservation_of(self, need: needs.ReservationOf) -> ReservationRow | None:
        rows = self.fetch(self._pools.reservation_of, (self._tenant, need.id))
        return ReservationRow._make(rows[0]) if rows else None

    def redemption_for(self, need: needs.RedemptionFor) -> str:
        return self._key(self._pools.redemption_for, need.id)

    def reservation_for(self, need: needs.ReservationFor) -> str:
        return self._key(self._pools.reservation_for, need.id)

    def _key(self, text: str, id: int | str) -> str:
        rows = self.fetch(text, (self._tenant, id))
        return rows[0][0] if rows else ""

    def overdue_reservations(self, need: needs.OverdueReservations) -> tuple[ReservationRow, ...]:
        values = (self._tenant, need.key, need.now, need.limit)
        return tuple(map(ReservationRow._make, self.fetch(self._pools.overdue_reservations, values)))

    def list_pools(self, need: needs.ListPools) -> tuple[needs.Stocked, ...]:
        pools = list(map(PoolRow._make, self.fetch(self._pools.list_pools, (self._tenant, need.after, need.limit))))
        if not pools:
            return ()
        values = (self._tenant, pools[0].id, pools[-1].id)
        slices = map(SliceRow._make, self.fetch(self._pools.slices_of_pools, values))
        parts = {pool: tuple(rows) for pool, rows in groupby(slices, key=lambda row: row.pool)}
        return tuple(needs.Stocked(pool, parts.get(pool.id, ())) for pool in pools)

    def list_codes(self, need: needs.ListCodes) -> tuple[CodeRow, ...]:
        of_pool = () if need.pool is None else (need.pool,)
        text = self._pools.codes(of_pool=bool(of_pool))
        return tuple(map(CodeRow._make, self.fetch(text, (self._tenant, need.after, *of_pool, need.limit))))

    def list_issuances(self, need: needs.ListIssuances) -> tuple[IssuanceRow, ...]:
        return tuple(map(IssuanceRow._make, self._records(ISSUANCE, need)))

    def list_redemptions(self, need: needs.ListRedemptions) -> tuple[RedemptionRow, ...]:
        return tuple(map(RedemptionRow._make, self._records(REDEMPTION, need)))

    def _records(self, table: Table, need: needs.ListIssuances | needs.ListRedemptions) -> list[Any]:
        given = {name: value for name, value in (("key", need.key), ("issuee", need.issuee)) if value is not None}
        text = self._pools.records(table, tuple(given))
        return self.fetch(text, (self._tenant, need.after, *given.values(), need.limit))

    def _one_pool(self, texts: Sequence[str], pool: int | str) -> PoolRow | None:
        rows = self.fetch(texts[isinstance(pool, int)], (self._tenant, pool))
        return PoolRow._make(rows[0]) if rows else None

    def _slices(self, text: str, pool: int) -> tuple[SliceRow, ...]:
        return tuple(map(SliceRow._make, self.fetch(text, (self._tenant, pool))))


def _code_and_pool(rows: list[Any]) -> tuple[CodeRow, PoolRow] | None:
    if not rows:
        return None
    return CodeRow._make(rows[0][:_CODE_COLUMNS]), PoolRow._make(rows[0][_CODE_COLUMNS:])
