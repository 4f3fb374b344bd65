"""What a model has to be told of a command beside the rows before and after it: whose decisions it has read."""

from __future__ import annotations

from typing import Any

from rewardkit.core.referrals.commands import EnterReferralCode, MakeReferral, VoidReferral
from rewardkit.core.requests.answers import Recorded
from rewardkit.core.requests.commands import Backfill, CancelUserOffer, Command, Emit, EnterOfferCode, MakeOffer, RunDue
from rewardkit.core.requests.records import UserOffer
from rewardkit.core.requests.referral_records import Referral
from rewardkit.core.storing.rows import UserOfferRow
from rewardkit.errors import Refused
from rewardkit.language.event import Instant
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.model import Step

EVERYBODY = 100
"""A limit of due work that no history of a model reaches."""


def step_of(command: Command[Any], answer: Any, now: Instant, before: Snapshot, after: Snapshot) -> Step:
    """A step, by the command and its answer, or the error that it raised."""
    stale = {row.user for row in before.members if row.epoch != before.epoch}
    read: dict[str, Instant] = {}
    made = isinstance(answer, UserOffer) and not isinstance(command, CancelUserOffer)
    direct = {answer.id} if made else set()
    if isinstance(answer, Refused) and answer.code == "held_out":
        # Who is held out is refused and recorded.
        known = {row.id for row in before.user_offers}
        new = [row for row in after.user_offers if row.id not in known and _is_direct(row, command)]
        direct = {row.id for row in sorted(new, key=lambda row: row.entry)[-1:]}
        if not direct:
            return Step(now, {})
    elif isinstance(answer, Exception):
        return Step(now, {})
    if isinstance(command, Emit):
        stored = {(row.user, row.id) for row in before.events}
        for event in command.events:
            if (event.user, event.id) not in stored:
                read[event.user] = max(event.at, read.get(event.user, 0))
    elif isinstance(command, MakeOffer | EnterOfferCode):
        read[command.user] = now
    elif isinstance(command, MakeReferral | EnterReferralCode):
        read[command.recipient] = now
    elif isinstance(command, VoidReferral) and isinstance(answer, Referral):
        read[answer.recipient] = now
    elif isinstance(command, CancelUserOffer):
        read[answer.user] = now
    elif isinstance(command, RunDue) and command.limit >= EVERYBODY:
        # Of whom nothing was heard, she waits for her first event, though she has a row because she refers others.
        read = {row.user: now for row in after.members if row.user not in stale and row.at}
    elif isinstance(command, Backfill) and not command.dry_run:
        read = dict.fromkeys(stale, now)
    late = {(one.user, one.campaign) for one in answer.late} if isinstance(answer, Recorded) else set()
    cancelled = {answer.id} if isinstance(command, CancelUserOffer) else set()
    return Step(now, read, direct, cancelled, late)


def folded_now(before: Snapshot, after: Snapshot) -> dict[str, Instant]:
    """Up to when users were read whose rows a step has written under the newest definitions."""
    known = {row.user: row for row in before.members}
    return {row.user: row.at for row in after.members if known.get(row.user) != row and row.epoch == after.epoch}


def _is_direct(row: UserOfferRow, command: Command[Any]) -> bool:
    code = getattr(command, "code", "")
    return row.campaign == (code.lower().removeprefix("code-") or getattr(command, "campaign", ""))
