"""What is promised of pools, whatever has been done with their codes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs

from rewardkit.core.pools.alphabet import code_key
from rewardkit.core.pools.needs import (
    ListCodes,
    ListIssuances,
    ListPools,
    ListRedemptions,
    OverdueReservations,
    RedeemerOf,
    Stocked,
)
from rewardkit.core.pools.refusals import limit_of
from rewardkit.core.pools.slices import SLICES, with_quotas
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
from rewardkit.core.values.limits import PAGE_ROWS
from rewardkit.ports import Transaction

_LAST = 2**62


@attrs.frozen
class PoolSnapshot:
    """Everything that one tenant has of pools, table by table."""

    pools: tuple[PoolRow, ...] = ()
    slices: tuple[SliceRow, ...] = ()
    codes: tuple[CodeRow, ...] = ()
    issuances: tuple[IssuanceRow, ...] = ()
    holdings: tuple[HoldingRow, ...] = ()
    """Empty where it was read through a store: no need lists them."""
    redemptions: tuple[RedemptionRow, ...] = ()
    redeemers: tuple[RedeemerRow, ...] = ()
    reservations: tuple[ReservationRow, ...] = ()
    """Only open ones, where it was read through a store."""


def pool_snapshot_of(transaction: Transaction) -> PoolSnapshot:
    """What a store says of pools."""
    stocked, codes = list[Stocked](), list[CodeRow]()
    while page := transaction.ask(ListPools(stocked[-1].pool.id if stocked else -1, PAGE_ROWS)):
        stocked += page
    while rows := transaction.ask(ListCodes(None, codes[-1].key if codes else "", PAGE_ROWS)):
        codes += rows
    issuances, redemptions = list[IssuanceRow](), list[RedemptionRow]()
    while given := transaction.ask(ListIssuances(None, None, issuances[-1].id if issuances else -1, PAGE_ROWS)):
        issuances += given
    while taken := transaction.ask(ListRedemptions(None, None, redemptions[-1].id if redemptions else -1, PAGE_ROWS)):
        redemptions += taken
    reserved = [row for code in codes for row in transaction.ask(OverdueReservations(code.key, _LAST, PAGE_ROWS))]
    pairs = sorted({(row.key, row.issuee) for rows in (redemptions, reserved) for row in rows})
    known = (transaction.ask(RedeemerOf(*pair)) for pair in pairs)
    return PoolSnapshot(
        pools=tuple(one.pool for one in stocked),
        slices=tuple(row for one in stocked for row in one.slices),
        codes=tuple(codes),
        issuances=tuple(issuances),
        redemptions=tuple(redemptions),
        redeemers=tuple(row for row in known if row is not None),
        reservations=tuple(reserved),
    )


def pool_violations(found: PoolSnapshot) -> Iterator[str]:
    """C1 to C4 and C7 to C9, each by its letter. C6 is looked at with the notices."""
    pools = {pool.id: pool for pool in found.pools}
    issuances, redemptions = _by_key(found.issuances), _by_key(found.redemptions)
    reserved = _by_key(row for row in found.reservations if row.status == "open")
    for pool in found.pools:
        slices = sorted(row for row in found.slices if row.pool == pool.id)
        yield from _stock(pool, slices, [code for code in found.codes if code.pool == pool.id])
    for code in found.codes:
        pool = pools[code.pool]
        yield from _issued(code, pool, issuances[code.key])
        yield from _redeemed(code, pool, redemptions[code.key], reserved[code.key])
    yield from _redeemers(found, pools)
    yield from _holdings(found)


def _by_key(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.key].append(row)
    return found


def _stock(pool: PoolRow, slices: Sequence[SliceRow], codes: Sequence[CodeRow]) -> Iterator[str]:
    """C2: a pool's counts are those of its codes, and its quotas keep all but one from its threshold."""
    if [row.slice for row in slices] != list(range(SLICES)):
        yield f"C2: pool {pool.id} has the slices {[row.slice for row in slices]}"
        return
    for row in slices:
        mine = [code for code in codes if code.slice == row.slice]
        left = [code.position for code in mine if code.status == "unissued" and code.active]
        inactive = sum(code.status == "unissued" and not code.active for code in mine)
        statuses = Counter(code.status for code in mine)
        counted = (row.total, row.issued, row.remaining, row.inactive, row.void)
        really = (len(mine), statuses["issued"], len(left), inactive, statuses["void"])
        if counted != really:
            yield f"C2: slice {row.slice} of pool {pool.id} counts {counted}, its codes say {really}"
        if sum(counted[1:]) != row.total or min(counted) < 0:
            yield f"C2: the counts {counted} of slice {row.slice} of pool {pool.id} do not add up"
        if left and min(left) < row.cursor:
            yield f"C2: slice {row.slice} of pool {pool.id} has passed over a code that remains"
    if sum(row.quota for row in slices) != sum(row.quota for row in with_quotas(pool, slices)):
        yield f"C6: the quotas of pool {pool.id} are not what remains above its threshold"
    for code in codes:
        if code.position >= pool.positions or code.position % SLICES != code.slice:
            yield f"C2: a code of pool {pool.id} is at position {code.position} of slice {code.slice}"


