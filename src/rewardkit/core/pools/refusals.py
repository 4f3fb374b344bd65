"""What a pool or a code is not fit for, said to the operator; the public hears the same of everything."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rewardkit.core.pools.issuee import Issuee
from rewardkit.core.storing.pool_rows import CodeRow, PoolRow
from rewardkit.core.values.input import masked, show
from rewardkit.errors import Refused
from rewardkit.language.event import rfc3339

UNIFORM: Final = Refused("code_not_valid", "the code is not valid", {})


@lru_cache(256)
def _shown(at: int) -> str:
    """Written once a process: else time would tell codes whose pool is over from those that there are not."""
    return rfc3339(at)


def pool_unknown(pool: int | str) -> Refused:
    """There is no such pool."""
    sentence = f"pool `{show(str(pool))}` does not exist: make it with `CreatePool`, or in a definition file"
    return Refused("pool_unknown", sentence, {})


def code_unknown() -> Refused:
    """There is no such code; what was typed is not repeated."""
    return Refused("code_unknown", "no pool has this code", {})


def require_open_to_issuing(pool: PoolRow, at: int) -> None:
    """Raise `Refused` where nothing may be issued from a pool now."""
    if not pool.issuance_allowed:
        raise Refused("issuance_not_allowed", f"pool `{pool.name}` does not allow issuing", {"pool": pool.id})
    if pool.valid_until is not None and at >= pool.valid_until:
        ended = _shown(pool.valid_until)
        raise Refused("pool_expired", f"the codes of pool `{pool.name}` were valid until {ended}", {"until": ended})


def exhausted(pool: PoolRow, inactive: int) -> Refused:
    """Nothing is left to be issued."""
    facts = {"pool": pool.id, "remaining": 0, "inactive": inactive}
    return Refused("pool_exhausted", f"pool `{pool.name}` has no code left: add some", facts)


def require_issuable(code: CodeRow) -> None:
    """Raise `Refused` where a code may not be issued, to whomever."""
    if code.status == "void":
        raise Refused("code_void", f"code `{masked(code.code)}` is void", {})
    if not code.active:
        raise Refused("code_inactive", f"code `{masked(code.code)}` is not active: activate it, or take another", {})


def require_redeemable(code: CodeRow, pool: PoolRow, issuee: Issuee, at: int) -> None:
    """Raise `Refused` where a code may not be redeemed by somebody now, however often it may be redeemed."""
    name = masked(code.code)
    if code.status == "void":
        raise Refused("code_void", f"code `{name}` is void", {})
    if not pool.redemption_allowed:
        raise Refused("redemption_not_allowed", f"pool `{pool.name}` does not allow redeeming", {"pool": pool.id})
    if pool.valid_from is not None and at < pool.valid_from:
        begins = _shown(pool.valid_from)
        raise Refused("pool_not_begun", f"the codes of pool `{pool.name}` are valid from {begins} on", {"from": begins})
    if pool.valid_until is not None and at >= pool.valid_until:
        ended = _shown(pool.valid_until)
        raise Refused("pool_expired", f"the codes of pool `{pool.name}` were valid until {ended}", {"until": ended})
    if code.status == "unissued" and not pool.bearer:
        raise Refused("code_not_issued", f"code `{name}` has never been issued, and is not for its bearer", {})
    if pool.distribution == "unique" and code.status == "issued" and issuee.known and code.issuee != issuee.id:
        raise Refused("wrong_issuee", f"code `{name}` was issued to somebody else", {})


def limit_of(pool: PoolRow) -> int | None:
    """How often a code of a pool may be redeemed."""
    return 1 if pool.distribution == "unique" else pool.redemption_limit


def require_not_spent(code: CodeRow, pool: PoolRow) -> None:
    """Raise `Refused` where a code has been redeemed as often as it may be, reservations aside."""
    limit = limit_of(pool)
    if limit is not None and code.redemptions >= limit:
        facts = {"used": code.redemptions, "limit": limit}
        raise Refused("code_spent", f"code `{masked(code.code)}` has been redeemed {limit} of {limit} times", facts)
