"""What a store keeps of pools, row by row; see `rewardkit.core.storing.rows`. What is yes or no is 1 or 0."""

from __future__ import annotations

from typing import NamedTuple


class PoolRow(NamedTuple):
    """A pool's terms. Key: (id). Unique too: (name). What it holds is counted in its slices."""

    id: int
    name: str
    issuance_allowed: int
    redemption_allowed: int
    distribution: str
    """`unique` or `multi`."""
    bearer: int
    """Whether a code may be redeemed that was never issued."""
    low_threshold: int | None
    max_characters: int
    email: str
    redemption_limit: int | None
    """Of one code, at one time; reservations count."""
    issuee_limit: int | None
    """Of one code by one issuee."""
    valid_from: int | None
    valid_until: int | None
    positions: int
    """How many places have been given to codes: the next one."""
    created_at: int
    updated_at: int


class SliceRow(NamedTuple):
    """A part of a pool's codes, with its counts. Key: (pool, slice).

    Checked: all counts are at least 0, issued + remaining + inactive + void = total, quota <= remaining.
    """

    pool: int
    slice: int
    total: int
    issued: int
    """Issued at least once, and not void."""
    remaining: int
    """Never issued, active, not void."""
    inactive: int
    """Never issued, not active, not void."""
    void: int
    quota: int
    """How many may be handed out before somebody has to look at all slices."""
    cursor: int
    """No code of this slice that remains has an earlier position."""
    crossings: int
    """How often the pool has fallen to its low threshold; counted in its first slice alone."""


class CodeRow(NamedTuple):
    """A code. Key: (key). Unique too: (pool, slice, position). Checked: redemptions + reserved <= limit."""

    key: str
    """What it is found by: see `rewardkit.core.pools.alphabet`."""
    code: str
    """As it was made or imported."""
    pool: int
    slice: int
    position: int
    status: str
    """`unissued`, `issued` or `void`."""
    active: int
    issuee: str
    """Of a unique pool: who has it, or empty."""
    external_issuee: str
    """Of a unique pool: what the host calls her, or empty."""
    issuances: int
    issuees: int
    redemptions: int
    """That were not rolled back."""
    redeemers: int
    reserved: int
    """Reservations that are neither confirmed nor released; their time may be over."""
    redeemed: int
    """Redemptions ever, with those that were rolled back: numbers the next."""
    limit: int | None
    """Of the last redemption or reservation; or what had been taken by then, where a lower limit came too late."""
    created_at: int
    updated_at: int


class NewCodeRow(NamedTuple):
    """The columns of a code that was never issued that differ from code to code. Key: (key)."""

    key: str
    code: str
    slice: int
    position: int


class IssuanceRow(NamedTuple):
    """A code was given to an issuee. Key: (id). Unique too: (key, number)."""

    id: int
    key: str
    number: int
    """The how-manieth issuance of its code, from 1."""
    code: str
    pool: int
    issuee: str
    external_issuee: str
    """Empty where she is anonymous."""
    application: str
    reference: str
    created_at: int


class HoldingRow(NamedTuple):
    """The code that an issuee has of a pool. Key: (pool, issuee)."""

    pool: int
    issuee: str
    key: str


class RedemptionRow(NamedTuple):
    """A code was redeemed. Key: (id). Unique too: (key, number)."""

    id: int
    key: str
    number: int
    """The how-manieth redemption of its code, from 1, with those that were rolled back."""
    code: str
    pool: int
    issuee: str
    external_issuee: str
    application: str
    reference: str
    reservation: str
    """The reservation that became it, or empty."""
    created_at: int
    rolled_back_at: int | None


class RedeemerRow(NamedTuple):
    """What an issuee has taken of one code of a multi pool. Key: (key, issuee)."""

    key: str
    issuee: str
    redemptions: int
    reserved: int


class ReservationRow(NamedTuple):
    """A redemption that is kept free for somebody. Key: (id). Indexed by (key, id) where status is `open`."""

    id: str
    key: str
    code: str
    pool: int
    issuee: str
    external_issuee: str
    application: str
    reference: str
    status: str
    """`open`, then `confirmed` or `released`; an open one whose time is over holds nothing."""
    expires_at: int
    redemption: int | None
    """What it became when it was confirmed."""
    created_at: int
    updated_at: int
