"""From what referrals came to in a fold to what is written and answered: rows, grants of both sides, notices."""

from __future__ import annotations

from collections.abc import Mapping

from rewardkit.core.deciding.context import Context
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.making import Outcome
from rewardkit.core.folding.open_referral import OpenReferral
from rewardkit.core.folding.referral_fold import Closing, Opening
from rewardkit.core.grants.life import EARNED
from rewardkit.core.notices.notice import REFERRAL_ENDED, REFERRAL_MADE, notice
from rewardkit.core.requests.answers import Earned
from rewardkit.core.requests.referral_records import ReferralEnded
from rewardkit.core.settling.settled import Settled
from rewardkit.core.storing.referral_rows import ReferralEnding, ReferralRow
from rewardkit.core.storing.rows import GrantRow
from rewardkit.core.values.identity import derive
from rewardkit.language.event import moment

SENDER, RECIPIENT = "sender", "recipient"
GRANTED, CAPPED = "granted", "capped"


def side_grant_id(tenant: str, referral: str, side: str) -> str:
    """The id of the grant of one side, derived from what makes it unique."""
    return derive("gr", tenant, referral, side)


class ReferralWriter:
    """Adds what happened to referrals to what is settled."""

    def __init__(self, context: Context, settled: Settled) -> None:
        self._context = context
        self._settled = settled

    def write(self, fold: Fold) -> None:
        """All of one fold, in the order in which it happened."""
        for closing in fold.referrals.closings:
            self._settled.referral_endings.append(self._ending(closing))
            self._ended(closing)
        for opening in fold.referrals.openings:
            self._opened(opening)

    def _opened(self, opening: Opening) -> None:
        referral, program, closing = opening.referral, opening.referral.program, opening.closing
        row = ReferralRow(
            referral.id(self._context.tenant),
            referral.sender,
            referral.recipient,
            program.name,
            program.version,
            referral.campaign,
            "open",
            opening.at,
            opening.ends_at,
            None,
            "",
            "",
            "",
            opening.held_out,
            referral.places,
            referral.variant,
        )
        if closing is not None:
            row = row._replace(**self._ending(closing)._asdict())
        self._settled.referral_rows.append(row)
        self._notify(REFERRAL_MADE, referral, row.id, {"made_at": opening.at, "ends_at": opening.ends_at})
        if closing is not None:
            self._ended(closing)

    def _ending(self, closing: Closing) -> ReferralEnding:
        outcome, (status, sender_reward) = closing.outcome, _judged(closing)
        referral_id = closing.referral.id(self._context.tenant)
        return ReferralEnding(referral_id, status, outcome.at, outcome.reason, sender_reward, closing.period)

    def _ended(self, closing: Closing) -> None:
        referral, outcome, (status, sender_reward) = closing.referral, closing.outcome, _judged(closing)
        referral_id = referral.id(self._context.tenant)
        self._settled.referrals.append(
            ReferralEnded(
                referral_id,
                referral.program.name,
                referral.campaign,
                referral.sender,
                referral.recipient,
                status,
                moment(outcome.at),
                outcome.reason,
                sender_reward,
            )
        )
        body = {"status": status, "reason": outcome.reason, "ended_at": outcome.at, "sender_reward": sender_reward}
        self._notify(REFERRAL_ENDED, referral, referral_id, body)
        if status == "completed":
            self._earned(referral, RECIPIENT, outcome, funded=closing.recipient.funded)
            if sender_reward == GRANTED:
                self._earned(referral, SENDER, outcome, funded=closing.sender.funded)

    def _earned(self, referral: OpenReferral, side: str, outcome: Outcome, *, funded: bool) -> None:
        program, referral_id = referral.program, referral.id(self._context.tenant)
        user, reward, version = referral.recipient, program.recipient_reward, program.recipient_reward_version
        if side == SENDER:
            user, reward, version = referral.sender, program.sender_reward, program.sender_reward_version
        grant = side_grant_id(self._context.tenant, referral_id, side)
        self._settled.earned.append(
            Earned(user, referral.campaign, program.name, reward, grant, moment(outcome.at), outcome.event_id)
        )
        row = GrantRow(
            grant,
            user,
            "",
            referral.campaign,
            program.name,
            program.version,
            reward,
            version,
            EARNED,
            outcome.at,
            outcome.event_id,
            0,
            0,
            None,
            referral_id,
            side,
        )
        self._settled.grants.append(row)
        if not funded:
            self._settled.unfunded.add(grant)

    def _notify(self, kind: str, referral: OpenReferral, subject: str, body: Mapping[str, object]) -> None:
        about = {
            "program": referral.program.name,
            "campaign": referral.campaign,
            "sender": referral.sender,
            "recipient": referral.recipient,
        }
        about |= {"variant": referral.variant} if referral.variant else {}
        self._settled.notices.append(notice(self._context, kind, referral.recipient, subject, about | dict(body)))


def _judged(closing: Closing) -> tuple[str, str]:
    """The referral's status, and what became of the sender's reward."""
    if closing.outcome.status != "earned":
        return closing.outcome.status, ""
    return "completed", CAPPED if closing.capped else GRANTED
