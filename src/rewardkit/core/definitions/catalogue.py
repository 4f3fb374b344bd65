"""All definitions of a tenant, indexed for deciding: which campaigns and offers listen to which event."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from operator import itemgetter

import attrs

from rewardkit.core.definitions.audience import Audience
from rewardkit.core.definitions.budget import cost_of
from rewardkit.core.definitions.campaign import CAMPAIGN, Campaign, campaign_of
from rewardkit.core.definitions.entries import Entries
from rewardkit.core.definitions.listeners import Listeners, listeners
from rewardkit.core.definitions.offer import CONDITION, OFFER, PROMOTION, REWARD, Offer, offer_of, reward_of
from rewardkit.core.definitions.promotion import Promotion
from rewardkit.core.definitions.referral_campaign import REFERRAL_CAMPAIGN, referral_campaign_of
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.core.definitions.referral_register import EMPTY as NO_REFERRALS
from rewardkit.core.definitions.referral_register import Register
from rewardkit.core.requests.records import Reward
from rewardkit.core.storing.needs import DefinitionSet
from rewardkit.core.storing.progress import ACTIVE, key
from rewardkit.core.values.payload import read
from rewardkit.language.folding.program import SATISFIED
from rewardkit.language.planning.names import Everything, together

_MOST_STEPS = 65_536
"""That are remembered: a dozen megabytes at most; beyond them steps are taken the ordinary way."""


@attrs.frozen(slots=False)
class Catalogue:
    """The definitions up to one epoch. Immutable; a new epoch makes a new one."""

    epoch: int = 0
    fingerprint: int = 0
    last_number: int = 0
    rewards: Mapping[str, Reward] = attrs.field(factory=dict)
    """Newest versions, by name; the same below."""
    conditions: Mapping[str, tuple[int, str]] = attrs.field(factory=dict)
    """Name → version and canonical text."""
    offers: Mapping[str, Offer] = attrs.field(factory=dict)
    campaigns: Mapping[str, Campaign] = attrs.field(factory=dict)
    reward_versions: Mapping[tuple[str, int], Reward] = attrs.field(factory=dict)
    offer_versions: Mapping[tuple[str, int], Offer] = attrs.field(factory=dict)
    offers_by_number: Mapping[int, Offer] = attrs.field(factory=dict)
    campaigns_by_id: Mapping[int, Campaign] = attrs.field(factory=dict)
    campaign_versions: Mapping[tuple[str, int], Campaign] = attrs.field(factory=dict)
    offer_names: Mapping[int, frozenset[str]] = attrs.field(factory=dict)
    """Campaign id → the offers that any of its versions has made."""
    referrals: Register = NO_REFERRALS
    promotions: Mapping[int, Promotion] = attrs.field(factory=dict)
    """Pool id → what follows where one of its codes is entered."""
    audiences: Mapping[tuple[str, str], Audience] = attrs.field(factory=dict)
    """By canonical text and zone: those of all campaigns that were launched, and conditions on their senders."""

    @classmethod
    def of(cls, found: DefinitionSet) -> Catalogue:
        """The catalogue of stored definitions."""
        return EMPTY.extended(found)

    def extended(self, found: DefinitionSet) -> Catalogue:
        """This catalogue with newer definitions on top, in the order of their numbers, up to their epoch."""
        rewards = dict(self.rewards)
        conditions = dict(self.conditions)
        offers = dict(self.offers)
        campaigns = dict(self.campaigns)
        reward_versions = dict(self.reward_versions)
        offer_versions = dict(self.offer_versions)
        offers_by_number = dict(self.offers_by_number)
        campaigns_by_id = dict(self.campaigns_by_id)
        campaign_versions = dict(self.campaign_versions)
        offer_names = dict(self.offer_names)
        promotions = dict(self.promotions)
        audiences = dict(self.audiences)
        for row in found.rows:
            if row.kind == REWARD:
                rewards[row.name] = reward_versions[row.name, row.version] = reward_of(row)
            elif row.kind == CONDITION:
                conditions[row.name] = (row.version, read(row.body, "condition")["condition"])
            elif row.kind == PROMOTION:
                promotions[int(row.name)] = Promotion.of(row.version, read(row.body, "promotion"))
            elif row.kind == OFFER:
                offer = offer_of(row)
                offers[row.name] = offer_versions[row.name, row.version] = offers_by_number[row.number] = offer
            elif row.kind == CAMPAIGN:
                known = campaigns.get(row.name)
                campaign = campaign_of(row, len(campaigns) if known is None else known.id)
                unchanged = known is not None and known.entry_terms == campaign.entry_terms
                campaign = attrs.evolve(campaign, entry_epoch=known.entry_epoch if known and unchanged else row.epoch)
                if campaign.audience is not None and campaign.launched_at is not None:
                    place = campaign.audience, campaign.zone
                    audiences.setdefault(place, Audience(len(audiences), *place, row.epoch))
                campaigns[row.name] = campaigns_by_id[campaign.id] = campaign_versions[row.name, row.version] = campaign
                offer_names[campaign.id] = offer_names.get(campaign.id, frozenset()) | campaign.offers
            elif row.kind == REFERRAL_CAMPAIGN:
                terms = referral_campaign_of(row, 0)
                if terms.sender is not None and terms.launched_at is not None:
                    place = terms.sender, terms.zone
                    audiences.setdefault(place, Audience(len(audiences), *place, row.epoch))
        return Catalogue(
            epoch=found.epoch,
            fingerprint=found.fingerprint,
            last_number=max((row.number for row in found.rows), default=self.last_number),
            rewards=rewards,
            conditions=conditions,
            offers=offers,
            campaigns=campaigns,
            reward_versions=reward_versions,
            offer_versions=offer_versions,
            offers_by_number=offers_by_number,
            campaigns_by_id=campaigns_by_id,
            campaign_versions=campaign_versions,
            offer_names=offer_names,
            promotions=promotions,
            referrals=self.referrals.extended(found.rows),
            audiences=audiences,
        )

    @cached_property
    def entries(self) -> tuple[Campaign, ...]:
        """Campaigns that have been launched and make offers by an entry condition."""
        return tuple(
            campaign
            for campaign in self.campaigns.values()
            if campaign.launched_at is not None and campaign.entry is not None
        )

    @cached_property
    def entry_conditions(self) -> Entries:
        """The conditions of those that users enter once, to be folded as one."""
        return Entries([campaign for campaign in self.entries if not campaign.recurs])

    @cached_property
    def recurring(self) -> tuple[Campaign, ...]:
        """Those whose entry condition may begin anew for a user."""
        return tuple(campaign for campaign in self.entries if campaign.recurs)

    @cached_property
    def recurring_listeners(self) -> Listeners[Campaign]:
        """The same, by the events that they listen to."""
        return listeners((campaign, campaign.program.names) for campaign in self.recurring)

    @cached_property
    def audiences_by_number(self) -> Mapping[int, Audience]:
        """Audiences as users' rows refer to them."""
        return {audience.number: audience for audience in self.audiences.values()}

    @cached_property
    def audience_listeners(self) -> Listeners[Audience]:
        """Audiences by the events that they listen to."""
        return listeners((audience, audience.program.names) for audience in self.audiences.values())

    @cached_property
    def audiences_since(self) -> int:
        """The epoch of the newest audience: older rows do not know it."""
        return max((audience.epoch for audience in self.audiences.values()), default=0)

    @cached_property
    def slot_listeners(self) -> Listeners[int]:
        """The slots of the campaigns with an offer, and of the referral programs, that listen to an event, by its name.

        All versions of them listen.
        """
        by_offer: dict[str, frozenset[str]] = {}
        for offer in self.offer_versions.values():
            by_offer[offer.name] = together((by_offer.get(offer.name, frozenset()), offer.names))
        offers = [
            (key(campaign.id, ACTIVE), together(by_offer[offer] for offer in self.offer_names[campaign.id]))
            for campaign in self.campaigns.values()
        ]
        return listeners([*offers, *self.referrals.heard])

    @cached_property
    def open_at_once(self) -> tuple[Campaign, ...]:
        """Campaigns whose entry condition holds before anything has happened."""
        return tuple(campaign for campaign in self.entries if campaign.opening.status == SATISFIED)

    @cached_property
    def heard(self) -> frozenset[str]:
        """The names of the events that some offer or referral program listens to."""
        programs = (names for _, names in self.referrals.heard)
        return together((*(offer.names for offer in self.offer_versions.values()), *programs))

    @cached_property
    def heard_since(self) -> int:
        """The newest epoch at which something began to listen to a name: older rows have passed its events over."""
        found: dict[str, int] = {}
        everything: int | None = None
        heard = [(offer.epoch, offer.names) for offer in self.offer_versions.values()]
        heard += [(program.epoch, program.folding.names) for program in self.referrals.program_versions.values()]
        for epoch, names in sorted(heard, key=itemgetter(0)):
            if everything is None and isinstance(names, Everything):
                everything = epoch
            for name in names if everything is None else ():
                found.setdefault(name, epoch)
        return max((*found.values(), everything or 0), default=0)

    @cached_property
    def steps(self) -> dict[tuple[int, bytes, str], bytes]:
        """What a slot's payload becomes by an event's name, where it depends on nothing else; see `remember`."""
        return {}

    def remember(self, slot: int, payload: bytes, name: str, after: bytes) -> None:
        """Keep a step that is the same for every user, so that the commonest fold is one look-up."""
        if len(self.steps) < _MOST_STEPS:
            self.steps[slot, payload, name] = after

    def cost(self, offer: Offer) -> int:
        """What an offer's reward costs, in ten-thousandths."""
        return cost_of(self.reward_versions[offer.reward, offer.reward_version])

    def referral_costs(self, program: ReferralProgram) -> tuple[int, int]:
        """What the sender's and the recipient's reward of a version of a program cost."""
        sender, recipient = self.referral_rewards(program)
        return cost_of(sender), cost_of(recipient)

    def referral_rewards(self, program: ReferralProgram) -> tuple[Reward, Reward]:
        """The sender's and the recipient's reward of a version of a program."""
        rewards = self.reward_versions
        return (
            rewards[program.sender_reward, program.sender_reward_version],
            rewards[program.recipient_reward, program.recipient_reward_version],
        )

    def by_code(self, code: str) -> Campaign | None:
        """The campaign that has this offer code."""
        return self._codes.get(code.upper()) if code.isascii() else None

    @cached_property
    def _codes(self) -> Mapping[str, Campaign]:
        return {campaign.code: campaign for campaign in self.campaigns.values() if campaign.code is not None}


EMPTY = Catalogue()
