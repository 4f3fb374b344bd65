"""Folding from stored history: campaigns that are new to a user, and events that came out of order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.offer import Offer
from rewardkit.core.definitions.replay import replay
from rewardkit.core.folding import active
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.making import HELD_OUT
from rewardkit.core.folding.rounds import late_in_rounds
from rewardkit.core.requests.answers import Late
from rewardkit.core.storing.progress import ACTIVE, ENTRY, key
from rewardkit.core.storing.rows import UserOfferRow
from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import IMPOSSIBLE, PENDING, SATISFIED, Program

_WORDS = {PENDING: "pending", SATISFIED: "satisfied", IMPOSSIBLE: "impossible"}


def is_stale(fold: Fold) -> bool:
    """Whether some campaign has not folded this user's history yet, or her row passed over what offers now hear."""
    epoch = fold.row.epoch
    if epoch >= fold.catalogue.epoch:
        return False
    known_since = max(fold.catalogue.heard_since, fold.catalogue.audiences_since)
    return epoch < known_since or any(_is_new(fold, campaign) for campaign in fold.catalogue.entries)


def _is_new(fold: Fold, campaign: Campaign) -> bool:
    if campaign.entry_epoch <= fold.row.epoch:
        return False
    return fold.progress.counts(campaign.id)[0] == 0 or not fold.progress.entered >> campaign.id & 1


def forget_old_timers(fold: Fold) -> None:
    """Let nothing wake entry conditions that were replaced since the row was written: `catch_up` folds them anew."""
    for campaign in fold.catalogue.entries:
        if _is_new(fold, campaign):
            fold.progress.time(key(campaign.id, ENTRY), None)


def forget_gone_entries(fold: Fold) -> None:
    """Let go of decisions by entry conditions that were taken away since the row was written.

    A cycle stays, for the condition that may be put in its stead: what has made an entry makes no other.
    """
    if fold.row.epoch >= fold.catalogue.epoch:
        return
    for campaign_id in tuple(fold.progress.slots(ENTRY)):
        campaign = fold.catalogue.campaigns_by_id[campaign_id]
        if campaign.entry is None and not _keeps_cycles(fold, campaign):
            fold.progress.drop(key(campaign_id, ENTRY))


def catch_up(fold: Fold) -> frozenset[int]:
    """Fold the user's history over the entry conditions that came into force since her row was last written.

    Returns:
        the ids of their campaigns.
    """
    new = [campaign for campaign in fold.catalogue.entries if _is_new(fold, campaign)]
    for campaign in new:
        _replay_entry(fold, campaign)
    return frozenset(campaign.id for campaign in new)


def _keeps_cycles(fold: Fold, campaign: Campaign) -> bool:
    """Whether what a row keeps of its entry condition, if anything, is a cycle, by the terms it was written under."""
    versions = fold.catalogue.campaign_versions
    known = (versions[campaign.name, number] for number in range(campaign.version, 0, -1))
    return next((one.recurs or one.entry is None for one in known if one.epoch <= fold.row.epoch), True)


def _replay_entry(fold: Fold, campaign: Campaign) -> None:
    if campaign.recurs:
        if not _keeps_cycles(fold, campaign):
            # What her row keeps of it is no cycle: a decision that waits for the start, say, or that she never enters.
            fold.progress.enter(campaign.id, decided=False)
            fold.progress.drop(key(campaign.id, ENTRY))
        fold.refold_cycle(campaign)
        return
    history = fold.history or ()
    fold.progress.enter(campaign.id, decided=False)
    fold.progress.drop(key(campaign.id, ENTRY))
    state, event_id = replay(campaign.program, None, None, history, fold.position.at)
    decisive = next((event for event in history if event.id == event_id), None)
    fold.keep_entry(campaign, state, fold.position.at, decisive)


def refold(
    fold: Fold, late: Sequence[Event], offers: Sequence[UserOfferRow], caught_up: frozenset[int] = frozenset()
) -> list[Late]:
    """Put events in their place among those that were read before: undecided conditions are folded anew.

    What has been decided stands; where the events would have changed it, the answer says so.

    Args:
        fold: its history includes the events.
        late: events that sort before the fold's position.
        offers: all user offers of the user.
        caught_up: campaigns whose entry conditions this fold has read with the events in their place.
    """
    revisions: list[Late] = []
    names = {event.name for event in late}
    # Before anything is folded anew, which may end the round that is open.
    rounds = {
        campaign.id: late_in_rounds(fold, campaign, late)
        for campaign in fold.catalogue.recurring
        if campaign.id not in caught_up
    }
    conditions = fold.catalogue.entry_conditions
    listening = 0
    for name in names:
        listening |= conditions.listening(name)
    for row in offers:
        campaign = fold.catalogue.campaigns[row.campaign]
        offer = fold.catalogue.offer_versions[row.offer, row.offer_version]
        if not offer.names & names:
            continue
        start = Position(row.made_at, row.start_order, row.start_id)
        if row.status in ("active", HELD_OUT):
            _replay_active(fold, campaign, offer, row, start)
        elif row.status in ("earned", "expired"):
            revisions += revisions_of(fold, campaign.name, offer.program_in(campaign.zone), start, row.ends_at, late)
    for campaign in fold.catalogue.entries:
        if campaign.id in caught_up:
            continue
        if campaign.recurs:
            told = {(one.event_id, one.campaign) for one in revisions}
            revisions += [one for one in rounds[campaign.id] if (one.event_id, one.campaign) not in told]
            if campaign.program.names & names and (failed := fold.failed_cycle(campaign)):
                revisions += revisions_of(fold, campaign.name, campaign.program, failed.after, None, late)
            elif campaign.program.names & names:
                fold.refold_cycle(campaign)
        elif listening >> campaign.id & 1:
            if fold.progress.entered >> campaign.id & 1:
                revisions += revisions_of(fold, campaign.name, campaign.program, None, None, late)
            else:
                _replay_entry(fold, campaign)
    return revisions


def _replay_active(fold: Fold, campaign: Campaign, offer: Offer, row: UserOfferRow, start: Position) -> None:
    known = active.unpack(fold.progress.get(key(campaign.id, ACTIVE)) or b"")
    one = next((one for one in known if one.entry == row.entry), None)
    if one is not None:
        program = offer.program_in(campaign.zone)
        state, event_id = replay(program, start, row.ends_at, fold.history or (), fold.position.at)
        fold.replace(campaign, one, state, event_id)


def revisions_of(
    fold: Fold,
    campaign: str,
    program: Program,
    start: Position | None,
    ends_at: int | None,
    late: Iterable[Event],
) -> list[Late]:
    """The events that would have changed what was decided, had they come in time."""
    history = fold.history or ()
    ids = {event.id for event in late}
    timely = [event for event in history if event.id not in ids]
    until = fold.position.at
    decided, _ = replay(program, start, ends_at, timely, until)
    corrected, _ = replay(program, start, ends_at, history, until)
    if decided.status == corrected.status:
        return []
    return [
        Late(fold.row.user, event.id, campaign, _WORDS[decided.status], _WORDS[corrected.status])
        for event in late
        if event.name in program.names
    ]
