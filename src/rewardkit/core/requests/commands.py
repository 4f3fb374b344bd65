"""Everything that a caller can ask to be changed: frozen records, each with the type of its answer.

`kit.run(command)` gives that answer or raises `Refused`; `kit.attempt(command)` gives either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import attrs

from rewardkit.core.requests.answers import Backfilled, CampaignState, Claimed, Defined, Progressed, Recorded
from rewardkit.core.requests.records import Grant, UserOffer
from rewardkit.core.requests.variant import Variant
from rewardkit.core.values.input import masked
from rewardkit.language.event import Event

A_co = TypeVar("A_co", covariant=True)


def lint_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes of lints, given as a list or as one."""
    return (codes,) if isinstance(codes, str) else tuple(codes)


def _variants(given: Iterable[Variant]) -> tuple[Variant, ...]:
    # What is no list of variants is refused where it is decided.
    return tuple(given) if isinstance(given, list) else given  # type: ignore[return-value]


class Command(Generic[A_co]):
    """A request whose answer is an `A`."""

    __slots__ = ()


@attrs.frozen
class DefineReward(Command[Defined]):
    """Define a reward, or a new version of it; offers that name it follow for what they make next.

    Args:
        name: unique among rewards.
        properties: free JSON data for whoever fulfils it; money as text or Decimal, never float.
        issues: what rewardkit itself hands over with each grant, `{"pool": "spring"}` a code of that pool. With
            `"reversal": "keep"` the code of a grant that is reversed stays good; else it is void then, unless its pool
            is `multi`, where others may have it too.
    """

    name: str
    properties: Mapping[str, Any] = attrs.field(factory=dict)
    issues: Mapping[str, Any] | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class DefineCondition(Command[Defined]):
    """Name a condition, to be used as `@name` in others; what was defined with it keeps what it meant then."""

    name: str
    condition: str


@attrs.frozen
class DefineOffer(Command[Defined]):
    """Define an offer, reward + condition, or a new version of it; offers already made keep their version.

    Args:
        name: unique among offers.
        reward: the name of a reward.
        condition: folded over what follows the making of the offer.
        expires_after: elapsed time from the making, such as `30d`; None never expires.
        hold: elapsed time from the earning, such as `14d`, before which its grants are not ready; None is none.
        review: `check` holds grants until the kit's check has found nothing, or somebody approves them;
            `always` until somebody approves them; None holds none.
        reversal: `parts` of a grant's amount can be taken back, or only the `whole` of it.
        reversal_frees: whether what is denied, or reversed as a whole, gives its places under the caps back.
        acknowledge: codes of lints that are meant so.
    """

    name: str
    reward: str
    condition: str
    expires_after: str | None = attrs.field(default=None, kw_only=True)
    hold: str | None = attrs.field(default=None, kw_only=True)
    review: str | None = attrs.field(default=None, kw_only=True)
    reversal: str = attrs.field(default="parts", kw_only=True)
    reversal_frees: bool = attrs.field(default=False, kw_only=True)
    acknowledge: tuple[str, ...] = attrs.field(default=(), converter=lint_codes, kw_only=True)


@attrs.frozen
class DefineCampaign(Command[Defined]):
    """Define a campaign, as a draft, or a new version of one; a live one stays live.

    Args:
        name: unique among campaigns.
        offer: the name of an offer; its newest version counts for what is made next. None where there are variants.
        entry: a condition folded over a user's whole history, which makes the offer to her; None for direct only.
        audience: a condition over her whole history that may come and go: who does not fulfil it when she would enter
            does not; her entry condition then begins anew.
        reentry: whether her entry condition begins anew after she has entered: `never`; `after_earning`; or with the
            next `day`, `week`, `month`, `quarter` or `year`, in which she may then enter once in any way. Pinned by
            the launch.
        code: an offer code, by which users enter; unique among campaigns, compared without case.
        start: from this instant on the campaign makes offers; default is its launch. A date means its first instant.
        end: up to but not at this instant. A date means the end of that day.
        zone: IANA name of the zone of dates, and of the days, weeks and months of conditions; pinned by the launch.
        cap: offers that may be active or earned at one time, over all users; None is unlimited. Of a referral
            campaign, referrals on its terms that may be open or completed, over all senders: where there is no place
            left, senders offer the next one.
        caps_per: offers made in one period that may be active or earned at one time, over all users, by its unit, such
            as `{"day": 100}`; periods are civil, in the campaign's zone. Of a referral campaign, referrals entered.
        user_cap: as `cap`, for one user; default is 1, or unlimited where she may enter again.
        budget: money that its rewards may cost, in the unit of their `amount`, as a whole number, a Decimal or text;
            None is unlimited. Whether there is one is pinned by the launch.
        at_exhaustion: where the budget has run out, `stop` makes no more offers: money is reserved with each of them;
            `queue` makes them all the same, and what is earned waits until the budget is replenished.
        variants: several offers, of which each user gets one, always the same; of a referral campaign several
            programs, of which each sender offers one.
        holdout: share of the users who get no offer and are recorded, to compare with: `0.1` or `"10%"`; of a referral
            campaign, of the senders, who offer the next one.
        program: the name of a referral program, instead of an offer: this is a referral campaign then, which says who
            refers on its terms, and when. Of the others it has `start`, `end`, `zone`, `cap`,
            `caps_per`, `budget`, `at_exhaustion`, `variants`, `copy`, `holdout` and `acknowledge`. None where
            there are variants.
        sender: of a referral campaign, a condition on the sender, over her whole history; she offers the program while
            it holds. None is everybody; with no end, holdout, caps or budget it is the fallback of all others.
        priority: of two referral campaigns that hold for a sender the greater one counts, then the one started last.
        copy: free texts that users are shown with the offer, such as `name` and `description`.
        acknowledge: codes of lints that are meant so.
    """

    name: str
    offer: str | None = None
    entry: str | None = attrs.field(default=None, kw_only=True)
    code: str | None = attrs.field(default=None, kw_only=True)
    start: datetime | date | str | None = attrs.field(default=None, kw_only=True)
    end: datetime | date | str | None = attrs.field(default=None, kw_only=True)
    zone: str = attrs.field(default="UTC", kw_only=True)
    cap: int | None = attrs.field(default=None, kw_only=True)
    user_cap: int | None = attrs.field(default=None, kw_only=True)
    variants: tuple[Variant, ...] = attrs.field(default=(), converter=_variants, kw_only=True)
    audience: str | None = attrs.field(default=None, kw_only=True)
    reentry: str = attrs.field(default="never", kw_only=True)
    caps_per: Mapping[str, int] = attrs.field(factory=dict, kw_only=True)
    budget: Decimal | int | str | None = attrs.field(default=None, kw_only=True)
    at_exhaustion: str = attrs.field(default="stop", kw_only=True)
    holdout: Decimal | str | float = attrs.field(default=0, kw_only=True)
    copy: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    program: str | None = attrs.field(default=None, kw_only=True)
    sender: str | None = attrs.field(default=None, kw_only=True)
    priority: int = attrs.field(default=0, kw_only=True)
    acknowledge: tuple[str, ...] = attrs.field(default=(), converter=lint_codes, kw_only=True)


