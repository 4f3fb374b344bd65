"""What callers get to see of referrals; all instants are aware datetimes in UTC."""

from __future__ import annotations

from datetime import datetime

import attrs

from rewardkit.core.values.input import masked


@attrs.frozen
class Referral:
    """One recipient, referred by one sender: `open`, then `completed`, `expired` or `voided`."""

    id: str
    sender: str
    recipient: str
    program: str
    program_version: int
    """Its terms, as they were when the recipient entered."""
    campaign: str
    """The referral campaign that chose the program, or empty."""
    status: str
    made_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    reason: str
    sender_reward: str
    """Empty until it is completed, then `granted` or `capped`."""
    held_out: str = ""
    """The referral campaign that the sender would have offered, had she not been held out of it, to compare with."""
    variant: str = ""
    """Of the campaign, that the sender offered; empty where it has none."""


@attrs.frozen
class ReferralEnded:
    """A referral came to its end: `completed`, with both sides decided, or `expired`."""

    referral: str
    program: str
    campaign: str
    sender: str
    recipient: str
    status: str
    ended_at: datetime
    reason: str
    sender_reward: str
    """`granted` or `capped` where it was completed."""


@attrs.frozen
class ReferralCode:
    """A sender's one code; recipients may type it in any case, with blanks and dashes, and mistake `O` for `0`."""

    sender: str
    code: str = attrs.field(repr=masked)
    link: str = attrs.field(repr=False)
    """With the code at its end; empty where no address was given."""
    made_at: datetime
