"""Work that no event asks for: what time decides, and users who were silent when definitions changed."""

from __future__ import annotations

from rewardkit.core import limits
from rewardkit.core.answers import Backfilled, Progressed, Released
from rewardkit.core.commands import Backfill, RunDue
from rewardkit.core.context import Context, Deciding, Decision
from rewardkit.core.emit import current
from rewardkit.core.folding import fold_members
from rewardkit.core.grants.gates import due_holds, release_due
from rewardkit.core.input import integer, show, text
from rewardkit.core.needs import Accepted, Due, DueMembers, StaleMembers, ask
from rewardkit.core.settle import Settled, settle
from rewardkit.errors import ValidationError
from rewardkit.language.event import moment


def run_due(command: RunDue, context: Context) -> Deciding[Decision[Progressed]]:
    """Advance the users whose timers are due, and release grants whose hold periods are over: one batch."""
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    due = yield from ask(DueMembers(context.at, limit))
    decision, settled = yield from _advance(due, context)
    catalogue = decision.catalogue or context.catalogue
    held = yield from due_holds(context, limit)
    passed = yield from release_due(context, catalogue, held)
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
        more=limit in (len(due.rows), len(held)),
    )
    return Decision(answer, (*decision.effects, *passed.effects()), catalogue)


def backfill(command: Backfill, context: Context) -> Deciding[Decision[Backfilled]]:
    """Fold the history of users whose rows are older than the definitions: one batch."""
    # What is nearly False, None say, would make offers where somebody wanted to see them first.
    if not isinstance(command.dry_run, bool):
        raise ValidationError(f"dry_run must be True or False, not `{show(repr(command.dry_run))}`")
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    after = text(command.after, "after") if command.after else ""
    stale = yield from ask(StaleMembers(after, limit))
    decision, settled = yield from _advance(stale, context)
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
    return Decision(answer, decision.effects, decision.catalogue, keep=not command.dry_run)


def _advance(found: Due, context: Context) -> Deciding[tuple[Decision[None], Settled]]:
    rows = tuple(sorted(found.rows))
    accepted = Accepted(found.epoch, found.fingerprint, frozenset())
    catalogue = yield from current(context, accepted, rows)
    folded = yield from fold_members(catalogue, rows, {}, context.at)
    settled = yield from settle(context, catalogue, folded.folds)
    return Decision(None, settled.effects(folded.folds), catalogue), settled
