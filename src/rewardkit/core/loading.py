"""Bringing many definitions into force together: all of them, under one epoch, or none."""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs

from rewardkit.core.answers import CampaignState, Defined
from rewardkit.core.campaigning import define_campaign, launch_campaign
from rewardkit.core.commands import (
    Command,
    DefineCampaign,
    DefineCondition,
    DefineOffer,
    DefineReward,
    LaunchCampaign,
)
from rewardkit.core.context import Context, Deciding, Decision
from rewardkit.core.defining import define_condition, define_offer, define_reward
from rewardkit.core.effects import Insert, Publish
from rewardkit.core.needs import Definitions, DefinitionSet, ask
from rewardkit.core.rows import DefinitionRow
from rewardkit.errors import Refused, RewardKitError, ValidationError

Definition: TypeAlias = DefineReward | DefineCondition | DefineOffer | DefineCampaign | LaunchCampaign
"""What can be loaded together with others."""

_DECIDERS: dict[type[Command[Any]], Any] = {
    DefineReward: define_reward,
    DefineCondition: define_condition,
    DefineOffer: define_offer,
    DefineCampaign: define_campaign,
    LaunchCampaign: launch_campaign,
}


@attrs.frozen
class LoadDefinitions(Command[tuple[Defined | CampaignState, ...]]):
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
    command: LoadDefinitions, context: Context
) -> Deciding[Decision[tuple[Defined | CampaignState, ...]]]:
    """Decide each as if those before it were in force, and publish what is new under one epoch.

    Raises:
        ValidationError: something in the list is not a definition.
        DefinitionError: one of them is refused or cannot be meant.
    """
    for definition in command.definitions:
        if type(definition) not in _DECIDERS:
            raise ValidationError(f"`{type(definition).__name__}` is not a definition")
    stored = yield from ask(Definitions(lock=True))
    known = stored
    answers = []
    for index, definition in enumerate(command.definitions):
        try:
            decision = yield from _decided(definition, context, known)
        except RewardKitError as error:
            raise DefinitionError(index, error) from error
        if isinstance(decision.answer, Refused):
            raise DefinitionError(index, decision.answer)
        answers.append(decision.answer)
        known = _with(known, decision)
    new = known.rows[len(stored.rows) :]
    effects = (Insert(new), Publish(stored.epoch + 1, known.fingerprint)) if new else ()
    return Decision(tuple(answers), effects)


def _decided(definition: Definition, context: Context, known: DefinitionSet) -> Deciding[Decision[Any]]:
    """One definition's decision, which is told that `known` is in force; other needs go to the store."""
    deciding: Deciding[Decision[Any]] = _DECIDERS[type(definition)](definition, context)
    answer: Any = None
    while True:
        try:
            need = deciding.send(answer)
        except StopIteration as stop:
            decision: Decision[Any] = stop.value
            return decision
        answer = known if isinstance(need, Definitions) else (yield need)


def _with(known: DefinitionSet, decision: Decision[Any]) -> DefinitionSet:
    rows: tuple[DefinitionRow, ...] = known.rows
    fingerprint = known.fingerprint
    for effect in decision.effects:
        if isinstance(effect, Publish):
            fingerprint = effect.fingerprint
        elif isinstance(effect, Insert):
            rows = (*rows, *(row for row in effect.rows if isinstance(row, DefinitionRow)))
    return DefinitionSet(known.epoch, fingerprint, rows)
