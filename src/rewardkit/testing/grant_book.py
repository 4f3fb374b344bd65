"""All grants of a history beside the account of their lives that `GrantModel` gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from rewardkit.core.campaigns.replenishing import ReplenishBudget
from rewardkit.core.grants.failing import FailGrant, RetryGrant
from rewardkit.core.grants.reversing import ReverseGrant
from rewardkit.core.grants.reviewing import ApproveGrant, ClaimChecks, DenyGrant, RecordCheck
from rewardkit.core.referrals.commands import DefineReferralProgram
from rewardkit.core.requests.answers import Claimed, Defined, Progressed, Replenished
from rewardkit.core.requests.commands import ClaimGrant, ClaimGrants, DefineOffer, DefineReward, FulfilGrant, RunDue
from rewardkit.core.storing.rows import GrantRow
from rewardkit.language.event import Instant
from rewardkit.testing.deed import Deed
from rewardkit.testing.grant_model import SECOND, GrantModel, claimable, release
from rewardkit.testing.versions import Versions


class GrantBook:
    """Compares grants after each step with what was done to them."""

    def __init__(self) -> None:
        self.lives: dict[str, GrantModel] = {}
        self.rewards: Versions[DefineReward] = Versions()
        self._terms: Versions[DefineOffer | DefineReferralProgram] = Versions()

    def learn(self, deed: Deed) -> None:
        """Take note of the terms that grants are earned under."""
        command = deed.command
        if isinstance(command, DefineReward) and isinstance(deed.answer, Defined):
            self.rewards.put(command.name, deed.answer.version, command)
        elif isinstance(command, DefineOffer | DefineReferralProgram) and isinstance(deed.answer, Defined):
            self._terms.put(f"{deed.answer.kind} {command.name}", deed.answer.version, command)

    def amount(self, reward: str, version: int) -> Decimal:
        """What a reward is worth."""
        return Decimal(str(self.rewards.at(reward, version).properties["amount"]))

    def violations(self, deed: Deed) -> Iterator[str]:
        """What is not as it was done."""
        expected = self._done(deed)
        if expected is not None and deed.refusal != expected:
            yield f"G1: `{expected}` was expected of {deed.command}, not {deed.answer}"
        yield from self._together(deed)
        steps = {(step.grant, step.held_for) for step in deed.after.grant_steps if step.move == "earn"}
        for row in deed.after.grants:
            if row.id not in self.lives:
                self.lives[row.id] = self._born(row, deed.at, funded=(row.id, "budget") not in steps)
            life = self.lives[row.id]
            if isinstance(deed.command, FailGrant) and deed.command.grant == row.id and not deed.failed:
                # How long it waits is drawn, and no rule.
                life.waits_until = row.retry_at or 0
            if _shown(row) != _told(life):
                yield f"G1: {_told(life)} was expected of {row}"

    def _born(self, row: GrantRow, now: Instant, *, funded: bool) -> GrantModel:
        terms = self._terms.at(f"{'referral_program' if row.referral else 'offer'} {row.offer}", row.offer_version)
        life = GrantModel(
            row.id,
            row.earned_at,
            whole=self.amount(row.reward, row.reward_version),
            hold=int((terms.hold or "0s")[:-1]) * SECOND,
            review=terms.review or "",
            divisible=terms.reversal != "whole",
            frees=terms.reversal_frees,
            funded=funded,
        )
        life.born(now)
        return life

    def _done(self, deed: Deed) -> str | None:
        """Do to one grant what was asked; the refusal to expect, or None where nothing was asked of one."""
        command, now = deed.command, deed.at
        life = self.lives.get(getattr(command, "grant", ""))
        if life is None:
            return None
        match command:
            case ClaimGrant():
                return life.claim_one(now, command.lease_seconds)
            case FulfilGrant():
                return life.fulfil(command.lease)
            case FailGrant():
                after = None if command.retry_after is None else int(command.retry_after[:-1]) * SECOND
                return life.fail(now, command.lease, after=after, final=command.final)
            case RetryGrant():
                return life.retry()
            case RecordCheck():
                return life.check(now, command.flags, command.lease)
            case ApproveGrant():
                return life.approve(now)
            case DenyGrant():
                return life.deny(frees=command.frees)
            case ReverseGrant():
                amount = None if command.amount is None else Decimal(str(command.amount))
                return life.reverse(now, amount, frees=command.frees)
            case _:
                raise TypeError(f"nothing is known of {command}")

    def _together(self, deed: Deed) -> Iterator[str]:
        """What is done to several at once, in the order of their earning."""
        command, now, lives = deed.command, deed.at, self.lives.values()
        expected: list[str] = []
        given: list[str] = []
        if isinstance(command, ClaimGrants | ClaimChecks) and isinstance(deed.answer, Claimed):
            where = "ready" if isinstance(command, ClaimGrants) else "review"
            for life in claimable(lives, now, command.limit, where):
                life.take(now, command.lease_seconds)
                expected.append(life.id)
            given = [one.id for one in deed.answer.grants]
        elif isinstance(command, RunDue) and isinstance(deed.answer, Progressed):
            expected, given = release(lives, now, command.limit), [one.grant for one in deed.answer.released]
        elif isinstance(command, ReplenishBudget) and isinstance(deed.answer, Replenished):
            given = [one.grant for one in deed.answer.released]
            campaigns = {row.id: row.campaign for row in deed.before.grants}
            waiting = [one for one in lives if one.where == "budget" and campaigns[one.id] == command.campaign]
            waiting.sort(key=lambda one: (one.earned_at, one.id))
            expected = [one.id for one in waiting[: len(given)]]
            left = deed.answer.left
            if len(given) < min(len(waiting), command.limit) and waiting[len(given)].whole <= left:
                yield f"C3: {left} is left in `{command.campaign}`, and {waiting[len(given)]} waits"
            for life in waiting[: len(given)]:
                life.fund(now)
        if expected != given:
            yield f"G1: {expected} were expected of {command}, not {given}"


def _shown(row: GrantRow) -> tuple[object, ...]:
    flags = tuple(json.loads(row.flags)) if row.flags else None
    taken = Decimal(row.reversed) if row.reversed else Decimal(0)
    return row.held_for or row.status, row.lease, row.failures, taken, flags, bool(row.freed)


def _told(life: GrantModel) -> tuple[object, ...]:
    return life.where, life.lease, life.failures, life.taken, life.flags, life.freed
