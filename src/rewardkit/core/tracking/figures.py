"""What reports answer. Plain frozen records; a rate of nothing is None, and never 0."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from rewardkit.core.referrals.queries import BudgetUse, CapUse
from rewardkit.core.requests.queries import CampaignUse
from rewardkit.core.tracking.interval import Difference


@attrs.frozen
class Cost:
    """What rewards cost in one currency, by the property `amount` of the versions that were earned."""

    currency: str
    """The rewards' property `currency`, or empty where they have none; amounts are in the unit that they are in."""
    promised: Decimal
    """Of grants that are held, ready or undeliverable, without what was taken back."""
    paid: Decimal
    """Of fulfilled grants, without what was taken back."""
    taken_back: Decimal

    @property
    def total(self) -> Decimal:
        """What it comes to, if everything that is promised is paid."""
        return self.promised + self.paid


@attrs.frozen
class Lengths:
    """How long something took, by the nearest rank: each is one that occurred."""

    count: int
    least: timedelta
    lower_quarter: timedelta
    median: timedelta
    upper_quarter: timedelta
    ninth_tenth: timedelta
    """Nine in ten took at most so long."""
    greatest: timedelta


@attrs.frozen
class GrantFigures:
    """Grants by their status, and what they cost."""

    held: int = 0
    ready: int = 0
    fulfilled: int = 0
    denied: int = 0
    reversed: int = 0
    """As a whole; what was taken back in parts is in the costs alone."""
    undeliverable: int = 0
    costs: tuple[Cost, ...] = ()
    """By currency."""
    unpriced: int = 0
    """Grants, neither denied nor reversed, whose reward has no amount: they are in no cost."""


@attrs.frozen
class Holdout:
    """Users who were held out, to compare with."""

    users: int
    converted: int
    """Who fulfilled the condition of the offer that they would have been given, without knowing of it."""
    undecided: int
    """Records, more than one a user where she could enter again, that may still convert or lapse."""

    @property
    def conversion(self) -> float | None:
        """The share of them that converted; None where nobody was held out."""
        return self.converted / self.users if self.users else None


@attrs.frozen
class VariantFigures:
    """What came of one variant, or of all of them together."""

    variant: str
    """Empty for all together, and for what a campaign without variants made."""
    offered: int
    """User offers that were made: active, overdue, earned, expired and cancelled ones."""
    active: int
    overdue: int
    """Recorded as active, though their time is over: `RunDue` decides them."""
    earned: int
    expired: int
    cancelled: int
    capped: int
    """Entries that found no place under a cap, or no money; they are not among the offered."""
    users: int
    """Who were offered something at least once."""
    users_earned: int
    """Of them: who earned it at least once."""
    grants: GrantFigures
    time_to_earn: Lengths | None
    """From the making of an offer to its earning; None where none was earned."""
    holdout: Holdout
    effect: Difference | None
    """Conversion of users offered minus that of users held out; None where either are nobody."""

    @property
    def conversion(self) -> float | None:
        """The share of the users offered who earned at least once, up to now; None where nobody was offered."""
        return self.users_earned / self.users if self.users else None


@attrs.frozen
class CampaignFigures:
    """What came of a campaign."""

    campaign: str
    at: datetime
    """When it was counted."""
    use: CampaignUse
    """Its status, and what is taken of its caps and of its budget."""
    total: VariantFigures
    variants: tuple[VariantFigures, ...]
    """In the order in which the campaign got them; empty where it never had any."""
    cautions: tuple[str, ...]
    """Why the comparison with the holdout may mislead, in sentences; empty where nobody was held out."""


@attrs.frozen
class SenderFigures:
    """What one sender brought."""

    sender: str
    opened: int
    completed: int
    granted: int
    """Of the completed: how many she was rewarded for; the others found her at a cap."""


@attrs.frozen
class DepthFigures:
    """Referrals by their place in the chains."""

    depth: int
    """1 where the sender was not referred herself, 2 where her sender was not, and so on."""
    opened: int
    completed: int


