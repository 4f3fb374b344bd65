"""Bringing many definitions into force together: all of them, under one epoch, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from rewardkit.core.deciding.context import Context
from rewardkit.core.drafts.defining import define_condition, define_offer, define_reward
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.entrance.campaign_kinds import define_campaign, launch_campaign
from rewardkit.core.pools.commands import DefinePool
from rewardkit.core.promotions.commands import DefinePromotion
from rewardkit.core.promotions.defining import define_promotion
from rewardkit.core.referrals.commands import DefineReferralProgram
from rewardkit.core.referrals.defining import define_referral_program
from rewardkit.core.requests.answers import CampaignState, Defined, PoolDefined
from rewardkit.core.requests.commands import (
    Command,
    DefineCampaign,
    DefineCondition,
    DefineOffer,
    DefineReward,
    LaunchCampaign,
)
from rewardkit.errors import RewardKitError, ValidationError

Definition: TypeAlias = (
    DefinePool
    | DefineReward
    | DefineCondition
    | DefineOffer
    | DefineReferralProgram
    | DefineCampaign
    | DefinePromotion
    | LaunchCampaign
)
"""What can be loaded together with others."""

Definer: TypeAlias = Callable[[Any, Draft, Context], Any]
"""Adds to a draft what a command defines, and gives its answer."""


def _define_pool(command: DefinePool, draft: Draft, _context: Context) -> PoolDefined:
    """Decided with the draft, since it has to ask."""
    return draft.pool(command.name)


DEFINERS: Final[Mapping[type[Command[Any]], Definer]] = {
    DefinePool: _define_pool,
    DefineReward: define_reward,
    DefineCondition: define_condition,
    DefineOffer: define_offer,
    DefineReferralProgram: define_referral_program,
    DefineCampaign: define_campaign,
    DefinePromotion: define_promotion,
    LaunchCampaign: launch_campaign,
}


@attrs.frozen
class LoadDefinitions(Command[tuple[Defined | PoolDefined | CampaignState, ...]]):
    """Carry out definitions in their order, each on top of those before it, all or nothing.

    Answers what each of them answers.
    """

    definitions: tuple[Definition, ...]


class DefinitionError(RewardKitError):
    """One of the definitions cannot be made, so none was.

    Args:
        index: which, from 0.
        cause: why.
    """

    def __init__(self, index: int, cause: RewardKitError) -> None:
        self.index = index
        self.cause = cause
        super().__init__(f"definition {index}: {cause}")


def load_definitions(
    command: LoadDefinitions, draft: Draft, context: Context
) -> tuple[Defined | PoolDefined | CampaignState, ...]:
    """Decide each as if those before it were in force.

    Raises:
        ValidationError: something in the list is not a definition.
        DefinitionError: one of them is refused or cannot be meant.
    """
    answers = []
    for index, definition in enumerate(command.definitions):
        definer = DEFINERS.get(type(definition))
        if definer is None:
            raise ValidationError(f"`{type(definition).__name__}` is not a definition")
        try:
            answers.append(definer(definition, draft, context))
        except RewardKitError as error:
            raise DefinitionError(index, error) from error
    return tuple(answers)
