"""What referrals take of their campaigns' limits: looked at, taken at a recipient's entry, and given back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.budget import money
from rewardkit.core.definitions.campaign_terms import next_period
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.entry_places import Held, all_held, held_of, place_counter, together, unit_of
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.core.referrals.choosing import Terms
from rewardkit.core.referrals.queries import BudgetUse, CapUse, LimitsUse
from rewardkit.core.storing.needs import Claim, Claims, Counters, ask
from rewardkit.core.storing.rows import CounterRow


def uses_of(
    offered: Iterable[tuple[ReferralCampaign, ReferralProgram]], catalogue: Catalogue, at: int
) -> Deciding[dict[str, LimitsUse]]:
    """What is taken of each campaign's limits, by its name, as it was committed.

    Args:
        offered: campaigns, each with the program by which the next referral would be made.
        catalogue: knows what rewards cost.
        at: in whose periods.
    """
    found = tuple(offered)
    names = {place_counter(one.name, place) for one, _ in found for place in one.caps_at(at)}
    names |= {one.budget_counter for one, _ in found if one.budget is not None}
    rows = (yield from ask(Counters(tuple(sorted(names))))) if names else ()
    counters = {row.name: row for row in rows}
    return {one.name: _use(one, sum(catalogue.referral_costs(program)), counters, at) for one, program in found}


def _use(campaign: ReferralCampaign, cost: int, counters: Mapping[str, CounterRow], at: int) -> LimitsUse:
    def taken(name: str) -> tuple[int, int]:
        row = counters.get(name)
        return (0, 0) if row is None else (row.reserved, row.confirmed)

    caps = tuple(
        CapUse(unit_of(place), cap, sum(taken(place_counter(campaign.name, place))))
        for place, cap in campaign.caps_at(at).items()
    )
    if campaign.budget is None:
        return LimitsUse(caps)
    committed, spent = map(money, taken(campaign.budget_counter))
    return LimitsUse(caps, BudgetUse(money(campaign.money), spent, committed, money(cost), campaign.at_exhaustion))


def full_until(campaigns: Iterable[ReferralCampaign], uses: Mapping[str, LimitsUse], at: int) -> dict[str, int | None]:
    """The campaigns that have no place left, each with the instant of its next one; None where time brings none."""
    found: dict[str, int | None] = {}
    for campaign in campaigns:
        use = uses[campaign.name]
        units = [one.unit for one in use.caps if one.is_full]
        if "" in units or (use.budget is not None and use.budget.is_full):
            found[campaign.name] = None
        elif units:
            found[campaign.name] = max(next_period(at, one, campaign.zone) for one in units)
    return found


@attrs.frozen
class Taken:
    """What an entry took."""

    number: int
    """Of the terms, in the order in which they were tried."""
    places: str
    """Under all limits of their campaign, put together; empty where it has none."""


def take(turns: Sequence[Terms], catalogue: Catalogue, at: int) -> Deciding[Taken | None]:
    """A place under all limits of the first terms whose campaign has one left under each; None where none has.

    All are asked at once, and what is not needed is given back: who asked one after the other would wait in a circle
    for who asks in another order.

    Args:
        turns: at least one; without a campaign they have no limits.
        catalogue: knows what rewards cost.
        at: when the recipient enters.
    """
    limits = [_limits(one, catalogue, at) for one in turns]
    if not limits[0]:
        return Taken(0, "")
    claims: dict[str, Claim] = {}
    wanted: list[tuple[Held, ...]] = []
    for terms, places in zip(turns, limits, strict=True):
        name = "" if terms.campaign is None else terms.campaign.name
        wanted.append(tuple(held_of(name, place) for place in places))
        for held, cap in zip(wanted[-1], places.values(), strict=True):
            claims[held.counter] = Claim(held.counter, cap, held.always + held.of_sender, 0, 0)
    asked = tuple(claims[name] for name in sorted(claims))
    granted = yield from ask(Claims(asked))
    had = {claim.name: amount for claim, amount in zip(asked, granted, strict=True)}
    whole = {name for name, amount in had.items() if amount == claims[name].want}
    number = next((number for number, one in enumerate(wanted) if whole.issuperset(held.counter for held in one)), None)
    kept = set() if number is None else {held.counter for held in wanted[number]}
    yield from _release({name: amount for name, amount in had.items() if name not in kept})
    return None if number is None else Taken(number, together(limits[number]))


def _limits(terms: Terms, catalogue: Catalogue, at: int) -> dict[str, int]:
    if terms.campaign is None:
        return {}
    return terms.campaign.limits(at, catalogue.referral_costs(terms.program))


def give_back(campaign: ReferralCampaign | None, taken: Taken) -> Deciding[None]:
    """Undo a taking in its own transaction."""
    held = () if campaign is None else all_held(campaign.name, taken.places)
    yield from _release({one.counter: one.always + one.of_sender for one in held})


def _release(amounts: Mapping[str, int]) -> Deciding[None]:
    claims = tuple(Claim(name, 0, 0, 0, amounts[name]) for name in sorted(amounts) if amounts[name])
    if claims:
        yield from ask(Claims(claims))
