"""Plausible rows, of which a test names only what it is about."""

from __future__ import annotations

from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.referral_rows import ReferralCodeRow, ReferralRow
from rewardkit.core.storing.rows import (
    DefinitionRow,
    EventRow,
    GrantRow,
    MemberRow,
    NoticeRow,
    RegisteredEndpointRow,
    UserOfferRow,
)


def event(user: str = "ann", id: str = "1", *, at: int = 1_000, order: int = 0, digest: bytes = b"digest") -> EventRow:
    """An event without properties."""
    return EventRow(user, id, at, order, "Purchase", "{}", digest)


def member(user: str = "ann", *, epoch: int = 0, wake_at: int | None = None, state: bytes = b"state") -> MemberRow:
    """A member who has read one event."""
    return MemberRow(user, epoch, 1_000, 0, "1", wake_at, state)


def definition(name: str = "gold", *, version: int = 1, number: int = 1, epoch: int = 1) -> DefinitionRow:
    """A reward's definition."""
    return DefinitionRow("reward", name, version, number, '{"properties": {}}', epoch)


def user_offer(
    id: str = "offer-1",
    user: str = "ann",
    *,
    campaign: str = "spring",
    entry: int = 1,
    status: str = "active",
    made_at: int = 1_000,
) -> UserOfferRow:
    """An offer that has not ended."""
    return UserOfferRow(id, user, campaign, 1, "welcome", 1, entry, status, made_at, 0, "", None, None, "")


def grant(
    id: str = "grant-1", user: str = "ann", *, status: str = "ready", earned_at: int = 1_000, lease_until: int = 0
) -> GrantRow:
    """A reward earned, never leased."""
    return GrantRow(
        id, user, "offer-1", "spring", "welcome", 1, "gold", 1, status, earned_at, "1", 0, lease_until, None, "", ""
    )


def referral(
    id: str = "referral-1",
    recipient: str = "ann",
    *,
    sender: str = "sue",
    program: str = "friends",
    status: str = "open",
    made_at: int = 1_000,
) -> ReferralRow:
    """A referral that has not ended."""
    return ReferralRow(id, sender, recipient, program, 1, "", status, made_at, None, None, "", "", "", "", "", "")


def referral_code(user: str = "ann", code: str = "7F4K2N9B1C") -> ReferralCodeRow:
    """A sender's code."""
    return ReferralCodeRow(user, code, 1_000)


def step(number: int = 1, grant: str = "grant-1") -> GrantStepRow:
    """A failure."""
    return GrantStepRow(grant, number, 1_000, "fail", "ready", "", "", "no answer", "")


def notice(
    id: str = "notice-1",
    *,
    status: str = "pending",
    created_at: int = 1_000,
    attempt_at: int = 1_000,
    endpoint: str = "",
) -> NoticeRow:
    """A message never attempted."""
    return NoticeRow(id, "grant.ready", "ann", b'{"n": 1}', status, created_at, attempt_at, 0, 0, "", "{}", endpoint)


def registered_endpoint(name: str = "shop", *, status: str = "enabled") -> RegisteredEndpointRow:
    """An endpoint that wants everything, with its first secret."""
    return RegisteredEndpointRow(name, "https://example.com/hook", "null", status, 5, "", 5, 1, 5, 0)