@attrs.frozen
class LaunchCampaign(Command[CampaignState]):
    """Take a draft live. Launching a live or paused campaign changes nothing; an ended one is refused.

    Args:
        name: of the campaign.
        acknowledge: codes of findings of `LaunchChecks` that are meant so, and refuse the launch otherwise.
    """

    name: str
    acknowledge: tuple[str, ...] = attrs.field(default=(), converter=lint_codes, kw_only=True)


@attrs.frozen
class PauseCampaign(Command[CampaignState]):
    """Have a live campaign make no offers until it is resumed; what it has made runs on, and can be earned.

    Who fulfils its entry condition meanwhile enters when it is resumed. Pausing a paused campaign changes nothing.
    """

    name: str


@attrs.frozen
class ResumeCampaign(Command[CampaignState]):
    """Have a paused campaign make offers again, from now on. Resuming a live campaign changes nothing."""

    name: str


@attrs.frozen
class EndCampaign(Command[CampaignState]):
    """End a live or paused campaign now: it makes no more offers; what it has made runs on."""

    name: str


@attrs.frozen
class Emit(Command[Recorded]):
    """Record events and fold them, all or nothing."""

    events: tuple[Event, ...] = attrs.field(repr=lambda events: f"<{len(events)}>")


@attrs.frozen
class MakeOffer(Command[UserOffer]):
    """Make a campaign's offer to a user directly; its scope begins now, before all events of this instant."""

    campaign: str
    user: str


@attrs.frozen
class EnterOfferCode(Command[UserOffer]):
    """Make the offer of the campaign that has this code to the user who entered it."""

    code: str = attrs.field(repr=masked)
    user: str


@attrs.frozen
class CancelUserOffer(Command[UserOffer]):
    """Withdraw an active user offer; its place under the caps is free again."""

    user_offer: str


@attrs.frozen
class ClaimGrants(Command[Claimed]):
    """Lease ready grants to one worker, earliest earned first, so that no two workers pay one at a time."""

    limit: int = 100
    lease_seconds: int = 60


@attrs.frozen
class ClaimGrant(Command[Grant]):
    """Lease one grant that is ready, so that nobody else pays it: for whoever was told of it, by a webhook say.

    Args:
        grant: its id.
        lease_seconds: at most seven days; longer than paying takes.
    """

    grant: str
    lease_seconds: int = 60


@attrs.frozen
class FulfilGrant(Command[Grant]):
    """Say that a grant's reward has been given to the user.

    Args:
        grant: its id.
        lease: the grant's `lease` as claimed; given, a newer lease refuses this one.
    """

    grant: str
    lease: int | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class RunDue(Command[Progressed]):
    """Decide what time alone decides: absences, expiries and starts, and the ends of hold periods.

    Grants that are held for a pool get their codes, where there are some now.

    Args:
        limit: users who are looked at, earliest due first; grants that are released, earliest over first; and grants
            that get codes, earliest earned first.
    """

    limit: int = 100


@attrs.frozen
class Backfill(Command[Backfilled]):
    """Fold the history of users who have been silent since definitions changed, up to `limit` users after user `after`.

    A dry run, the default, tells what would happen and keeps nothing.
    The outcome does not depend on when it is run; the first event of a user does the same for her.
    """

    dry_run: bool = attrs.field(default=True, kw_only=True)
    limit: int = attrs.field(default=500, kw_only=True)
    after: str = attrs.field(default="", kw_only=True)
