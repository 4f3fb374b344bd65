"""What a store keeps of referrals, row by row; see `rewardkit.core.storing.rows`."""

from __future__ import annotations

from typing import NamedTuple


class ReferralRow(NamedTuple):
    """One recipient, referred by one sender. Key: (id). Unique too: (recipient, program). Indexed by sender."""

    id: str
    sender: str
    recipient: str
    program: str
    program_version: int
    """The terms, as they were when the recipient entered."""
    campaign: str
    """The referral campaign that chose the program, or empty."""
    status: str
    """`open`, then `completed`, `expired` or `voided`."""
    made_at: int
    """The recipient's condition is folded from this instant on, all its events included."""
    ends_at: int | None
    ended_at: int | None
    reason: str
    sender_reward: str
    """Empty until it is completed, then `granted` or `capped`."""
    period: str
    """The unit and first date of the period under whose cap her reward took a place, or empty."""
    held_out: str
    """The referral campaign that the sender would have offered, had she not been held out of it, or empty."""
    places: str
    """That it takes of its campaign's limits while it is open or completed, put together, or empty."""
    variant: str
    """Of its campaign, by name, that the sender offered; empty where it has none."""


class ReferralEnding(NamedTuple):
    """The columns of a referral that change, once, when it ends. Key: (id)."""

    id: str
    status: str
    ended_at: int
    reason: str
    sender_reward: str
    period: str


class ReferralCodeRow(NamedTuple):
    """A sender's code. Key: (user). Unique too: (code)."""

    user: str
    code: str
    """Its key: the one form of all ways to write it."""
    made_at: int
