"""Taking codes out of a pool's stock: for a time, or for ever."""

from __future__ import annotations

from collections.abc import Callable

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools.alphabet import read_code
from rewardkit.core.pools.code import Code, code_record
from rewardkit.core.pools.commands import ActivateCode, DeactivateCode, VoidCode
from rewardkit.core.pools.needs import CodeOf, LockCode, LockSlices, SharePool
from rewardkit.core.pools.refusals import code_unknown
from rewardkit.core.pools.slices import counted
from rewardkit.core.pools.stocking import stock_effects
from rewardkit.core.storing.effects import Replace
from rewardkit.core.storing.needs import ask
from rewardkit.core.storing.pool_rows import CodeRow
from rewardkit.core.values.input import masked
from rewardkit.errors import InvariantError, Refused


def deactivate_code(command: DeactivateCode, context: Context) -> Deciding[Decision[Code]]:
    """It is issued no more."""
    return (yield from _changed(context, command.code, lambda row: row._replace(active=0)))


def activate_code(command: ActivateCode, context: Context) -> Deciding[Decision[Code]]:
    """It may be issued again."""
    return (yield from _changed(context, command.code, lambda row: row._replace(active=1)))


def void_code(command: VoidCode, context: Context) -> Deciding[Decision[Code]]:
    """It is good for nothing any more."""
    return (yield from _changed(context, command.code, lambda row: row._replace(status="void")))


def _changed(context: Context, written: str, change: Callable[[CodeRow], CodeRow]) -> Deciding[Decision[Code]]:
    key = read_code(written)
    found = yield from ask(CodeOf(key))
    if found is None:
        return Decision(code_unknown())
    pool = yield from ask(SharePool(found[0].pool))
    before = yield from ask(LockSlices(found[0].pool))
    locked = yield from ask(LockCode(key))
    if pool is None or locked is None:
        raise InvariantError("a code or its pool is gone")
    code, after = locked.code, change(locked.code)
    if after == code:
        return Decision(code_record(context, code))
    if code.status == "void":
        return Decision(Refused("code_void", f"code `{masked(code.code)}` is void", {}))
    after = after._replace(updated_at=context.at)
    slices = tuple(counted(row, code, after) if row.slice == code.slice else row for row in before)
    effects = (Replace((after,)), *stock_effects(context, (pool, before), (pool, slices)))
    return Decision(code_record(context, after), effects)
