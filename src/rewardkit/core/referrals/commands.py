"""What can be asked of referrals; see `rewardkit.core.requests.commands`."""

from __future__ import annotations

import attrs

from rewardkit.core.attempts.limits import LIMITS, AttemptLimits
from rewardkit.core.requests.answers import Defined
from rewardkit.core.requests.commands import Command, lint_codes
from rewardkit.core.requests.referral_records import Referral, ReferralCode
from rewardkit.core.values.input import masked


@attrs.frozen
class DefineReferralProgram(Command[Defined]):
    """Define a referral program, two rewards and a condition, or a new version; open referrals keep their version.

    Args:
        name: unique among referral programs.
        sender_reward: the name of a reward, for whoever refers.
        recipient_reward: the name of a reward, for whoever is referred.
        condition: on the recipient, folded over what follows her entry.
        expires_after: elapsed time from the entry, such as `30d`; None never expires.
        sender_cap: rewards that one sender can earn at all; what is over it is recorded as `capped`.
        period_cap: the same in one period.
        period: `day`, `week`, `month`, `quarter` or `year`, as the calendar has them.
        zone: IANA name of the zone of periods, and of the days, weeks and months of the condition.
        entry: always refused: whoever is referred was referred by somebody, and no condition says by whom.
        hold, review, reversal, reversal_frees: of the grants of both sides, as of an offer's.
        acknowledge: codes of lints that are meant so.

    Caps are those of the newest version, whenever a referral was made.
    """

    name: str
    sender_reward: str
    recipient_reward: str
    condition: str
    expires_after: str | None = attrs.field(default=None, kw_only=True)
    sender_cap: int | None = attrs.field(default=None, kw_only=True)
    period_cap: int | None = attrs.field(default=None, kw_only=True)
    period: str = attrs.field(default="month", kw_only=True)
    zone: str = attrs.field(default="UTC", kw_only=True)
    entry: str | None = attrs.field(default=None, kw_only=True)
    hold: str | None = attrs.field(default=None, kw_only=True)
    review: str | None = attrs.field(default=None, kw_only=True)
    reversal: str = attrs.field(default="parts", kw_only=True)
    reversal_frees: bool = attrs.field(default=False, kw_only=True)
    acknowledge: tuple[str, ...] = attrs.field(default=(), converter=lint_codes, kw_only=True)


@attrs.frozen
class MakeReferral(Command[Referral]):
    """Say that a sender refers a recipient, on the terms of a program, or of a referral campaign.

    Args:
        program: the name of a referral campaign, or else of a program.
        sender: who refers.
        recipient: who is referred; her condition is folded from now on, all events of this instant included.
    """

    program: str
    sender: str
    recipient: str


@attrs.frozen
class EnterReferralCode(Command[Referral]):
    """Refer the user who entered a code, by the sender whose code it is, on the terms that she offers now.

    Args:
        code: as it was typed.
        recipient: who entered it.
        public: whether the answer goes to somebody who may be guessing: then all refusals are the same, and attempts
            are counted, refused ones too; not inside a host's transaction, whose rollback would forget them.
        origin: where a public attempt comes from, such as an address of the network; its attempts are limited as well.
        limits: how many attempts are listened to; the recipient is the subject.
    """

    code: str = attrs.field(repr=masked)
    recipient: str
    public: bool = attrs.field(default=False, kw_only=True)
    origin: str = attrs.field(default="", kw_only=True, repr=False)
    limits: AttemptLimits = attrs.field(default=LIMITS, kw_only=True)


@attrs.frozen
class GiveReferralCode(Command[ReferralCode]):
    """Give a sender's one code, made when it is first asked for, and the same ever after.

    Args:
        sender: whose.
        base_url: what the code is put behind, such as `https://shop.example/i/` or `https://shop.example/?friend=`.
    """

    sender: str
    base_url: str = attrs.field(default="", kw_only=True)


@attrs.frozen
class VoidReferral(Command[Referral]):
    """Take an open referral back: neither side earns by it, and the recipient is not referred into its program again.

    Args:
        referral: its id.
        reason: kept with it, and shown.
    """

    referral: str
    reason: str = attrs.field(default="voided", kw_only=True)