def _issued(code: CodeRow, pool: PoolRow, rows: Sequence[IssuanceRow]) -> Iterator[str]:
    """C1, C7 and C8."""
    name = f"code `{code.key}` of pool {pool.id}"
    if code_key(code.code) != code.key:
        yield f"C8: the key of {name} is not that of `{code.code}`"
    issuees = {row.issuee for row in rows}
    if pool.distribution == "unique" and (len(issuees) > 1 or (rows and issuees != {code.issuee})):
        yield f"C1: {name} was issued to {len(issuees)} issuees"
    if sorted(row.number for row in rows) != list(range(1, code.issuances + 1)):
        yield f"C7: {name} counts {code.issuances} issuances, and has {sorted(row.number for row in rows)}"
    if len(issuees) != code.issuees:
        yield f"C7: {name} counts {code.issuees} issuees, and has {len(issuees)}"
    if (code.status == "unissued" and rows) or (code.status == "issued" and not rows):
        yield f"C7: {name} is {code.status} and has {len(rows)} issuances"


def _redeemed(
    code: CodeRow, pool: PoolRow, rows: Sequence[RedemptionRow], reserved: Sequence[ReservationRow]
) -> Iterator[str]:
    """C3, C4, C7 and C9."""
    name = f"code `{code.key}` of pool {pool.id}"
    kept = [row for row in rows if row.rolled_back_at is None]
    if sorted(row.number for row in rows) != list(range(1, code.redeemed + 1)):
        yield f"C9: {name} counts {code.redeemed} redemptions ever, and has {sorted(row.number for row in rows)}"
    redeemers = len({row.issuee for row in kept})
    counted, really = (code.redemptions, code.redeemers, code.reserved), (len(kept), redeemers, len(reserved))
    if counted != really:
        yield f"C7: {name} counts {counted} redemptions, redeemers and reservations, and has {really}"
    if rows and not code.issuances:
        yield f"C4: {name} was redeemed and never issued"
    if pool.distribution == "unique" and any(row.issuee != code.issuee for row in rows):
        yield f"C4: {name} was redeemed by somebody who does not have it"
    limit = limit_of(pool)
    if code.limit is not None and len(kept) + len(reserved) > code.limit:
        yield f"C3: {name} is taken {len(kept) + len(reserved)} times under its limit {code.limit}"
    if pool.distribution == "unique" and len(kept) > (limit or 0):
        yield f"C3: {name} was redeemed {len(kept)} times"


def _redeemers(found: PoolSnapshot, pools: dict[int, PoolRow]) -> Iterator[str]:
    """C3 and C7, for each who redeems a code of a multi pool."""
    multi = {code.key for code in found.codes if pools[code.pool].distribution == "multi"}
    taken = Counter((row.key, row.issuee) for row in found.redemptions if row.rolled_back_at is None)
    held = Counter((row.key, row.issuee) for row in found.reservations if row.status == "open")
    counted = {(row.key, row.issuee): (row.redemptions, row.reserved) for row in found.redeemers}
    for pair in sorted(counted.keys() | {pair for pair in taken.keys() | held.keys() if pair[0] in multi}):
        if counted.get(pair, (0, 0)) != (taken[pair], held[pair]):
            yield f"C7: issuee `{pair[1]}` counts {counted.get(pair)} of a code, the rows say {taken[pair], held[pair]}"


def _holdings(found: PoolSnapshot) -> Iterator[str]:
    """C1: what an issuee would get again was issued to her."""
    given = {(row.pool, row.issuee, row.key) for row in found.issuances}
    for row in found.holdings:
        if row.key and (row.pool, row.issuee, row.key) not in given:
            yield f"C1: issuee `{row.issuee}` holds a code of pool {row.pool} that she was not given"
