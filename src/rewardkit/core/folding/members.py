"""Folding many users: quickly where their packed rows are enough, from stored history where they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.reading import HistoryNeeded
from rewardkit.core.folding.referral_refolding import refold_referrals
from rewardkit.core.folding.refold import catch_up, forget_gone_entries, forget_old_timers, is_stale, refold
from rewardkit.core.requests.answers import Late
from rewardkit.core.storing.needs import Histories, ListUserOffers, ask
from rewardkit.core.storing.referral_needs import ReferralsInto
from rewardkit.core.storing.rows import EventRow, MemberRow, UserOfferRow
from rewardkit.core.values import limits, payload
from rewardkit.language.event import Event, Position

_NONE: tuple[Event, ...] = ()


@attrs.frozen
class Folded:
    """The users' folds, in user order, and the events that came too late."""

    folds: tuple[Fold, ...]
    late: tuple[Late, ...] = ()


def fold_members(
    catalogue: Catalogue, rows: Sequence[MemberRow], fresh: Mapping[str, Sequence[Event]], until: int | None = None
) -> Deciding[Folded]:
    """Fold fresh events, each user's in total order, over the users' rows; then read on to `until`, if it is given."""
    folds: dict[str, Fold] = {}
    slow = []
    for row in rows:
        try:
            folds[row.user] = _fold_quickly(catalogue, row, fresh.get(row.user, _NONE), until)
        except HistoryNeeded:
            slow.append(row)
    late: list[Late] = []
    if slow:
        histories = yield from ask(Histories(tuple(row.user for row in slow)))
        for row in slow:
            events = fresh.get(row.user, _NONE)
            known = tuple(event_of(stored) for stored in histories.get(row.user, ()))
            folds[row.user], revisions = yield from fold_from_history(catalogue, row, events, known, until)
            late += revisions
    return Folded(tuple(folds[row.user] for row in rows), tuple(late))


def _fold_quickly(catalogue: Catalogue, row: MemberRow, events: Sequence[Event], until: int | None) -> Fold:
    fold = Fold(catalogue, row)
    if is_stale(fold) or fold.is_outdated or any(_is_behind(fold, event) for event in events):
        raise HistoryNeeded
    forget_gone_entries(fold)
    fold.open_entries()
    for event in events:
        fold.event(event)
    if until is not None:
        fold.advance(until)
    return fold


def _is_behind(fold: Fold, event: Event) -> bool:
    """Whether an event that something listens to sorts before what has been read."""
    if event.at > fold.position.at or event.position > fold.position:
        return False
    catalogue = fold.catalogue
    return bool(
        catalogue.entry_conditions.listening(event.name)
        or catalogue.slot_listeners.to(event.name)
        or catalogue.recurring_listeners.to(event.name)
        or catalogue.audience_listeners.to(event.name)
    )


def fold_from_history(
    catalogue: Catalogue, row: MemberRow, fresh: Sequence[Event], known: Sequence[Event], until: int | None
) -> Deciding[tuple[Fold, list[Late]]]:
    """Fold a user whose stored events, the fresh ones included, have been read."""
    new_ids = {event.id for event in fresh}
    reached = Position(row.at, row.order, row.id)
    for event in known:
        if event.id not in new_ids:
            reached = max(reached, event.position)
    fold = Fold(catalogue, row, tuple(event for event in known if event.position <= reached))
    forget_old_timers(fold)
    forget_gone_entries(fold)
    fold.advance(reached.at)
    fold.position = reached = max(reached, fold.position)
    caught_up = catch_up(fold)
    fold.open_entries()
    late: list[Late] = []
    behind = [event for event in fresh if event.position <= reached]
    if behind:
        offers = yield from _all_user_offers(row.user)
        late = refold(fold, behind, offers, caught_up)
        if catalogue.referrals.programs:
            late += refold_referrals(fold, behind, (yield from ask(ReferralsInto((row.user,)))))
    fold.open_cycles()
    fold.recount()
    fold.recount_audiences()
    for event in fresh:
        if event.position > reached:
            fold.event(event)
    if until is not None:
        fold.advance(until)
    return fold, late


def fold_with_history(catalogue: Catalogue, row: MemberRow, until: int) -> Deciding[Fold]:
    """Fold a user from her stored events, for what needs them."""
    fold, _ = yield from fold_from_history(catalogue, row, (), (yield from known_events(row.user)), until)
    return fold


def known_events(user: str) -> Deciding[tuple[Event, ...]]:
    """A user's stored events, in total order."""
    histories = yield from ask(Histories((user,)))
    return tuple(event_of(stored) for stored in histories.get(user, ()))


def _all_user_offers(user: str) -> Deciding[list[UserOfferRow]]:
    found: list[UserOfferRow] = []
    after: tuple[int, str] | None = None
    while True:
        page = yield from ask(ListUserOffers(user, None, None, after, limits.PAGE_ROWS))
        found += page
        if len(page) < limits.PAGE_ROWS:
            return found
        after = (page[-1].made_at, page[-1].id)


def event_of(row: EventRow) -> Event:
    """The event of a row."""
    properties = payload.read(row.properties) if row.properties != "{}" else {}
    return Event(row.name, row.at, row.id, row.user, row.order, properties)
