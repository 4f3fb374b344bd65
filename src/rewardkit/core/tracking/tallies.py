"""What a store counts for a report: a few rows, however many users there are."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class OfferTally(NamedTuple):
    """User offers of one variant and status."""

    variant: str
    status: str
    over: int
    """1 for those that are not decided though their time is over; else 0."""
    number: int


class UserTally(NamedTuple):
    """Users, each once, who were offered something, or were held out."""

    variant: str
    """Empty where all variants are counted together."""
    held_out: int
    """1 for those who were held out; else 0."""
    users: int
    converted: int
    """Of them: who fulfilled the condition at least once."""


class LengthTally(NamedTuple):
    """The length at one place of a sorted list."""

    variant: str
    """Empty where all are in one list."""
    number: int
    """How long the list is."""
    place: int
    """From 1."""
    length: int
    """Microseconds."""


class GrantTally(NamedTuple):
    """Grants of one reward and status."""

    group: str
    """The variant that they were earned by; of referrals of both sides together, the side."""
    reward: str
    reward_version: int
    status: str
    number: int
    reversed: Decimal
    """The sum of what was taken back of them."""


class ReferralTally(NamedTuple):
    """Referrals of one status."""

    status: str
    sender_reward: str
    over: int
    """1 for open ones whose time is over; else 0."""
    number: int
    variant: str = ""
    """Of their campaign; empty where it had none."""


class SenderTally(NamedTuple):
    """The referrals of one sender."""

    sender: str
    opened: int
    completed: int
    granted: int
    """Of the completed: how many she was rewarded for."""
    senders: int
    """How many senders there are, the same in every row."""


class SpreadTally(NamedTuple):
    """Referrals, and how unevenly they are spread over their senders."""

    senders: int
    opened: int
    completed: int
    undecided: int
    """Recorded as open."""
    voided: int
    opened_squared: int
    """The sum, over the senders, of the square of what each opened; the same below."""
    completed_squared: int
    both: int
    """The sum, over the senders, of what each opened times what she completed."""
    variant: str = ""
    """Of their campaign; empty where all are counted together."""


class TermsTally(NamedTuple):
    """Referrals on one version of a program."""

    program: str
    program_version: int
    opened: int


class DepthTally(NamedTuple):
    """Referrals that are so many steps away from somebody who was not referred herself."""

    depth: int
    """From 1."""
    opened: int
    completed: int
    recipient: str
    """The first by name who came in so deep."""
