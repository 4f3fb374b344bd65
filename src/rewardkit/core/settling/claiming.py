"""Asking for room under caps: for everything at once, in the order in which offers were made, all limits or none."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.making import Ending, Making
from rewardkit.core.settling.owed import Owed
from rewardkit.core.settling.referral_places import ReferralPlaces
from rewardkit.core.settling.wanted import Wanted
from rewardkit.core.storing.needs import Claim, Claims, ask
from rewardkit.core.storing.seen_needs import InForce
from rewardkit.errors import StoreError


def claim(folds: Sequence[Fold], places: ReferralPlaces | None = None) -> Deciding[None]:
    """First give back and confirm what ended, then reserve for what was made, in the order of its making.

    A making is denied where one of its limits has no room for it; what the others had for it is given back at once.
    What was earned is paid for from a budget that queues, in the order of its earning, or is told to be unfunded.
    """
    wanted: dict[str, Wanted] = {}
    if places is not None:
        places.want(wanted)
    owed: list[Owed] = []
    queue: list[tuple[Fold, Making, dict[str, int]]] = []
    for fold in folds:
        makings, endings = fold.unclaimed()
        for ending in endings:
            owed += _owed(fold, ending, wanted, held_out=ending.active.held_out)
            for name, amount in ending.campaign.amounts(ending.active.taking).items():
                wanted.setdefault(name, Wanted()).settle(amount, ending.outcome.status)
        for making in makings:
            owed += _owed(fold, making, wanted, held_out=making.held_out)
            amounts = making.campaign.amounts(making.taking)
            if not amounts:
                continue
            queue.append((fold, making, amounts))
            caps = making.campaign.limits(making.start.at)
            for name, amount in amounts.items():
                wanted.setdefault(name, Wanted()).ask(caps[name], amount)
    if not wanted:
        return
    left = yield from _ask(wanted)
    follow = {name: Wanted() for name in wanted}
    if places is not None:
        owed += places.share(left, follow)
    for fold, making, amounts in sorted(queue, key=lambda one: (one[1].start, one[1].user, one[1].entry)):
        full = next((name for name, amount in amounts.items() if left[name] < amount), None)
        if full is not None:
            fold.deny(making, full)
            continue
        for name, amount in amounts.items():
            left[name] -= amount
            if making.outcome is not None:
                follow[name].settle(amount, making.outcome.status)
    due = [one for one in sorted(owed, key=lambda one: one.place) if not one.is_denied]
    if not _pay(due, left, follow):
        yield from _require_in_force(folds[0].catalogue)
    for name, rest in left.items():
        follow[name].release += rest
    yield from _ask({name: counter for name, counter in follow.items() if counter.confirm or counter.release})


def _pay(owed: Sequence[Owed], left: dict[str, int], follow: dict[str, Wanted]) -> bool:
    """Pay what is owed from what is left, first come, first served; whether there was money for all of it."""
    for one in owed:
        one.reward.funded = left[one.counter] >= one.cost
        if one.reward.funded:
            left[one.counter] -= one.cost
            follow[one.counter].confirm += one.cost
    return all(one.reward.funded for one in owed)


def _require_in_force(catalogue: Catalogue) -> Deciding[None]:
    """Have all of it decided anew where definitions have changed since they were read.

    Whoever replenished a budget meanwhile found nobody waiting for it, and will not look again.

    Raises:
        StoreError: they have; the same call is made again.
    """
    if (yield from ask(InForce())) != (catalogue.epoch, catalogue.fingerprint):
        raise StoreError("definitions changed while a budget was asked for money; try again", transient=True)


def _owed(fold: Fold, ended: Making | Ending, wanted: dict[str, Wanted], *, held_out: bool) -> list[Owed]:
    """What has to be paid from a budget that queues, asked for."""
    campaign, outcome = ended.campaign, ended.outcome
    if outcome is None or outcome.status != "earned" or held_out or not campaign.queues:
        return []
    cost = fold.catalogue.cost(ended.offer)
    wanted.setdefault(campaign.budget_counter, Wanted()).ask(campaign.money, cost)
    return [Owed(outcome.at, fold.row.user, campaign.name, campaign.budget_counter, cost, ended)]


def _ask(wanted: dict[str, Wanted]) -> Deciding[dict[str, int]]:
    """How much of each counter was had."""
    if not wanted:
        return {}
    claims = tuple(
        Claim(name, counter.cap, counter.want, counter.confirm, counter.release)
        for name, counter in sorted(wanted.items())
    )
    granted = yield from ask(Claims(claims))
    return {claim.name: amount for claim, amount in zip(claims, granted, strict=True)}
