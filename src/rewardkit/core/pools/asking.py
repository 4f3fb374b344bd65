"""Answering queries about pools."""

from __future__ import annotations

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools.alphabet import read_code
from rewardkit.core.pools.code import Code, code_record
from rewardkit.core.pools.commands import CheckCode
from rewardkit.core.pools.creating import pool_name
from rewardkit.core.pools.issuance import Issuance, issuance_record
from rewardkit.core.pools.issuee import Issuee, issuee_of
from rewardkit.core.pools.needs import CodeOf, ListCodes, ListIssuances, ListPools, ListRedemptions, PoolOf
from rewardkit.core.pools.pool import Pool, pool_record
from rewardkit.core.pools.queries import Codes, CodeStatus, Issuances, Pools, PoolStatus, Redemptions
from rewardkit.core.pools.redeeming import attempt_of
from rewardkit.core.pools.redemption import Redemption, redemption_record
from rewardkit.core.pools.refusals import UNIFORM, code_unknown, pool_unknown, require_not_spent, require_redeemable
from rewardkit.core.requests.queries import Page
from rewardkit.core.storing.needs import ask
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import Refused, ValidationError


def pool_status(query: PoolStatus, context: Context) -> Deciding[Decision[Pool]]:
    """One pool."""
    stocked = yield from ask(PoolOf(pool_name(query.pool)))
    return Decision(pool_unknown(query.pool) if stocked is None else pool_record(context, stocked))


def pools(query: Pools, context: Context) -> Deciding[Decision[Page[Pool]]]:
    """A page of pools."""
    rows = yield from ask(ListPools(_after(query.after), _limit(query.limit)))
    after = str(rows[-1].pool.id) if len(rows) == query.limit else None
    return Decision(Page(tuple(pool_record(context, row) for row in rows), after))


def code_status(query: CodeStatus, context: Context) -> Deciding[Decision[Code]]:
    """One code; to the public only if it is good for something."""
    if not query.public:
        found = yield from ask(CodeOf(read_code(query.code)))
        return Decision(code_unknown() if found is None else code_record(context, found[0]))
    try:
        return (yield from _redeemable(query.code, Issuee("", "", known=False), context))
    except Refused:
        return Decision(UNIFORM)


def check_code(command: CheckCode, context: Context) -> Deciding[Decision[Code]]:
    """One code, where it could be redeemed now; who looks at a code of hers again and again clears nothing."""
    issuee = issuee_of(context, command.external_issuee_id, command.issuee_id)
    looking = _redeemable(command.code, issuee, context)
    return (yield from attempt_of(command, context).made(looking, uniform=UNIFORM, clears=False))


def _redeemable(code: str, issuee: Issuee, context: Context) -> Deciding[Decision[Code]]:
    found = yield from ask(CodeOf(read_code(code)))
    if found is None:
        raise code_unknown()
    require_redeemable(*found, issuee, context.at)
    require_not_spent(*found)
    return Decision(code_record(context, found[0]))


def codes(query: Codes, context: Context) -> Deciding[Decision[Page[Code]]]:
    """A page of a pool's codes."""
    stocked = yield from ask(PoolOf(pool_name(query.pool)))
    if stocked is None:
        return Decision(pool_unknown(query.pool))
    after = "" if query.after is None else text(query.after, "after")
    rows = yield from ask(ListCodes(stocked.pool.id, after, _limit(query.limit)))
    last = rows[-1].key if len(rows) == query.limit else None
    return Decision(Page(tuple(code_record(context, row) for row in rows), last))


def issuances(query: Issuances, context: Context) -> Deciding[Decision[Page[Issuance]]]:
    """A page of issuances."""
    key, issuee = _filters(query, context)
    rows = yield from ask(ListIssuances(key, issuee, _after(query.after), _limit(query.limit)))
    updated: dict[str, int] = {}
    for one in sorted({row.key for row in rows}):
        found = yield from ask(CodeOf(one))
        updated[one] = 0 if found is None else found[0].updated_at
    items = tuple(issuance_record(context, row, max(row.created_at, updated[row.key])) for row in rows)
    return Decision(Page(items, str(rows[-1].id) if len(rows) == query.limit else None))


def redemptions(query: Redemptions, context: Context) -> Deciding[Decision[Page[Redemption]]]:
    """A page of redemptions."""
    key, issuee = _filters(query, context)
    rows = yield from ask(ListRedemptions(key, issuee, _after(query.after), _limit(query.limit)))
    items = tuple(redemption_record(context, row) for row in rows)
    return Decision(Page(items, str(rows[-1].id) if len(rows) == query.limit else None))


def _filters(query: Issuances | Redemptions, context: Context) -> tuple[str | None, str | None]:
    code = None if query.code is None else read_code(query.code)
    if query.external_issuee_id is None and query.issuee_id is None:
        return code, None
    return code, issuee_of(context, query.external_issuee_id, query.issuee_id).id


def _after(after: str | None) -> int:
    if after is None:
        return -1
    if not isinstance(after, str) or not after.isdecimal() or len(after) > 18:
        raise ValidationError(f"`{show(str(after))}` is not a place in a list: pass a page's `after`")
    return int(after)


def _limit(limit: int) -> int:
    return integer(limit, "limit", least=1, most=limits.PAGE_ROWS)
