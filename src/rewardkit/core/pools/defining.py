"""Pools that are defined by their names, as in a file: made where there is none, changed where one differs."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.pools.commands import KEEP, DefinePool
from rewardkit.core.pools.creating import changed, empty_pool, terms_of
from rewardkit.core.pools.needs import Draw, LockPool, LockSlices, PoolOf, Stocked
from rewardkit.core.pools.slices import empty_slices
from rewardkit.core.pools.stocking import stock_effects
from rewardkit.core.requests.answers import PoolDefined
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.needs import ask
from rewardkit.core.values.input import show, text
from rewardkit.errors import InvariantError, Refused, ValidationError


@attrs.define
class DefinedPools:
    """What definitions of pools come to."""

    answers: dict[str, PoolDefined | Refused | ValidationError] = attrs.field(factory=dict)
    """By the pool's name; the error of one that cannot be made."""
    effects: list[Effect] = attrs.field(factory=list)

    @property
    def ids(self) -> dict[str, int]:
        """By name."""
        return {name: one.id for name, one in self.answers.items() if isinstance(one, PoolDefined)}


def define_pools(definitions: Iterable[object], context: Context, *, kept: bool = True) -> Deciding[DefinedPools]:
    """Make or change the pools among definitions; whoever makes one elsewhere waits, since definitions are locked.

    Those that are there come first, in the order of their ids, in which others lock them.
    What is not `kept` is only looked at: nothing is locked, and new pools have ids that no pool has.
    """
    defined, new, known = DefinedPools(), list[DefinePool](), list[tuple[Stocked, DefinePool]]()
    for command in definitions:
        if isinstance(command, DefinePool):
            if any(command.name == one.name for one in (*new, *(other for _, other in known))):
                raise ValidationError(f"pool `{show(command.name)}` is defined twice")
            stocked = yield from ask(PoolOf(text(command.name, "a pool's name")))
            if stocked is None:
                new.append(command)
            else:
                known.append((stocked, command))
    for stocked, command in sorted(known, key=lambda one: one[0].pool.id):
        try:
            defined.answers[command.name] = yield from _change(stocked, command, context, defined.effects, kept=kept)
        except (Refused, ValidationError) as error:
            defined.answers[command.name] = error
    last = -1
    for command in new:
        try:
            pool = empty_pool(terms_of(attrs.asdict(command.created())), context.at)
        except ValidationError as error:
            defined.answers[command.name] = error
            continue
        # A store that numbers by what it has would answer the same again: what was drawn here is not there yet.
        last = max((yield from ask(Draw("pool"))), last + 1) if kept else -len(defined.answers) - 1
        defined.effects += [Insert((pool._replace(id=last),)), Insert(empty_slices(last))]
        defined.answers[command.name] = PoolDefined(command.name, last, new=True)
    return defined


def _change(
    stocked: Stocked, command: DefinePool, context: Context, effects: list[Effect], *, kept: bool
) -> Deciding[PoolDefined]:
    terms = terms_of({name: value for name, value in attrs.asdict(command).items() if value is not KEEP})
    seen = stocked.pool
    new = changed(seen, stocked.slices, terms) != seen
    if new and kept:
        before = yield from ask(LockPool(seen.id))
        slices = yield from ask(LockSlices(seen.id))
        if before is None:
            raise InvariantError(f"pool {seen.id} is gone")
        after = changed(before, slices, terms)._replace(updated_at=context.at)
        effects += [Replace((after,)), *stock_effects(context, (before, slices), (after, slices))]
    return PoolDefined(command.name, seen.id, new)
