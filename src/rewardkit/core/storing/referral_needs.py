"""What decisions about referrals ask; see `rewardkit.core.storing.needs`."""

from __future__ import annotations

import attrs

from rewardkit.core.storing.needs import Need
from rewardkit.core.storing.referral_rows import ReferralCodeRow, ReferralRow


@attrs.frozen
class ReferralOf(Need[ReferralRow | None]):
    """One referral."""

    id: str


@attrs.frozen
class ReferralsInto(Need[tuple[ReferralRow, ...]]):
    """All referrals whose recipient is one of these users, in the order of (recipient, made_at, id)."""

    recipients: tuple[str, ...]


@attrs.frozen
class ListReferrals(Need[tuple[ReferralRow, ...]]):
    """Referrals in the order of (made_at, id), after that place, at most `limit`; each filter that is given holds."""

    sender: str | None
    recipient: str | None
    program: str | None
    status: str | None
    after: tuple[int, str] | None
    limit: int


@attrs.frozen
class TakeReferralCode(Need[ReferralCodeRow | None]):
    """The sender's code; one who has none is given `code`. None where that belongs to somebody else. *Takes*.

    Waits for a concurrent transaction that gives this sender, or this code.
    """

    sender: str
    code: str = attrs.field(repr=False)
    at: int


@attrs.frozen
class ReferralCodeOf(Need[ReferralCodeRow | None]):
    """The sender's code, if she has one."""

    sender: str


@attrs.frozen
class SenderOfCode(Need[ReferralCodeRow | None]):
    """Whose code this is, by its key."""

    code: str = attrs.field(repr=False)