@attrs.frozen
class SenderGroup:
    """The referrals of one of two groups of senders that are compared."""

    senders: int
    """Who referred at least one: nobody knows of those who did not."""
    opened: int
    """All of their referrals."""
    completed: int
    low: float | None
    """The least that the conversion may be, with a confidence of 95 %; None where there are no referrals."""
    high: float | None

    @property
    def conversion(self) -> float | None:
        """The share of their referrals that were completed, up to now; None where there are none."""
        return self.completed / self.opened if self.opened else None

    @property
    def referrals_per_sender(self) -> float | None:
        """Of those who referred at all; None where nobody did."""
        return self.opened / self.senders if self.senders else None


@attrs.frozen
class SenderHoldout:
    """The senders of a referral campaign beside those who were held out of it, and referred on other terms."""

    offering: SenderGroup
    """Whose referrals it chose the terms of, but for referrals of senders who were held out of another one first."""
    held_out: SenderGroup
    effect: Difference | None
    """Conversion of referrals in the campaign minus that of senders held out; None where either are none."""
    effect_per_sender: Difference | None
    """The same of referrals per sender; None where either group is of fewer than ten, or all brought equally many.

    Of senders who referred at all: a campaign that has more senders refer just once lowers it.
    """


@attrs.frozen
class ReferralVariantFigures:
    """What came of one variant of a referral campaign; the fields that `ReferralFigures` has too are the same."""

    variant: str
    """Empty for what a campaign chose while it had no variants."""
    opened: int
    open: int
    overdue: int
    completed: int
    expired: int
    voided: int
    capped: int
    senders: SenderGroup
    """Who referred on it, and how sure the conversion of their referrals is."""
    time_to_complete: Lengths | None
    sender_side: GrantFigures
    recipient_side: GrantFigures

    @property
    def conversion(self) -> float | None:
        """The share of its referrals that were completed, up to now; None where there are none."""
        return self.completed / self.opened if self.opened else None


@attrs.frozen
class ReferralFigures:
    """What came of a referral program, of a referral campaign, or of a program in a campaign."""

    program: str
    """Empty where all programs of the campaign are counted."""
    campaign: str
    """Empty where all campaigns are counted, and what was made without one."""
    at: datetime
    opened: int
    """All referrals: open, overdue, completed, expired and voided ones."""
    open: int
    overdue: int
    """Recorded as open, though their time is over: `RunDue` decides them."""
    completed: int
    expired: int
    voided: int
    capped: int
    """Of the completed: how many found the sender at a cap, so that only the recipient was rewarded."""
    senders: int
    """Who have referred at least one."""
    time_to_complete: Lengths | None
    sender_side: GrantFigures
    recipient_side: GrantFigures
    top: tuple[SenderFigures, ...]
    """Who have completed most, then opened most, then by name."""
    depths: tuple[DepthFigures, ...]
    elsewhere: int
    """Referrals that are in no depth: deeper than 64, or in a circle that nobody entered from outside."""
    longest: tuple[str, ...]
    """The users of one of the longest chains, the first sender first; empty where there is no referral."""
    status: str = attrs.field(default="", kw_only=True)
    """Of the campaign: `draft`, `live`, `paused` or `ended`; empty where all campaigns are counted."""
    caps: tuple[CapUse, ...] = ()
    """What is taken of the campaign's caps now; empty where it has none, or all campaigns are counted."""
    budget: BudgetUse | None = None
    """What is taken of its budget now; None likewise."""
    holdout: SenderHoldout | None = None
    """None where no sender is held out, or where more is asked than what one campaign came to."""
    cautions: tuple[str, ...] = ()
    """Why the comparison with the holdout may mislead, in sentences; empty where nobody held out has referred."""
    variants: tuple[ReferralVariantFigures, ...] = ()
    """In the order in which the campaign got them; empty where it never had any, or all campaigns are counted."""

    @property
    def conversion(self) -> float | None:
        """The share of all referrals that were completed, up to now; None where there are none."""
        return self.completed / self.opened if self.opened else None
