"""Work that no event asks for: what time decides, and users who were silent when definitions changed."""

from __future__ import annotations

from rewardkit.core import limits
from rewardkit.core.answers import Backfilled, Progressed
from rewardkit.core.commands import Backfill, RunDue
from rewardkit.core.context import Context, Deciding, Decision
from rewardkit.core.emit import current
from rewardkit.core.folding import fold_members
from rewardkit.core.input import integer, show, text
from rewardkit.core.needs import Accepted, Due, DueMembers, StaleMembers, ask
from rewardkit.core.settle import Settled, settle
from rewardkit.errors import ValidationError


def run_due(command: RunDue, context: Context) -> Deciding[Decision[Progressed]]:
    """Advance the users whose timers are due: one batch, which commits by itself."""
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    due = yield from ask(DueMembers(context.at, limit))
    decision, settled = yield from _advance(due, context)
    answer = Progressed(
        users=len(due.rows),
        entered=tuple(settled.entered),
        capped=tuple(settled.capped),
        earned=tuple(settled.earned),
        expired=tuple(settled.expired),
        referrals=tuple(settled.referrals),
    )
    return Decision(answer, decision.effects, decision.catalogue)


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
