"""What callers get to see: definitions, user offers, grants, notices and the answers of commands.

All instants are aware datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import attrs

from rewardkit.core.values.input import masked

VOID: Final = "void"


@attrs.frozen
class Issues:
    """What a reward has rewardkit itself hand over with each grant."""

    pool: str
    """A code of this pool, by the name that it had when the reward was defined."""
    pool_id: int
    """The same pool, whatever it is called now."""
    reversal: str = VOID
    """`void`: the code of a grant that is reversed as a whole is good for nothing any more; or `keep`."""


@attrs.frozen
class Reward:
    """A version of a reward's definition."""

    name: str
    version: int
    properties: Mapping[str, Any]
    issues: Issues | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class UserOffer:
    """An offer made to one user: `active`, then `earned`, `expired` or `cancelled`; or `capped` from the first.

    Of a user who is held out there is no offer but a record: `held_out`, then `converted` where she fulfilled the
    condition all the same, or `lapsed` where she did not.
    """

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
    variant: str = attrs.field(default="", kw_only=True)
    """Of the campaign; empty where it has none."""
    copy: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    """What the user is shown, by name, as it was written when the offer was made."""


@attrs.frozen
class Grant:
    """A reward earned by a user. Its id is the payment's idempotency key."""

    id: str
    user: str
    campaign: str
    offer: str
    offer_version: int
    reward: Reward
    status: str
    """`held`, then `ready`, then `fulfilled`; or `denied`, `reversed` or `undeliverable`."""
    earned_at: datetime
    user_offer: str
    lease: int
    """Grows with each lease and each failure; name it in `FulfilGrant` to be refused where somebody else may pay."""
    leased_until: datetime | None
    fulfilled_at: datetime | None
    referral: str = attrs.field(default="", kw_only=True)
    """The id of the referral on one side of which it was earned; then there is no user offer and no offer."""
    program: str = attrs.field(default="", kw_only=True)
    """Of that referral; `offer_version` is its version."""
    side: str = attrs.field(default="", kw_only=True)
    """`sender` or `recipient` of that referral."""
    held_for: str = attrs.field(default="", kw_only=True)
    """What a held one waits for: `budget`, `review`, `hold` or `pool`."""
    hold_until: datetime | None = attrs.field(default=None, kw_only=True)
    """The end of its hold period, where it has one."""
    flags: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    """What its check found."""
    failures: int = attrs.field(default=0, kw_only=True)
    """How often it could not be given, since it was last put back."""
    retry_at: datetime | None = attrs.field(default=None, kw_only=True)
    """After a failure: not before this instant can it be claimed again."""
    reason: str = attrs.field(default="", kw_only=True)
    """Of the newest failure, denial or reversal; or why a held one has no code yet."""
    amount: Decimal | None = attrs.field(default=None, kw_only=True)
    """The reward's property `amount`, where it is one."""
    reversed: Decimal = attrs.field(default=Decimal(0), kw_only=True)
    """How much of it has been taken back."""
    due: Decimal | None = attrs.field(default=None, kw_only=True)
    """The rest of it: what is to be given. None where the reward has no amount."""
    code: str = attrs.field(default="", kw_only=True, repr=masked)
    """Where its reward issues one, and it is past that gate: the code that the user has by it."""
    issuance: int | None = attrs.field(default=None, kw_only=True)
    """The id of that code's issuance, to which notices refer."""


@attrs.frozen
class GrantStep:
    """A change of a grant after its earning."""

    number: int
    """From 1."""
    at: datetime
    move: str
    """`approve`, `deny`, `release`, `fulfil`, `fail`, `retry`, `reduce`, `reverse` and such."""
    status: str
    """After it; the same below."""
    held_for: str
    by: str
    """Who did it, as the caller said."""
    reason: str
    amount: Decimal | None
    """Taken back by it."""


@attrs.frozen
class Notice:
    """A message to the outside under a permanent id; `body` is the same bytes on every attempt."""

    id: str
    kind: str
    """Such as `grant.ready`; all are in `rewardkit.core.notices.notice.KINDS`, but for `test`."""
    user: str
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")
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
    endpoint: str = attrs.field(default="", kw_only=True)
    """The registered endpoint that alone is told it; empty where it is for the kit's own notifiers."""


@attrs.frozen
class RegisteredEndpoint:
    """An endpoint that the tenant has registered: `enabled`, `gone` as it said itself, or `removed`."""

    name: str
    url: str = attrs.field(repr=False)
    """What comes after its host may be a token: show it to the tenant's own people alone."""
    kinds: tuple[str, ...] | None
    """Of notices that it is told; None is all."""
    status: str
    since: datetime
    reason: str
    registered_at: datetime
    generation: int
    """Of its secret, from 1; no generation comes back, under the same name neither."""
    rotated_at: datetime
    """When this generation began to sign."""
    previous_until: datetime | None
    """Up to here the generation before signs too; None where there is none that does."""


@attrs.frozen
class EndpointState:
    """Whether an endpoint is told anything: `enabled`, or `gone` as it said itself."""

    name: str
    status: str
    since: datetime
    reason: str
