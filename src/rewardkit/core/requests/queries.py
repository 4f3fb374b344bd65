"""Everything that can be asked without changing anything, in pages where it lists."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, Generic, TypeVar

import attrs

from rewardkit.core.requests.records import Grant, GrantStep, Notice, UserOffer
from rewardkit.language.event import Event

A_co = TypeVar("A_co", covariant=True)
R = TypeVar("R")


class Query(Generic[A_co]):
    """A question whose answer is an `A`."""

    __slots__ = ()


@attrs.frozen
class Page(Generic[R]):
    """Some of what was asked for; pass `after` to the same query for what follows, None at the end."""

    items: tuple[R, ...]
    after: str | None


@attrs.frozen
class Grants(Query[Page[Grant]]):
    """Grants, earliest earned first.

    Args:
        user: hers alone.
        status: `held`, `ready`, `fulfilled`, `denied`, `reversed` or `undeliverable`.
        held_for: held ones that wait for this alone: `budget`, `review`, `hold` or `pool`.
        after: a page's `after`.
        limit: at most 1,000.
    """

    user: str | None = None
    status: str | None = None
    held_for: str | None = attrs.field(default=None, kw_only=True)
    after: str | None = attrs.field(default=None, kw_only=True)
    limit: int = attrs.field(default=100, kw_only=True)


@attrs.frozen
class GrantHistory(Query[tuple[GrantStep, ...]]):
    """What has happened to a grant since it was earned, step by step."""

    grant: str


@attrs.frozen
class UserOffers(Query[Page[UserOffer]]):
    """User offers, earliest made first; one whose time is over counts as expired, recorded or not.

    `status` is one of `UserOffer`; the records of users who are held out are among them.
    """

    user: str | None = None
    campaign: str | None = None
    status: str | None = None
    after: str | None = attrs.field(default=None, kw_only=True)
    limit: int = attrs.field(default=100, kw_only=True)


@attrs.frozen
class Notices(Query[Page[Notice]]):
    """Notices of the outbox, earliest created first; `status` is `pending`, `delivered` or `dead`.

    With `endpoint`, those that a registered endpoint is told.
    """

    status: str | None = None
    endpoint: str | None = attrs.field(default=None, kw_only=True)
    after: str | None = attrs.field(default=None, kw_only=True)
    limit: int = attrs.field(default=100, kw_only=True)


OFFERS: Final = "offers"
REFERRALS: Final = "referrals"


@attrs.frozen
class CampaignUse:
    """A campaign as it stands."""

    name: str
    version: int
    status: str
    """`draft`, `live`, `paused` or `ended`; a live one may not have started, or be over."""
    offer: str
    """Empty where there are variants, and of a referral campaign."""
    cap: int | None
    reserved: int
    """Places taken by active offers, or by open and completed referrals."""
    confirmed: int
    """Places taken by earned offers."""
    variants: tuple[str, ...] = ()
    budget: Decimal | None = None
    """All of it, with what it was replenished by."""
    committed: Decimal = Decimal(0)
    """Reserved by active offers, or by open referrals."""
    spent: Decimal = Decimal(0)
    """On what was earned."""
    kind: str = attrs.field(default=OFFERS, kw_only=True)
    """`offers`, or `referrals`."""
    program: str = attrs.field(default="", kw_only=True)
    """Of a referral campaign without variants."""
    start: datetime | None = attrs.field(default=None, kw_only=True)
    """From when on it is open: its start, or its launch where it has none; None of a draft without one."""
    end: datetime | None = attrs.field(default=None, kw_only=True)
    """From when on it is not; None is never."""
    is_open: bool = attrs.field(default=False, kw_only=True)
    """Whether offers can be made by it now, or senders can offer it."""


@attrs.frozen
class Campaigns(Query[tuple[CampaignUse, ...]]):
    """All campaigns, of offers and of referrals, by name, with what is taken of their caps.

    Args:
        kind: those of `offers` or of `referrals` alone.
    """

    kind: str | None = None


@attrs.frozen
class Explain(Query["Explained"]):
    """Why a grant was earned, rebuilt from stored events."""

    grant: str


@attrs.frozen
class Evidence:
    """What proves a condition, or does not."""

    condition: str
    """Canonical text."""
    upheld: bool
    """Whether the stored events prove it: an event that came too late may contradict what stands all the same."""
    decided_at: datetime | None
    """The instant at which it was decided by them."""
    events: tuple[Event, ...]
    """A small set of events that prove it, in total order; absences need none."""
    sentences: tuple[str, ...]
    """All of it for people."""


@attrs.frozen
class Explained:
    """The evidence of a grant, rebuilt from stored events."""

    grant: Grant
    condition: str
    """Canonical text of the version that the offer was made under."""
    event_ids: tuple[str, ...]
    """A small set of events that prove it."""
    sentences: tuple[str, ...]
    """The same for people."""
    earned: Evidence = attrs.field(kw_only=True)
    """Why it was earned: all of the above as data. Of a referral: what its recipient did."""
    deciding_event: str = attrs.field(kw_only=True)
    """The id of the event that decided, or empty where time did."""
    made_at: datetime = attrs.field(kw_only=True)
    """When the offer, or the referral, was made; its condition reads what follows."""
    entered: Evidence | None = attrs.field(default=None, kw_only=True)
    """Why the offer was made, where its campaign had an entry condition that held by then."""
    campaign_version: int = attrs.field(default=0, kw_only=True)
    """Of the campaign as it made the offer; 0 of a referral."""
    variant: str = attrs.field(default="", kw_only=True)
    """Of that campaign, or of the referral's; empty where it had none."""
    steps: tuple[GrantStep, ...] = attrs.field(default=(), kw_only=True)
    """What has happened to it since."""
