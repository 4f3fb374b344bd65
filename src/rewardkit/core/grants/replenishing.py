"""Adding codes to a pool, or switching its issuing on, gives grants their codes that are held for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.grants.gates import Passed, supply_held
from rewardkit.core.grants.granting import covering
from rewardkit.core.grants.supplying import Supply
from rewardkit.core.pools.commands import ChangePool, GenerateCodes, ImportCodes
from rewardkit.core.pools.needs import LockSlices, SharePool
from rewardkit.core.pools.slices import remaining
from rewardkit.core.requests.answers import Supplied
from rewardkit.core.requests.commands import Command
from rewardkit.core.storing.effects import Effect, Replace
from rewardkit.core.storing.needs import GrantsToSupply, ask
from rewardkit.core.storing.pool_rows import PoolRow, SliceRow
from rewardkit.errors import InvariantError, Refused
from rewardkit.language.event import moment

SUPPLIED_AT_ONCE: Final = 100
"""Grants that one command gives codes to, oldest first: its locks last until it commits. `run_due` does the rest."""

REPLENISHING: Final[frozenset[type[Command[Any]]]] = frozenset({ImportCodes, GenerateCodes, ChangePool})
"""The commands after which a pool may have codes to issue that it had not before."""

Decider = Callable[[Any, Context], Deciding[Decision[Any]]]


def replenishing(decider: Decider) -> Decider:
    """The same decision, and what it frees: in one transaction, on top of what is not yet written."""

    def decide(command: Any, context: Context) -> Deciding[Decision[Any]]:
        decision = yield from decider(command, context)
        changed = {row.slice: row for row in _replaced(decision, SliceRow)}
        pools = _replaced(decision, PoolRow)
        pool_ids = {row.id for row in pools} | {row.pool for row in changed.values()}
        if isinstance(decision.answer, Refused) or not pool_ids:
            return decision
        (pool_id,) = pool_ids
        pool = pools[0] if pools else (yield from ask(SharePool(pool_id)))
        if pool is None:
            raise InvariantError(f"pool {pool_id} is gone")
        slices = [changed.get(row.slice, row) for row in (yield from ask(LockSlices(pool_id)))]
        if not pool.issuance_allowed or (pool.distribution == "unique" and not remaining(slices)):
            return decision
        rows = yield from ask(GrantsToSupply(context.at, SUPPLIED_AT_ONCE, pool_id))
        if not rows:
            return decision
        supply = Supply(context, several=True)
        supply.begin_with(pool, slices)
        catalogue = yield from covering(context, rows)
        passed = yield from supply_held(context, catalogue, rows, supply)
        effects = _on_top(decision.effects, (*passed.effects(), *supply.effects()))
        return Decision(decision.answer, effects, catalogue)

    return decide


def supplied_of(passed: Passed) -> tuple[Supplied, ...]:
    """Who has got a code."""
    return tuple(
        Supplied(row.user, row.id, moment(step.at)) for row, step in zip(passed.rows, passed.steps, strict=True)
    )


def _replaced(decision: Decision[Any], kind: type[Any]) -> list[Any]:
    found = (effect.rows for effect in decision.effects if isinstance(effect, Replace))
    return [row for rows in found for row in rows if isinstance(row, kind)]


def _on_top(first: tuple[Effect, ...], then: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Both, with each slice as the later one has it."""
    slices: dict[int, SliceRow] = {}
    others: list[Effect] = []
    for effect in (*first, *then):
        if isinstance(effect, Replace) and effect.rows and isinstance(effect.rows[0], SliceRow):
            slices |= {row.slice: row for row in effect.rows if isinstance(row, SliceRow)}
        else:
            others.append(effect)
    return (*others, Replace(tuple(slices[number] for number in sorted(slices)))) if slices else tuple(others)
