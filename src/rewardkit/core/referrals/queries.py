"""What can be asked about referrals without changing anything; see `rewardkit.core.queries`."""

from __future__ import annotations

from datetime import datetime

import attrs

from rewardkit.core.input import masked
from rewardkit.core.queries import Page, Query
from rewardkit.core.records import Reward
from rewardkit.core.referrals.records import Referral


@attrs.frozen
class Referrals(Query[Page[Referral]]):
    """Referrals, earliest made first; `status` is `open`, `completed`, `expired` or `voided`.

    One whose time is over counts as expired, recorded or not.
    """

    sender: str | None = None
    recipient: str | None = None
    program: str | None = None
    status: str | None = None
    after: str | None = attrs.field(default=None, kw_only=True)
    limit: int = attrs.field(default=100, kw_only=True)


@attrs.frozen
class SenderTerms(Query["TermsOffered"]):
    """What a sender offers to whoever enters her code now, why, and until when."""

    sender: str


@attrs.frozen
class TermsPassedOver:
    """A referral campaign that a sender does not offer."""

    campaign: str
    reason: str


@attrs.frozen
class TermsOffered:
    """What a sender offers."""

    sender: str
    campaign: str
    """Or empty, where the only program is offered without one."""
    program: str
    program_version: int
    sender_reward: Reward
    recipient_reward: Reward
    condition: str
    """On the recipient, as it was written."""
    reason: str
    """Why this campaign."""
    until: datetime | None
    """The first instant at which she offers something else, if neither she nor you do anything; None is never."""
    left: int | None
    """Rewards that she can still earn by it, in this period too; None is without limit."""
    code: str = attrs.field(repr=masked)
    """Hers, or empty until she is given one."""
    passed_over: tuple[TermsPassedOver, ...]
    """The other campaigns that were launched, those that come first first."""
