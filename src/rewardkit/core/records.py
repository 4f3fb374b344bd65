"""What callers get to see: definitions, user offers, grants, notices and the answers of commands.

All instants are aware datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs


@attrs.frozen
class Reward:
    """A version of a reward's definition."""

    name: str
    version: int
    properties: Mapping[str, Any]


@attrs.frozen
class UserOffer:
    """An offer made to one user: `active`, then `earned`, `expired` or `cancelled`; or `capped` from the first."""

    id: str
    user: str
    campaign: str
    offer: str
    offer_version: int
    entry: int
    status: str
    made_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    reason: str


@attrs.frozen
class Grant:
    """A reward earned by a user: `ready`, then `fulfilled`. Its id is the payment's idempotency key."""

    id: str
    user: str
    campaign: str
    offer: str
    offer_version: int
    reward: Reward
    status: str
    earned_at: datetime
    user_offer: str
    lease: int
    """How often it has been leased; pass it to `FulfilGrant` to be refused where a newer lease has begun."""
    leased_until: datetime | None
    fulfilled_at: datetime | None


@attrs.frozen
class Notice:
    """A message to the outside under a permanent id; `body` is the same bytes on every attempt."""

    id: str
    kind: str
    """`offer.made`, `offer.ended` or `grant.ready`."""
    user: str
    body: bytes
    """JSON in UTF-8."""
    created_at: datetime
    attempt: int
    """From 1: of a pending notice the one that comes next, or is under way; of others the last one."""
    status: str = attrs.field(default="pending", kw_only=True)
    """`pending`, `delivered` or `dead`."""
    error: str = attrs.field(default="", kw_only=True)
    """Why the last attempt failed, endpoint by endpoint."""
    told: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    """The names of the endpoints that have it."""


@attrs.frozen
class EndpointState:
    """Whether an endpoint is told anything: `enabled`, or `gone` as it said itself."""

    name: str
    status: str
    since: datetime
    reason: str
