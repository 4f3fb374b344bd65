"""Moving grants on: each to the next gate that is closed to it, or, past the last, to where it is given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import attrs

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.grants.life import AT, BUDGET, EARNED, GATES, HOLD, POOL, READY, REVIEW, Place, moved
from rewardkit.core.grants.supplying import Supply
from rewardkit.core.grants.terms import terms_of
from rewardkit.core.notices.notice import GRANT_READY, notice, of_grant
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.needs import DueHolds, ask
from rewardkit.core.storing.rows import GrantRow, NoticeRow
from rewardkit.errors import Refused

_READY: Final = Place(READY)


@attrs.define
class Passed:
    """Grants after they were moved on, and what is to be written and told of it."""

    rows: list[GrantRow] = attrs.field(factory=list)
    steps: list[GrantStepRow] = attrs.field(factory=list)
    notices: list[NoticeRow] = attrs.field(factory=list)
    supplied: tuple[Effect, ...] = ()
    """What the pools have less, where nobody else writes that."""

    def effects(self) -> tuple[Effect, ...]:
        """Of grants that were there before."""
        found = Replace(tuple(self.rows)), Insert(tuple(self.steps)), Insert(tuple(self.notices))
        return (*(effect for effect in found if effect.rows), *self.supplied)


def pass_on(
    context: Context,
    catalogue: Catalogue,
    rows: Sequence[GrantRow],
    move: str,
    *,
    behind: str = "",
    unfunded: Collection[str] = (),
    by: str = "",
    reason: str = "",
    supply: Supply | None = None,
) -> Deciding[Passed]:
    """Move grants on by a change of the table.

    A release counts from the end of its hold period, whenever it is noticed; everything else happens now.

    Args:
        context: of the decision.
        catalogue: knows what they were earned under.
        rows: locked; or new, with the status `earned`.
        move: the change's name.
        behind: the gate that has been opened to them; empty where they have passed none.
        unfunded: the ids of those that no budget covers.
        by: who did it.
        reason: why.
        supply: where codes come from, and whose effects the caller writes; None where nothing else of the decision
            takes codes.
    """
    passed = Passed()
    begun = [_begun(row, catalogue) for row in rows]
    places = [_next(row, catalogue, context.at, behind, unfunded) for row in begun]
    source = Supply(context) if supply is None else supply
    supplied = yield from _supplied(catalogue, begun, places, source)
    if supply is None:
        passed.supplied = source.effects()
    for row, to in supplied:
        if to == AT[POOL] and move == "supply":
            continue
        if row.status == EARNED and to == _READY:
            after = row._replace(status=READY)
        else:
            at = row.hold_until if move == "release" and row.hold_until is not None else context.at
            why = reason or (row.reason if to == AT[POOL] else "")
            after, step = moved(row, move, to, at, by=by, reason=why)
            passed.steps.append(step)
        passed.rows.append(after)
        if to == _READY:
            passed.notices.append(notice(context, GRANT_READY, row.user, row.id, of_grant(after, catalogue)))
    return passed


def _begun(row: GrantRow, catalogue: Catalogue) -> GrantRow:
    """A grant with the end of its hold period, which counts from its earning."""
    if row.status != EARNED:
        return row
    hold = terms_of(row, catalogue).hold
    return row._replace(hold_until=None if hold is None else row.earned_at + hold)


def _supplied(
    catalogue: Catalogue, rows: Sequence[GrantRow], places: Sequence[Place], supply: Supply
) -> Deciding[list[tuple[GrantRow, Place]]]:
    """The last gate, of all who come to it: with a code where the reward issues one; else they are held there."""
    after = list(zip(rows, places, strict=True))
    wanted = {}
    for number, (row, to) in enumerate(after):
        issues = catalogue.reward_versions[row.reward, row.reward_version].issues
        if to == _READY and issues is not None and row.issuance is None:
            wanted[number] = row, issues
    taken = (yield from supply.take(tuple(wanted.values()))) if wanted else []
    for (number, (row, issues)), one in zip(wanted.items(), taken, strict=True):
        if isinstance(one, Refused):
            after[number] = row._replace(pool=issues.pool_id, reason=one.sentence), AT[POOL]
        else:
            after[number] = one._replace(reason=""), _READY
    return after


def release_due(context: Context, catalogue: Catalogue, rows: Sequence[GrantRow], supply: Supply) -> Deciding[Passed]:
    """Move on those whose hold period is over, in the order of time."""
    return (yield from pass_on(context, catalogue, rows, "release", behind=HOLD, supply=supply))


def supply_held(context: Context, catalogue: Catalogue, rows: Sequence[GrantRow], supply: Supply) -> Deciding[Passed]:
    """Move on those that are held for a pool and get a code now."""
    return (yield from pass_on(context, catalogue, rows, "supply", behind=POOL, supply=supply))


def due_holds(context: Context, limit: int) -> Deciding[tuple[GrantRow, ...]]:
    """Grants whose hold period is over by now, earliest over first."""
    return (yield from ask(DueHolds(context.at, limit)))


def _next(row: GrantRow, catalogue: Catalogue, at: int, behind: str, unfunded: Collection[str]) -> Place:
    """The first closed gate behind another."""
    for gate in GATES[GATES.index(behind) + 1 :] if behind else GATES:
        if gate == BUDGET and row.id in unfunded:
            return AT[BUDGET]
        if gate == REVIEW and terms_of(row, catalogue).review:
            return AT[REVIEW]
        if gate == HOLD and row.hold_until is not None and row.hold_until > at:
            return AT[HOLD]
    return _READY
