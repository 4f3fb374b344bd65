"""The places of referral campaigns under their caps: looked at, taken at a recipient's entry, and given back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.campaign_terms import next_period
from rewardkit.core.definitions.entry_places import place_counter, place_counters, together, unit_of
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.referrals.queries import CapUse
from rewardkit.core.storing.needs import Claim, Claims, Counters, ask


def uses_of(campaigns: Iterable[ReferralCampaign], at: int) -> Deciding[dict[str, tuple[CapUse, ...]]]:
    """What is taken of each campaign's caps, by its name, as it was committed."""
    limits = {one.name: one.limits(at) for one in campaigns}
    names = {place_counter(name, place) for name, places in limits.items() for place in places}
    rows = (yield from ask(Counters(tuple(sorted(names))))) if names else ()
    taken = {row.name: row.reserved + row.confirmed for row in rows}
    return {
        name: tuple(
            CapUse(unit_of(place), cap, taken.get(place_counter(name, place), 0)) for place, cap in places.items()
        )
        for name, places in limits.items()
    }


def full_until(
    campaigns: Iterable[ReferralCampaign], uses: Mapping[str, Sequence[CapUse]], at: int
) -> dict[str, int | None]:
    """The campaigns that have no place left, each with the instant of its next one; None where time brings none."""
    found: dict[str, int | None] = {}
    for campaign in campaigns:
        units = [use.unit for use in uses[campaign.name] if use.is_full]
        if units:
            found[campaign.name] = None if "" in units else max(next_period(at, one, campaign.zone) for one in units)
    return found


@attrs.frozen
class Taken:
    """What an entry took."""

    number: int
    """Of the campaign, in the order in which they were tried."""
    places: str
    """Under all of its caps, put together; empty where it has none."""


def take(campaigns: Sequence[ReferralCampaign | None], at: int) -> Deciding[Taken | None]:
    """A place under all caps of the first campaign that has one left under each; None where none has.

    All are asked at once, and what is not needed is given back: who asked one after the other would wait in a circle
    for who asks in another order.

    Args:
        campaigns: at least one; None has no caps.
        at: when the recipient enters.
    """
    limits = [{} if one is None else one.limits(at) for one in campaigns]
    if not limits[0]:
        return Taken(0, "")
    counters = [
        [place_counter("" if one is None else one.name, place) for place in places]
        for one, places in zip(campaigns, limits, strict=True)
    ]
    caps = {
        name: cap
        for names, places in zip(counters, limits, strict=True)
        for name, cap in zip(names, places.values(), strict=True)
    }
    claims = tuple(Claim(name, caps[name], 1, 0, 0) for name in sorted(caps))
    granted = yield from ask(Claims(claims))
    had = {claim.name for claim, amount in zip(claims, granted, strict=True) if amount}
    number = next((number for number, names in enumerate(counters) if had.issuperset(names)), None)
    yield from _release(had.difference(() if number is None else counters[number]))
    return None if number is None else Taken(number, together(limits[number]))


def give_back(campaign: ReferralCampaign | None, taken: Taken) -> Deciding[None]:
    """Undo a taking in its own transaction."""
    yield from _release(() if campaign is None else place_counters(campaign.name, taken.places))


def _release(names: Iterable[str]) -> Deciding[None]:
    claims = tuple(Claim(name, 0, 0, 0, 1) for name in sorted(names))
    if claims:
        yield from ask(Claims(claims))
