"""What decisions about pools ask of the world; see `rewardkit.core.storing.needs`.

Locks are taken in this order, after answers: pools, slices in order, holdings, codes, reservations, redemptions.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import attrs

from rewardkit.core.pools.pattern import CodePattern
from rewardkit.core.storing.needs import Need
from rewardkit.core.storing.pool_rows import (
    CodeRow,
    IssuanceRow,
    NewCodeRow,
    PoolRow,
    RedeemerRow,
    RedemptionRow,
    ReservationRow,
    SliceRow,
)

Drawn: TypeAlias = Literal["pool", "issuance", "redemption"]


class Stocked(NamedTuple):
    """A pool and its slices, as they were committed together."""

    pool: PoolRow
    slices: tuple[SliceRow, ...]


class Taken(NamedTuple):
    """What `TakeCode` came to."""

    pool: PoolRow
    held: str
    """The key of the code that the issuee has already, or empty: nothing was taken."""
    code: CodeRow | None
    """As it is now that it has been taken; None where no slice has a quota left."""
    issuance: int
    """The id of its issuance, or 0."""


@attrs.frozen
class PoolOf(Need[Stocked | None]):
    """A pool by its id or its name, with its slices in order."""

    pool: int | str


@attrs.frozen
class LockPool(Need[PoolRow | None]):
    """A pool by its id or name, which nobody changes meanwhile. *Locks*; waits for redemptions of its codes too."""

    pool: int | str


@attrs.frozen
class SharePool(Need[PoolRow | None]):
    """A pool by its id, whose terms nobody changes meanwhile; others share it. *Locks*, against `LockPool`."""

    pool: int


@attrs.frozen
class TakePositions(Need[PoolRow | None]):
    """A pool with `positions` raised by `count`, for codes that are added. *Takes* and *locks*."""

    pool: int | str
    count: int


@attrs.frozen
class LockSlices(Need[tuple[SliceRow, ...]]):
    """All slices of a pool, in order. *Locks*, in order."""

    pool: int


@attrs.frozen
class AddCodes(Need[frozenset[str]]):
    """Insert codes whose keys no code of the tenant has; answers the keys of those that were inserted. *Takes*.

    Sorted by key, each key once. They are `unissued` and active, and everything that is counted is 0.
    Waits for a concurrent transaction that inserts the same key.
    """

    pool: int
    at: int
    codes: tuple[NewCodeRow, ...]


@attrs.frozen
class FreshCodes(Need[tuple[str, ...]]):
    """So many different random codes of a pattern. Answered by the shell, which has the randomness, and by no store."""

    pattern: CodePattern
    count: int


@attrs.frozen
class TakeCode(Need[Taken | None]):
    """Hand out a code of a slice that has a quota left, and record its issuance. *Takes* and *locks*.

    None where there is no such pool. Of the slices that nobody holds, the one with the largest quota is taken, the
    first of several; where all are held, it waits. The code is the one of the least position from the cursor on that
    is unissued and active. It becomes `issued`, to the issuance's issuee, its counts of issuances and issuees 1; its
    slice's counts, quota and cursor follow; a holding is inserted.
    One who takes another code for the same issuee at the same time is refused as transient.

    Where the issuee has a code of the pool already, nothing is taken; that is looked for only where `known`.
    Nothing is taken of a pool whose validity is over when the issuance is created.

    Args:
        pool: id or name.
        issuance: what is recorded; the store fills in id, key, number, code and pool.
        known: whether the issuee may have been here before.
        another: where she has, she gets another code, and keeps her holding unless what it holds is void; not together
            with `known`.
    """

    pool: int | str
    issuance: IssuanceRow
    known: bool
    another: bool = False


@attrs.frozen
class TakeHolding(Need[str]):
    """The key of the code that an issuee has of a pool; where she has none, an empty one is inserted. *Locks*."""

    pool: int
    issuee: str


@attrs.frozen
class NextCode(Need[CodeRow | None]):
    """The code of a slice with the least position from `position` on that is `unissued` and active. *Locks*.

    The slice is locked already.
    """

    pool: int
    slice: int
    position: int


@attrs.frozen
class NextIssuedCode(Need[CodeRow | None]):
    """The first code from (slice, position) on, and else from the beginning, that is `issued` and active. *Locks*."""

    pool: int
    slice: int
    position: int


@attrs.frozen
class CodeOf(Need[tuple[CodeRow, PoolRow] | None]):
    """A code and its pool, as they were committed."""

    key: str


class Locked(NamedTuple):
    """A code that nobody else changes, and its pool, whose terms nobody changes."""

    code: CodeRow
    pool: PoolRow


@attrs.frozen
class LockCode(Need[Locked | None]):
    """A code and its pool. *Locks* the code, and the pool against `LockPool`; others share the pool."""

    key: str


@attrs.frozen
class Draw(Need[int]):
    """The next id of a table: greater than those of its rows that were committed before. *Takes*."""

    table: Drawn


@attrs.frozen
class RedeemerOf(Need[RedeemerRow | None]):
    """What an issuee has taken of a code. The code is locked already."""

    key: str
    issuee: str


@attrs.frozen
class RedemptionOf(Need[RedemptionRow | None]):
    """One redemption. *Locks*; its code is locked before where it is to be changed."""

    id: int


@attrs.frozen
class ReservationOf(Need[ReservationRow | None]):
    """One reservation. *Locks*; its code is locked before where it is to be changed."""

    id: str


@attrs.frozen
class RedemptionFor(Need[str]):
    """The key of the code that was redeemed, or the empty text where there is no redemption of this id."""

    id: int


@attrs.frozen
class ReservationFor(Need[str]):
    """The key of the code that a reservation is of, or the empty text where there is none of this id."""

    id: str


@attrs.frozen
class OverdueReservations(Need[tuple[ReservationRow, ...]]):
    """At most `limit` open reservations of a code whose expires_at <= `now`, in id order. *Locks*; its code is too."""

    key: str
    now: int
    limit: int


@attrs.frozen
class ListPools(Need[tuple[Stocked, ...]]):
    """Pools in id order, after that id, at most `limit`."""

    after: int
    limit: int


@attrs.frozen
class ListCodes(Need[tuple[CodeRow, ...]]):
    """Codes in key order, after that key, at most `limit`; of one pool where it is given."""

    pool: int | None
    after: str
    limit: int


@attrs.frozen
class ListIssuances(Need[tuple[IssuanceRow, ...]]):
    """Issuances in id order, after that id, at most `limit`; each filter that is given holds."""

    key: str | None
    issuee: str | None
    after: int
    limit: int


@attrs.frozen
class ListRedemptions(Need[tuple[RedemptionRow, ...]]):
    """Redemptions in id order, after that id, at most `limit`; each filter that is given holds."""

    key: str | None
    issuee: str | None
    after: int
    limit: int
