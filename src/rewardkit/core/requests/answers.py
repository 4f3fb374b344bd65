"""What commands answer. Plain frozen records of texts, numbers, datetimes and each other."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import attrs

from rewardkit.core.requests.records import Grant
from rewardkit.core.requests.referral_records import ReferralEnded


@attrs.frozen
class Defined:
    """A definition is in force; `new` is false where it was so already."""

    kind: str
    name: str
    version: int
    new: bool


@attrs.frozen
class PoolDefined:
    """A pool is there as it was defined; `new` is false where it was so already."""

    name: str
    id: int
    new: bool


@attrs.frozen
class CampaignState:
    """A campaign after it was launched, paused, resumed or ended: `live`, `paused` or `ended`."""

    name: str
    version: int
    status: str
    start: datetime | None
    end: datetime | None


@attrs.frozen
class Entered:
    """An offer was made to a user by an entry condition."""

    user: str
    campaign: str
    user_offer: str
    made_at: datetime


@attrs.frozen
class Capped:
    """An entry condition held, and no place was left under the campaign's cap; recorded as a `capped` user offer."""

    user: str
    campaign: str
    user_offer: str
    made_at: datetime


@attrs.frozen
class Earned:
    """A user earned a reward."""

    user: str
    campaign: str
    offer: str
    """Or the referral program, on either side of a referral."""
    reward: str
    grant: str
    earned_at: datetime
    event_id: str
    """The event that decided, or empty where time did."""


@attrs.frozen
class Expired:
    """A user offer ended unearned: its time ran out, or its condition became impossible."""

    user: str
    campaign: str
    user_offer: str
    ended_at: datetime
    reason: str


@attrs.frozen
class Released:
    """The hold period of a grant is over."""

    user: str
    grant: str
    released_at: datetime
    status: str
    """Of the grant from then on: `ready`, or `held` where something else is missing."""


@attrs.frozen
class Replenished:
    """A budget after it was replenished."""

    campaign: str
    budget: Decimal
    """All of it, with what was added."""
    left: Decimal
    """Neither spent nor reserved."""
    released: tuple[Released, ...]
    """The grants that waited for it."""
    more: bool
    """Whether the limit was reached: more may be released."""


@attrs.frozen
class Supplied:
    """A grant that was held for its pool has a code now, and is ready."""

    user: str
    grant: str
    supplied_at: datetime


@attrs.frozen
class Late:
    """An event came after a reading that it would have changed had been released; the decision stands."""

    user: str
    event_id: str
    campaign: str
    decided: str
    """What was decided."""
    corrected: str
    """What would have been decided with the event in its place."""


@attrs.frozen
class Progressed:
    """What happened to users' offers."""

    users: int = 0
    """How many were looked at."""
    entered: tuple[Entered, ...] = ()
    capped: tuple[Capped, ...] = ()
    earned: tuple[Earned, ...] = ()
    expired: tuple[Expired, ...] = ()
    referrals: tuple[ReferralEnded, ...] = ()
    released: tuple[Released, ...] = ()
    supplied: tuple[Supplied, ...] = ()
    more: bool = False
    """Whether the limit was reached: there may be more that is due."""


@attrs.frozen
class Recorded:
    """What events led to."""

    event_ids: tuple[str, ...] = ()
    """Of all events of the call, in its order."""
    duplicate: tuple[str, ...] = ()
    """Ids of events that had been recorded before, and changed nothing now."""
    entered: tuple[Entered, ...] = ()
    capped: tuple[Capped, ...] = ()
    earned: tuple[Earned, ...] = ()
    expired: tuple[Expired, ...] = ()
    late: tuple[Late, ...] = ()
    referrals: tuple[ReferralEnded, ...] = ()
    """Whose recipient, or time, ended them now; both sides' rewards stand in `earned`."""


@attrs.frozen
class Claimed:
    """Grants leased to the caller."""

    grants: tuple[Grant, ...] = ()


@attrs.frozen
class Backfilled:
    """One batch of a backfill."""

    users: int = 0
    entered: tuple[Entered, ...] = ()
    capped: tuple[Capped, ...] = ()
    earned: tuple[Earned, ...] = ()
    expired: tuple[Expired, ...] = ()
    referrals: tuple[ReferralEnded, ...] = ()
    dry_run: bool = True
    after: str | None = None
    """Pass it to the next `Backfill`; None when no users are left."""
