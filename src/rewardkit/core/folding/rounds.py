"""Rounds of entry conditions that begin anew: what late events would have made of those that are over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import attrs

from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_register import EMPTY as NO_REFERRALS
from rewardkit.core.folding import cycle
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.making import Outcome
from rewardkit.core.requests.answers import Late
from rewardkit.core.storing.progress import ENTRY, key
from rewardkit.core.storing.rows import unheard
from rewardkit.language.event import Event, Position, rfc3339
from rewardkit.language.planning.names import together


class _Rounds(NamedTuple):
    """What a history comes to in one campaign."""

    entries: tuple[tuple[Position, Outcome | None], ...]
    """Where each began, and how it ended."""
    cycle: bytes
    """The one that is open, as a row keeps it."""

    def told(self) -> str:
        if not self.entries:
            return "no entry"
        number = "1 entry, at" if len(self.entries) == 1 else f"{len(self.entries)} entries, the last at"
        return f"{number} {rfc3339(self.entries[-1][0].at)}"


def late_in_rounds(fold: Fold, campaign: Campaign, late: Sequence[Event]) -> list[Late]:
    """The events that would have changed rounds that are over: those stand, and the open one does not count them.

    Both histories are folded from their beginning, by the terms that are in force.
    """
    begin = _begun(fold, campaign)
    if begin is None:
        return []
    names = _heard(campaign, fold.catalogue)
    over = [event for event in late if event.name in names and event.position <= begin]
    if not over:
        return []
    history = fold.history or ()
    ids = {event.id for event in over}
    catalogue = _alone(campaign, fold.catalogue)
    decided = _folded(fold, campaign, catalogue, (event for event in history if event.id not in ids))
    corrected = _folded(fold, campaign, catalogue, history)
    if decided == corrected:
        return []
    told = decided.told(), corrected.told()
    return [Late(fold.row.user, event.id, campaign.name, *told) for event in over]


def _begun(fold: Fold, campaign: Campaign) -> Position | None:
    """The place up to which all rounds are over; None where the first is open."""
    known = cycle.unpack(fold.progress.get(key(campaign.id, ENTRY))).after
    if known is None and fold.progress.entered >> campaign.id & 1:
        return fold.position
    return known


def _heard(campaign: Campaign, catalogue: Catalogue) -> frozenset[str]:
    """The events that the campaign's conditions listen to, those of its offers too."""
    heard = [campaign.program.names]
    heard += [offer.names for offer in catalogue.offer_versions.values() if offer.name in campaign.offers]
    if campaign.audience is not None:
        heard.append(catalogue.audiences[campaign.audience, campaign.zone].program.names)
    return together(heard)


def _alone(campaign: Campaign, catalogue: Catalogue) -> Catalogue:
    """The catalogue with one campaign, since campaigns do not see each other."""
    place = campaign.audience, campaign.zone
    return attrs.evolve(
        catalogue,
        campaigns={campaign.name: campaign},
        campaigns_by_id={campaign.id: campaign},
        audiences={known: audience for known, audience in catalogue.audiences.items() if known == place},
        referrals=NO_REFERRALS,
    )


def _folded(fold: Fold, campaign: Campaign, catalogue: Catalogue, history: Iterable[Event]) -> _Rounds:
    row = unheard(fold.row.user, catalogue.epoch)
    again = Fold(catalogue, row, ())
    for event in history:
        again.event(event)
        while again.waits_for_places:
            again.go_on()
    again.advance(fold.position.at)
    entries = tuple((making.start, making.outcome) for making in again.makings)
    return _Rounds(entries, again.progress.get(key(campaign.id, ENTRY)) or b"")
