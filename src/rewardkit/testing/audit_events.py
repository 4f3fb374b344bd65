"""What is promised of events: each is kept once, and counts once in all that is not decided yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.replay import replay
from rewardkit.core.folding import active
from rewardkit.core.folding.open_referral import unpack
from rewardkit.core.storing.progress import ACTIVE, Progress, key
from rewardkit.core.storing.referral_rows import ReferralRow
from rewardkit.core.storing.rows import EventRow, MemberRow, UserOfferRow
from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import Program
from rewardkit.testing.audit_catalogue import event_at


def event_violations(events: Iterable[EventRow]) -> Iterator[str]:
    """E1: an event's id is there once."""
    for (user, event_id), count in Counter((row.user, row.id) for row in events).items():
        if count > 1:
            yield f"E1: event `{event_id}` of user `{user}` is there {count} times"


class _Open(NamedTuple):
    """A condition that is not decided yet, and its packed state."""

    what: str
    program: Program
    start: Position
    ends_at: int | None
    state: bytes


def folded_violations(
    events: Iterable[EventRow],
    members: Iterable[MemberRow],
    offers: Iterable[UserOfferRow],
    referrals: Iterable[ReferralRow],
    catalogue: Catalogue,
) -> Iterator[str]:
    """E2: what a user's row says of an open condition is what each of her stored events comes to, folded once."""
    histories: dict[str, list[Event]] = {}
    for row in events:
        histories.setdefault(row.user, []).append(event_at(row))
    made = {(row.user, row.campaign, row.entry): row for row in offers}
    referred = {(row.recipient, row.program): row for row in referrals}
    for member in members:
        place = Position(member.at, member.order, member.id)
        known = sorted(histories.get(member.user, ()), key=lambda event: event.position)
        read = [event for event in known if event.position <= place]
        for one in _open(member, made, referred, catalogue):
            state, _ = replay(one.program, one.start, one.ends_at, read, member.at)
            if one.program.pack(state) != one.state:
                yield f"E2: {one.what} of user `{member.user}` is not what her {len(read)} events come to, each once"


def _open(
    member: MemberRow,
    offers: dict[tuple[str, str, int], UserOfferRow],
    referrals: dict[tuple[str, str], ReferralRow],
    catalogue: Catalogue,
) -> Iterator[_Open]:
    progress = Progress(member.state)
    for campaign in catalogue.campaigns.values():
        for one in active.unpack(progress.get(key(campaign.id, ACTIVE)) or b""):
            row = offers.get((member.user, campaign.name, one.entry))
            if row is not None:
                program = catalogue.offers_by_number[one.offer_number].program_in(campaign.zone)
                start = Position(row.made_at, row.start_order, row.start_id)
                yield _Open(f"user offer `{row.id}`", program, start, row.ends_at, one.state)
    for name, newest in catalogue.referrals.programs.items():
        payload, referral = progress.get(newest.slot), referrals.get((member.user, name))
        if payload is not None and referral is not None:
            kept, state = unpack(payload, member.user, catalogue.referrals.programs_by_number)
            start = Position(referral.made_at)
            yield _Open(f"referral `{referral.id}`", kept.program.folding, start, referral.ends_at, state)
