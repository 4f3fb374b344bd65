"""Auditing packed progress: what a user's row says against what the rows beside it say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.folding import active
from rewardkit.core.folding.making import HELD_OUT
from rewardkit.core.storing.progress import ACTIVE, Progress, key
from rewardkit.core.storing.rows import DefinitionRow, MemberRow, UserOfferRow
from rewardkit.errors import InvariantError
from rewardkit.testing.audit_catalogue import catalogue_of

TAKING = ("active", "earned", HELD_OUT, "converted")
"""Statuses of user offers that count for what a user may have at one time."""


def member_violations(
    members: Iterable[MemberRow], offers: Iterable[UserOfferRow], definitions: Iterable[DefinitionRow], epoch: int
) -> Iterator[str]:
    """K6: every row can be read, and says of a user's entries what their rows say."""
    catalogue = catalogue_of(definitions, epoch)
    mine: dict[str, list[UserOfferRow]] = {}
    for offer in offers:
        mine.setdefault(offer.user, []).append(offer)
    for member in members:
        try:
            yield from _member(member, mine.get(member.user, []), catalogue)
        except (InvariantError, KeyError, ValueError) as error:
            yield f"K6: the progress of user `{member.user}` cannot be read: {error}"


def _member(member: MemberRow, offers: list[UserOfferRow], catalogue: Catalogue) -> Iterator[str]:
    progress = Progress(member.state)
    if member.epoch > catalogue.epoch:
        yield f"K6: user `{member.user}` was folded under epoch {member.epoch}, the newest is {catalogue.epoch}"
    if member.wake_at != progress.wake_at:
        yield f"K6: user `{member.user}` wakes at {member.wake_at}, her progress at {progress.wake_at}"
    made = Counter(offer.campaign for offer in offers)
    taken = Counter(offer.campaign for offer in offers if offer.status in TAKING)
    kept = set()
    for campaign in catalogue.campaigns.values():
        if progress.counts(campaign.id) != (made[campaign.name], taken[campaign.name]):
            yield (
                f"C7: user `{member.user}` counts {progress.counts(campaign.id)} entries into `{campaign.name}`,"
                f" the rows {(made[campaign.name], taken[campaign.name])}"
            )
        for one in active.unpack(progress.get(key(campaign.id, ACTIVE)) or b""):
            offer = catalogue.offers_by_number[one.offer_number]
            offer.program_in(campaign.zone).unpack(one.state)
            kept.add((campaign.name, one.entry, offer.name, offer.version, one.held_out))
    rows = {
        (offer.campaign, offer.entry, offer.offer, offer.offer_version, offer.status == HELD_OUT)
        for offer in offers
        if offer.status in ("active", HELD_OUT)
    }
    if kept != rows:
        yield f"K6: user `{member.user}` keeps the active offers {sorted(kept)}, the rows {sorted(rows)}"
