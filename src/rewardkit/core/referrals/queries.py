"""What can be asked about referrals without changing anything; see `rewardkit.core.requests.queries`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from rewardkit.core.definitions.budget import STOP
from rewardkit.core.requests.queries import Page, Query
from rewardkit.core.requests.records import Reward
from rewardkit.core.requests.referral_records import Referral
from rewardkit.core.values.input import masked


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
    copy: Mapping[str, str]
    """Texts of the campaign that senders and recipients are shown, by name."""
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
    variant: str = ""
    """Of the campaign, that she was drawn for; empty where it has none."""


@attrs.frozen
class CapUse:
    """What is taken of one cap of a referral campaign now."""

    unit: str
    """`day`, `week`, `month`, `quarter` or `year`, whose present one is meant; empty is all time."""
    cap: int
    taken: int
    """By referrals that are open or completed."""

    @property
    def is_full(self) -> bool:
        """Whether no place is left."""
        return self.taken >= self.cap

    @property
    def sentence(self) -> str:
        """Both numbers, for people."""
        return f"{self.taken} of {self.cap} places are taken{f' in this {self.unit}' if self.unit else ''}"


@attrs.frozen
class BudgetUse:
    """What is taken of a referral campaign's budget now; money in the unit of the rewards' `amount`."""

    budget: Decimal
    """All of it, with what it was replenished by."""
    spent: Decimal
    """On rewards that were earned."""
    committed: Decimal
    """Reserved for referrals that are open; nothing where the budget queues."""
    cost: Decimal
    """What a referral that is entered now may cost: both sides' rewards."""
    at_exhaustion: str
    """`stop` or `queue`."""

    @property
    def left(self) -> Decimal:
        """Neither spent nor reserved."""
        return max(Decimal(0), self.budget - self.spent - self.committed)

    @property
    def is_full(self) -> bool:
        """Whether it keeps senders from offering the campaign: one that queues never does."""
        return self.at_exhaustion == STOP and self.left < self.cost

    @property
    def sentence(self) -> str:
        """What is left, and what that is for, for people."""
        return f"{self.left:f} of {self.budget:f} are left, and a referral costs up to {self.cost:f}"


@attrs.frozen
class LimitsUse:
    """What is taken of all limits of a referral campaign now."""

    caps: tuple[CapUse, ...] = ()
    budget: BudgetUse | None = None

    @property
    def full(self) -> CapUse | BudgetUse | None:
        """The first one under which there is no place for another referral."""
        found: tuple[CapUse | BudgetUse, ...] = self.caps if self.budget is None else (*self.caps, self.budget)
        return next((use for use in found if use.is_full), None)


@attrs.frozen
class ReferralPrograms(Query["tuple[ReferralProgramTerms, ...]"]):
    """All referral programs, by name, in their newest versions."""


@attrs.frozen
class ReferralProgramTerms:
    """A referral program as it stands."""

    name: str
    version: int
    sender_reward: Reward
    recipient_reward: Reward
    condition: str
    """As it was written."""
    expires_after: timedelta | None
    sender_cap: int | None
    period_cap: int | None
    period: str
    zone: str


@attrs.frozen
class ReferralCampaigns(Query["tuple[ReferralCampaignTerms, ...]"]):
    """All referral campaigns, in the order in which a sender's terms are looked for; drafts come last, by name."""


@attrs.frozen
class ReferralCampaignTerms:
    """A referral campaign as it stands."""

    name: str
    version: int
    program: str
    """Empty where there are variants."""
    sender: str | None
    """The condition on the sender, as it was written; None is everybody."""
    start: datetime | None
    end: datetime | None
    priority: int
    status: str
    """`draft`, `live`, `paused` or `ended`."""
    is_fallback: bool
    """Whether everybody offers it, without end."""
    cap: int | None = None
    """Referrals that may be open or completed on its terms; None is unlimited."""
    caps_per: Mapping[str, int] = attrs.field(factory=dict)
    """The same of those that were entered in one period, by its unit."""
    variants: tuple[str, ...] = ()
    """By name, in their order."""
    budget: Decimal | None = None
    """Money that its rewards may cost, with what it was replenished by; None is unlimited."""
    at_exhaustion: str = STOP
    """`stop` or `queue`."""
