"""What a reward has rewardkit itself hand over with each grant: a code of a pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.grant_terms import one_of
from rewardkit.core.pools.needs import PoolOf
from rewardkit.core.pools.refusals import pool_unknown
from rewardkit.core.requests.records import VOID, Issues
from rewardkit.core.storing.needs import ask
from rewardkit.core.values.input import mapping, show, text
from rewardkit.errors import ValidationError

KEEP: Final = "keep"
REVERSALS: Final = (VOID, KEEP)
"""What becomes of the code of a grant that is reversed as a whole: it is good for nothing, or stays as it is."""

_KEYS: Final = ("pool", "reversal")


def read_issues(given: object, pools: Mapping[str, int]) -> dict[str, Any]:
    """What a definition keeps of what a reward issues; empty where it issues nothing.

    Args:
        given: as the caller wrote it.
        pools: the ids of the pools that there are, by name: a pool that is renamed later stays the one that was meant.

    Raises:
        ValidationError: it cannot be meant.
        Refused: there is no such pool.
    """
    if given is None:
        return {}
    issues = mapping(given, "issues")
    for key in issues:
        if key not in _KEYS:
            raise ValidationError(f"issues has the key `{show(str(key))}`, known are `{'`, `'.join(_KEYS)}`")
    if "pool" not in issues:
        raise ValidationError('issues names a pool, such as `{"pool": "spring"}`')
    pool = text(issues["pool"], "issues.pool")
    if pool not in pools:
        raise pool_unknown(pool)
    reversal = one_of(issues.get("reversal", VOID), "issues.reversal", REVERSALS)
    return attrs.asdict(Issues(pool, pools[pool], reversal))


def pools_named(definitions: Iterable[object]) -> Deciding[dict[str, int]]:
    """The ids of those pools that definitions name and that there are."""
    found: dict[str, int] = {}
    for definition in definitions:
        issues = getattr(definition, "issues", None)
        issued = issues.get("pool") if isinstance(issues, Mapping) else None
        for name in (issued, getattr(definition, "pool", None), getattr(definition, "coupons", None)):
            if isinstance(name, str) and name and name not in found:
                stocked = yield from ask(PoolOf(text(name, "a pool's name")))
                if stocked is not None:
                    found[name] = stocked.pool.id
    return found
