"""Adding codes to a pool, waking one, or switching its issuing on, gives grants their codes that are held for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.grants.gates import Passed, supply_held
from rewardkit.core.grants.granting import covering
from rewardkit.core.grants.supplying import Supply
from rewardkit.core.pools.code import Code, code_record
from rewardkit.core.pools.commands import ActivateCode, ChangePool, GenerateCodes, ImportCodes
from rewardkit.core.pools.needs import LockSlices, SharePool, Stocked
from rewardkit.core.pools.pool import Pool, pool_record
from rewardkit.core.pools.slices import remaining
from rewardkit.core.requests.answers import Supplied
from rewardkit.core.requests.commands import Command
from rewardkit.core.storing.effects import Effect, Replace
from rewardkit.core.storing.needs import GrantsToSupply, ask
from rewardkit.core.storing.pool_rows import CodeRow, PoolRow, SliceRow
from rewardkit.core.storing.rows import GrantRow, Row
from rewardkit.errors import InvariantError, Refused
from rewardkit.language.event import moment

R = TypeVar("R", bound=Row)

SUPPLIED_AT_ONCE: Final = 100
"""Grants that one command gives codes to, oldest first: its locks last until it commits. `run_due` does the rest."""

REPLENISHING: Final[frozenset[type[Command[Any]]]] = frozenset({ImportCodes, GenerateCodes, ChangePool, ActivateCode})
"""The commands after which a pool may have codes to issue that it had not before."""

Decider = Callable[[Any, Context], Deciding[Decision[Any]]]


def replenishing(decider: Decider) -> Decider:
    """The same decision, and what it frees: in one transaction, on top of what is not yet written."""

    def decide(command: Any, context: Context) -> Deciding[Decision[Any]]:
        decision = yield from decider(command, context)
        if isinstance(decision.answer, Refused):
            return decision
        changed = _Changed(decision)
        supply, waiting = Supply(context, several=True), list[GrantRow]()
        for pool_id in changed.pool_ids:
            waiting += yield from _waiting(context, pool_id, changed, supply)
        if not waiting:
            return decision
        catalogue = yield from covering(context, tuple(waiting))
        passed = yield from supply_held(context, catalogue, waiting, supply)
        effects = _on_top(decision.effects, (*passed.effects(), *supply.effects()))
        after = attrs.evolve(decision, effects=effects, catalogue=decision.catalogue or catalogue)
        return attrs.evolve(after, answer=_seen_after(context, after, changed))

    return decide


class _Changed:
    """What a decision is about to write of pools."""

    def __init__(self, decision: Decision[Any]) -> None:
        self.pools = {row.id: row for row in _replaced(decision, PoolRow)}
        self.slices = {(row.pool, row.slice): row for row in _replaced(decision, SliceRow)}
        self.codes = _replaced(decision, CodeRow)
        self.pool_ids = sorted(self.pools.keys() | {pool for pool, _ in self.slices} | {row.pool for row in self.codes})


def _waiting(context: Context, pool_id: int, changed: _Changed, supply: Supply) -> Deciding[tuple[GrantRow, ...]]:
    """The grants that a pool can give codes to now, and the pool as it is by now told to the supply."""
    pool = changed.pools.get(pool_id) or (yield from ask(SharePool(pool_id)))
    if pool is None:
        raise InvariantError(f"pool {pool_id} is gone")
    locked = {(pool_id, row.slice): row for row in (yield from ask(LockSlices(pool_id)))}
    changed.slices = locked | changed.slices
    slices = [changed.slices[place] for place in locked]
    if not pool.issuance_allowed or (pool.distribution == "unique" and not remaining(slices)):
        return ()
    rows = yield from ask(GrantsToSupply(context.at, SUPPLIED_AT_ONCE, pool_id))
    supply.begin_with(pool, slices, [row for row in changed.codes if row.pool == pool_id])
    return rows


def _seen_after(context: Context, decision: Decision[Any], before: _Changed) -> Any:
    """The answer, with what its pool or code has come to by what was freed."""
    answer, changed = decision.answer, _Changed(decision)
    if isinstance(answer, Code):
        return code_record(context, next(row for row in changed.codes if row.code == answer.code))
    if isinstance(answer, Pool):
        slices = before.slices | changed.slices
        mine = tuple(slices[place] for place in sorted(slices) if place[0] == answer.id)
        return pool_record(context, Stocked(changed.pools[answer.id], mine))
    return answer


def supplied_of(passed: Passed) -> tuple[Supplied, ...]:
    """Who has got a code."""
    return tuple(
        Supplied(row.user, row.id, moment(step.at)) for row, step in zip(passed.rows, passed.steps, strict=True)
    )


def _replaced(decision: Decision[Any], kind: type[R]) -> list[R]:
    found = (effect.rows for effect in decision.effects if isinstance(effect, Replace))
    return [row for rows in found for row in rows if isinstance(row, kind)]


def _on_top(first: tuple[Effect, ...], then: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Both, with each slice and each code as the later one has it."""
    slices: dict[tuple[int, int], SliceRow] = {}
    codes: dict[str, CodeRow] = {}
    others: list[Effect] = []
    for effect in (*first, *then):
        if isinstance(effect, Replace) and effect.rows and isinstance(effect.rows[0], SliceRow):
            slices |= {(row.pool, row.slice): row for row in effect.rows if isinstance(row, SliceRow)}
        elif isinstance(effect, Replace) and effect.rows and isinstance(effect.rows[0], CodeRow):
            codes |= {row.key: row for row in effect.rows if isinstance(row, CodeRow)}
        else:
            others.append(effect)
    merged = (tuple(slices[place] for place in sorted(slices)), tuple(codes[key] for key in sorted(codes)))
    return (*others, *(Replace(rows) for rows in merged if rows))
