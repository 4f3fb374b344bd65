"""From what users' folds came to, to what is written: caps are asked, then all becomes rows."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.members import event_of
from rewardkit.core.grants.gates import pass_on
from rewardkit.core.grants.supplying import Supply
from rewardkit.core.settling.claiming import claim
from rewardkit.core.settling.offer_writing import OfferWriter
from rewardkit.core.settling.referral_places import ReferralPlaces
from rewardkit.core.settling.referral_writing import ReferralWriter
from rewardkit.core.settling.settled import Settled
from rewardkit.core.storing.needs import Histories, ask


def settle(
    context: Context, catalogue: Catalogue, folds: Sequence[Fold], supply: Supply | None = None
) -> Deciding[Settled]:
    """Ask the caps of all that the folds made and ended, and write down what stands; `supply` as in `pass_on`."""
    yield from _claim(folds, ReferralPlaces(catalogue, folds))
    settled = Settled()
    offers = OfferWriter(context, settled)
    referrals = ReferralWriter(context, settled)
    for fold in folds:
        for making in fold.makings:
            offers.made(making)
        for ending in fold.endings:
            offers.ended(fold.row.user, ending)
        referrals.write(fold)
    passed = yield from pass_on(context, catalogue, settled.grants, "earn", unfunded=settled.unfunded, supply=supply)
    settled.grants, settled.steps = passed.rows, passed.steps
    settled.notices += passed.notices
    settled.supplied = passed.supplied
    return settled


def _claim(folds: Sequence[Fold], places: ReferralPlaces) -> Deciding[None]:
    """Ask for the places of all that was made; what earning them has begin anew may make more."""
    yield from claim(folds, places)
    while waiting := [fold for fold in folds if fold.waits_for_places]:
        unread = tuple(fold.row.user for fold in waiting if fold.history is None)
        histories = (yield from ask(Histories(unread))) if unread else {}
        for fold in waiting:
            if fold.history is None:
                known = map(event_of, histories.get(fold.row.user, ()))
                fold.history = [event for event in known if event.position <= fold.position]
            fold.go_on()
        yield from claim(waiting)
