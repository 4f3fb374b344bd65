"""Work that no event asks for: what time decides, and users who were silent when definitions changed."""

from __future__ import annotations

from rewardkit.core.attempts.attempt import forget_attempts
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import current
from rewardkit.core.folding.members import fold_members
from rewardkit.core.grants.gates import due_holds, release_due, supply_held
from rewardkit.core.grants.replenishing import supplied_of
from rewardkit.core.grants.supplying import Supply
from rewardkit.core.requests.answers import Backfilled, Progressed, Released
from rewardkit.core.requests.commands import Backfill, RunDue
from rewardkit.core.settling.settle import settle
from rewardkit.core.settling.settled import Settled
from rewardkit.core.storing.needs import Accepted, Due, DueMembers, GrantsToSupply, StaleMembers, ask
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import ValidationError
from rewardkit.language.event import moment


def run_due(command: RunDue, context: Context) -> Deciding[Decision[Progressed]]:
    """Advance the users whose timers are due, move held grants on whose time or code has come, and forget attempts at
    codes that are over: one batch.
    """
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    due = yield from ask(DueMembers(context.at, limit))
    supply = Supply(context, several=True)
    decision, settled = yield from _advance(due, context, supply)
    catalogue = decision.catalogue or context.catalogue
    held = yield from due_holds(context, limit)
    passed = yield from release_due(context, catalogue, held, supply)
    waiting = yield from ask(GrantsToSupply(context.at, limit))
    supplied = yield from supply_held(context, catalogue, waiting, supply)
    forgotten = yield from forget_attempts(context.at, limit)
    answer = Progressed(
        users=len(due.rows),
        entered=tuple(settled.entered),
        capped=tuple(settled.capped),
        earned=tuple(settled.earned),
        expired=tuple(settled.expired),
        referrals=tuple(settled.referrals),
        released=tuple(
            Released(row.user, row.id, moment(step.at), row.status)
            for row, step in zip(passed.rows, passed.steps, strict=True)
        ),
        supplied=supplied_of(supplied),
        # Who was looked at and got nothing would be looked at again and again.
        more=limit in (len(due.rows), len(held), len(supplied.rows), forgotten),
    )
    effects = (*decision.effects, *passed.effects(), *supplied.effects(), *supply.effects())
    return Decision(answer, effects, catalogue)


def backfill(command: Backfill, context: Context) -> Deciding[Decision[Backfilled]]:
    """Fold the history of users whose rows are older than the definitions: one batch."""
    # What is nearly False, None say, would make offers where somebody wanted to see them first.
    if not isinstance(command.dry_run, bool):
        raise ValidationError(f"dry_run must be True or False, not `{show(repr(command.dry_run))}`")
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    after = text(command.after, "after") if command.after else ""
    stale = yield from ask(StaleMembers(after, limit))
    supply = Supply(context, several=True)
    decision, settled = yield from _advance(stale, context, supply)
    answer = Backfilled(
        users=len(stale.rows),
        entered=tuple(settled.entered),
        capped=tuple(settled.capped),
        earned=tuple(settled.earned),
        expired=tuple(settled.expired),
        referrals=tuple(settled.referrals),
        dry_run=command.dry_run,
        after=stale.rows[-1].user if len(stale.rows) == limit else None,
    )
    effects = (*decision.effects, *supply.effects())
    return Decision(answer, effects, decision.catalogue, keep=not command.dry_run)


def _advance(found: Due, context: Context, supply: Supply) -> Deciding[tuple[Decision[None], Settled]]:
    rows = tuple(sorted(found.rows))
    accepted = Accepted(found.epoch, found.fingerprint, frozenset())
    catalogue = yield from current(context, accepted, rows)
    folded = yield from fold_members(catalogue, rows, {}, context.at)
    settled = yield from settle(context, catalogue, folded.folds, supply)
    return Decision(None, settled.effects(folded.folds), catalogue), settled
