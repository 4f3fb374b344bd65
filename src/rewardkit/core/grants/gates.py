"""Moving grants on: each to the next gate that is closed to it, or, past the last, to where it is given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import attrs

from rewardkit.core.catalogue import Catalogue
from rewardkit.core.context import Context, Deciding
from rewardkit.core.effects import Effect, Insert, Replace
from rewardkit.core.grants.life import AT, BUDGET, EARNED, GATES, HOLD, READY, REVIEW, Place, moved
from rewardkit.core.grants.rows import GrantStepRow
from rewardkit.core.grants.terms import terms_of
from rewardkit.core.needs import DueHolds, ask
from rewardkit.core.notices import GRANT_READY, notice, of_grant
from rewardkit.core.rows import GrantRow, NoticeRow

_READY: Final = Place(READY)


@attrs.define
class Passed:
    """Grants after they were moved on, and what is to be written and told of it."""

    rows: list[GrantRow] = attrs.field(factory=list)
    steps: list[GrantStepRow] = attrs.field(factory=list)
    notices: list[NoticeRow] = attrs.field(factory=list)

    def effects(self) -> tuple[Effect, ...]:
        """Of grants that were there before."""
        found = Replace(tuple(self.rows)), Insert(tuple(self.steps)), Insert(tuple(self.notices))
        return tuple(effect for effect in found if effect.rows)


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
    """
    yield from ()
    passed = Passed()
    for given in rows:
        row = given
        if row.status == EARNED:
            hold = terms_of(row, catalogue).hold
            row = row._replace(hold_until=None if hold is None else row.earned_at + hold)
        to = _next(row, catalogue, context.at, behind, unfunded)
        if row.status == EARNED and to == _READY:
            after = row._replace(status=READY)
        else:
            at = row.hold_until if move == "release" and row.hold_until is not None else context.at
            after, step = moved(row, move, to, at, by=by, reason=reason)
            passed.steps.append(step)
        passed.rows.append(after)
        if to == _READY:
            passed.notices.append(notice(context, GRANT_READY, row.user, row.id, of_grant(row, catalogue)))
    return passed


def release_due(context: Context, catalogue: Catalogue, rows: Sequence[GrantRow]) -> Deciding[Passed]:
    """Move on those whose hold period is over, in the order of time."""
    return (yield from pass_on(context, catalogue, rows, "release", behind=HOLD))


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
