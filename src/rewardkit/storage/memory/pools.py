"""Pools in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import nsmallest
from itertools import islice
from typing import Any, TypeVar

from rewardkit.core.pools import needs
from rewardkit.core.pools.slices import SLICES
from rewardkit.core.storing.pool_rows import (
    CodeRow,
    HoldingRow,
    IssuanceRow,
    PoolRow,
    RedeemerRow,
    RedemptionRow,
    ReservationRow,
    SliceRow,
)
from rewardkit.core.storing.rows import Row
from rewardkit.errors import InvariantError
from rewardkit.storage.memory.shelf import Key, Shelves

R = TypeVar("R", bound=Row)

_TABLES: dict[needs.Drawn, type[Row]] = {"pool": PoolRow, "issuance": IssuanceRow, "redemption": RedemptionRow}


class MemoryPools:
    """Part of `MemoryRows`."""

    _shelves: Shelves
    _put: Callable[[Key, Row], None]

    def pool_of(self, need: needs.PoolOf) -> needs.Stocked | None:
        pool = self._pool(need.pool)
        return None if pool is None else self._stocked(pool)

    def lock_pool(self, need: needs.LockPool) -> PoolRow | None:
        return self._pool(need.pool)

    def share_pool(self, need: needs.SharePool) -> PoolRow | None:
        return self._pool(need.pool)

    def take_positions(self, need: needs.TakePositions) -> PoolRow | None:
        pool = self._pool(need.pool)
        if pool is None:
            return None
        after = pool._replace(positions=pool.positions + need.count)
        self._put(pool.id, after)
        return after

    def lock_slices(self, need: needs.LockSlices) -> tuple[SliceRow, ...]:
        rows = self._shelves[SliceRow].rows
        return tuple(rows[need.pool, number] for number in range(SLICES))

    def add_codes(self, need: needs.AddCodes) -> frozenset[str]:
        shelf = self._shelves[CodeRow]
        added = []
        for new in need.codes:
            if new.key not in shelf.rows:
                row = CodeRow(
                    key=new.key,
                    code=new.code,
                    pool=need.pool,
                    slice=new.slice,
                    position=new.position,
                    status="unissued",
                    active=1,
                    issuee="",
                    external_issuee="",
                    issuances=0,
                    issuees=0,
                    redemptions=0,
                    redeemers=0,
                    reserved=0,
                    redeemed=0,
                    limit=None,
                    created_at=need.at,
                    updated_at=need.at,
                )
                self._put(new.key, row)
                added.append(new.key)
        return frozenset(added)

    def take_code(self, need: needs.TakeCode) -> needs.Taken | None:
        pool = self._pool(need.pool)
        if pool is None:
            return None
        issuee, at = need.issuance.issuee, need.issuance.created_at
        holding: HoldingRow | None = self._shelves[HoldingRow].rows.get((pool.id, issuee))
        if holding is not None and not need.another:
            return needs.Taken(pool, holding.key, None, 0)
        slices = [row for row in self.lock_slices(needs.LockSlices(pool.id)) if row.quota]
        if not slices or (pool.valid_until is not None and pool.valid_until <= at):
            return needs.Taken(pool, "", None, 0)
        first = min(slices, key=lambda row: (-row.quota, row.slice))
        code = self.next_code(needs.NextCode(pool.id, first.slice, first.cursor))
        if code is None:
            raise InvariantError(f"pool {pool.id} has a quota and no code")
        external = need.issuance.external_issuee
        code = code._replace(
            status="issued", issuee=issuee, external_issuee=external, issuances=1, issuees=1, updated_at=at
        )
        number = self.draw(needs.Draw("issuance"))
        self._put(code.key, code)
        after = first._replace(
            issued=first.issued + 1, remaining=first.remaining - 1, quota=first.quota - 1, cursor=code.position + 1
        )
        self._put((pool.id, first.slice), after)
        held: CodeRow | None = self._shelves[CodeRow].rows.get(holding.key) if holding else None
        if held is None or held.status == "void":
            self._put((pool.id, issuee), HoldingRow(pool.id, issuee, code.key))
        self._put(number, need.issuance._replace(id=number, key=code.key, number=1, code=code.code, pool=pool.id))
        return needs.Taken(pool, "", code, number)

    def take_holding(self, need: needs.TakeHolding) -> str:
        row: HoldingRow | None = self._shelves[HoldingRow].rows.get((need.pool, need.issuee))
        if row is None:
            row = HoldingRow(need.pool, need.issuee, "")
            self._put((need.pool, need.issuee), row)
        return row.key

    def next_code(self, need: needs.NextCode) -> CodeRow | None:
        return self._next(need.pool, need.slice, need.position, "unissued")

    def next_issued_code(self, need: needs.NextIssuedCode) -> CodeRow | None:
        order = [(number, 0) for number in range(need.slice + 1, SLICES)] + [(number, 0) for number in range(SLICES)]
        for number, position in [(need.slice, need.position), *order]:
            found = self._next(need.pool, number, position, "issued")
            if found is not None:
                return found
        return None

    def _next(self, pool: int, number: int, position: int, status: str) -> CodeRow | None:
        terms = self._pool(pool)
        shelf = self._shelves[CodeRow]
        first = position + (number - position) % SLICES
        for place in range(first, 0 if terms is None else terms.positions, SLICES):
            row: CodeRow | None = shelf.having((pool, number, place))
            if row is not None and row.status == status and row.active:
                return row
        return None

    def code_of(self, need: needs.CodeOf) -> tuple[CodeRow, PoolRow] | None:
        code: CodeRow | None = self._shelves[CodeRow].rows.get(need.key)
        return None if code is None else (code, self._shelves[PoolRow].rows[code.pool])

    def lock_code(self, need: needs.LockCode) -> needs.Locked | None:
        found = self.code_of(needs.CodeOf(need.key))
        return None if found is None else needs.Locked(*found)

    def draw(self, need: needs.Draw) -> int:
        # Nothing is ever removed from these.
        return len(self._shelves[_TABLES[need.table]].rows) + 1

    def redeemer_of(self, need: needs.RedeemerOf) -> RedeemerRow | None:
        return self._shelves[RedeemerRow].rows.get((need.key, need.issuee))

    def redemption_of(self, need: needs.RedemptionOf) -> RedemptionRow | None:
        return self._shelves[RedemptionRow].rows.get(need.id)

    def redemption_for(self, need: needs.RedemptionFor) -> str:
        row: RedemptionRow | None = self._shelves[RedemptionRow].rows.get(need.id)
        return "" if row is None else row.key

    def reservation_of(self, need: needs.ReservationOf) -> ReservationRow | None:
        return self._shelves[ReservationRow].rows.get(need.id)

    def reservation_for(self, need: needs.ReservationFor) -> str:
        row: ReservationRow | None = self._shelves[ReservationRow].rows.get(need.id)
        return "" if row is None else row.key

    def overdue_reservations(self, need: needs.OverdueReservations) -> tuple[ReservationRow, ...]:
        rows: Iterable[ReservationRow] = self._shelves[ReservationRow].rows.values()
        over = (row for row in rows if row.key == need.key and row.status == "open" and row.expires_at <= need.now)
        return tuple(nsmallest(need.limit, over, key=lambda row: row.id))

    def list_pools(self, need: needs.ListPools) -> tuple[needs.Stocked, ...]:
        rows: Iterable[PoolRow] = self._shelves[PoolRow].rows.values()
        found = nsmallest(need.limit, (row for row in rows if row.id > need.after), key=lambda row: row.id)
        return tuple(map(self._stocked, found))

    def list_codes(self, need: needs.ListCodes) -> tuple[CodeRow, ...]:
        rows: Iterable[CodeRow] = self._shelves[CodeRow].rows.values()
        kept = (row for row in rows if need.pool in (None, row.pool) and row.key > need.after)
        return tuple(nsmallest(need.limit, kept, key=lambda row: row.key))

    def list_issuances(self, need: needs.ListIssuances) -> tuple[IssuanceRow, ...]:
        return self._listed(self._shelves[IssuanceRow].rows.values(), need)

    def list_redemptions(self, need: needs.ListRedemptions) -> tuple[RedemptionRow, ...]:
        return self._listed(self._shelves[RedemptionRow].rows.values(), need)

    @staticmethod
    def _listed(rows: Iterable[Any], need: needs.ListIssuances | needs.ListRedemptions) -> tuple[Any, ...]:
        kept = sorted(
            row
            for row in rows
            if row.id > need.after and need.key in (None, row.key) and need.issuee in (None, row.issuee)
        )
        return tuple(islice(kept, need.limit))

    def _pool(self, pool: int | str) -> PoolRow | None:
        shelf = self._shelves[PoolRow]
        found: PoolRow | None = shelf.rows.get(pool) if isinstance(pool, int) else shelf.having(pool)
        return found

    def issues(self, pool: int, now: int) -> bool:
        """Whether a pool is open to issuing, and has something to issue."""
        terms = self._pool(pool)
        if terms is None or not terms.issuance_allowed or (terms.valid_until is not None and terms.valid_until <= now):
            return False
        shared = terms.distribution == "multi"
        return any(row.remaining or (shared and row.issued) for row in self._stocked(terms).slices)

    def _stocked(self, pool: PoolRow) -> needs.Stocked:
        return needs.Stocked(pool, self.lock_slices(needs.LockSlices(pool.id)))
