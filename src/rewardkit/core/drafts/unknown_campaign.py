"""The refusal of a campaign that there is not, or that is of the other kind."""

from __future__ import annotations

from typing import Final

from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.drafts.defining import unknown
from rewardkit.core.values.input import show
from rewardkit.errors import Refused

OF_OFFERS: Final = "one of offers"
OF_REFERRALS: Final = "one of referrals"


def other_kind(name: str, kind: str, instead: str) -> Refused:
    """The refusal of a campaign of the other kind, with what to do."""
    return Refused("campaign_of_other_kind", f"campaign `{show(name)}` is {kind}: {instead}", {"name": name})


def unknown_campaign(name: str, catalogue: Catalogue) -> Refused:
    """The refusal of a name that no campaign of either kind has."""
    register = catalogue.referrals
    refused = unknown("campaign", name, {**catalogue.campaigns, **register.campaigns})
    for kind, names in (("a referral program", register.programs), ("an offer", catalogue.offers)):
        if name in names:
            sentence = f"`{show(name)}` is {kind} and no campaign: name a campaign"
            return Refused("campaign_unknown", sentence, refused.facts)
    return refused


def no_offer_campaign(name: str, catalogue: Catalogue, instead: str) -> Refused:
    """The refusal where a campaign of offers is asked for, and this is none."""
    if name in catalogue.referrals.campaigns:
        return other_kind(name, OF_REFERRALS, instead)
    return unknown_campaign(name, catalogue)


def no_referral_campaign(name: str, catalogue: Catalogue, instead: str) -> Refused:
    """The refusal where a campaign of referrals is asked for, and this is none."""
    return other_kind(name, OF_OFFERS, instead) if name in catalogue.campaigns else unknown_campaign(name, catalogue)
