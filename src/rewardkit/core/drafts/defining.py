"""Defining rewards, conditions and offers: a changed meaning makes a new version, an unchanged one nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from unicodedata import is_normalized, normalize

import attrs

from rewardkit.core.deciding.context import Context
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.grant_terms import REVERSALS, REVIEWS, Terms, one_of
from rewardkit.core.definitions.offer import CONDITION, OFFER, REWARD, Offer, offer_body
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.drafts.following import follow_reward
from rewardkit.core.drafts.issues import read_issues
from rewardkit.core.requests.answers import Defined
from rewardkit.core.requests.commands import DefineCondition, DefineOffer, DefineReward
from rewardkit.core.requests.records import Reward
from rewardkit.core.values import payload
from rewardkit.core.values.input import mapping, show, text
from rewardkit.errors import Refused, ValidationError
from rewardkit.language.checks.check import Scope
from rewardkit.language.condition import Condition
from rewardkit.language.event import LATEST
from rewardkit.language.syntax.literal import read_elapsed
from rewardkit.language.syntax.suggestion import suggest

_ELAPSED = re.compile(r"(?:\d{1,9}(?:ms|s|m|h|d|w))+", re.ASCII)


def define_reward(command: DefineReward, draft: Draft, context: Context) -> Defined:
    """A new version where properties or issues differ; what names the reward gets one too, for what it makes next."""
    name = text(command.name, "a reward's name")
    properties = payload.write(mapping(command.properties, "properties"))
    issues = read_issues(command.issues, draft.pools)
    known = draft.catalogue.rewards.get(name)
    if known is not None and payload.write(known.properties) == properties and _issued(known) == issues:
        return Defined(REWARD, name, known.version, new=False)
    version = 1 if known is None else known.version + 1
    draft.add(REWARD, name, version, {"properties": payload.read(properties)} | ({"issues": issues} if issues else {}))
    for offer in tuple(draft.catalogue.offers.values()):
        if offer.reward == name:
            draft.add(OFFER, offer.name, offer.version + 1, offer_body(offer) | {"reward_version": version})
    follow_reward(name, version, draft)
    draft.require_costs()
    return Defined(REWARD, name, version, new=True)


def _issued(reward: Reward) -> dict[str, Any]:
    return {} if reward.issues is None else attrs.asdict(reward.issues)


def define_condition(command: DefineCondition, draft: Draft, context: Context) -> Defined:
    """A named condition, with the names inside it pinned to what they mean now."""
    name = text(command.name, "a condition's name")
    condition = read_condition(command.condition, draft.catalogue)
    known = draft.catalogue.conditions.get(name)
    if known is not None and known[1] == str(condition):
        return Defined(CONDITION, name, known[0], new=False)
    version = 1 if known is None else known[0] + 1
    draft.add(CONDITION, name, version, {"condition": str(condition), "source": command.condition})
    return Defined(CONDITION, name, version, new=True)


def define_offer(command: DefineOffer, draft: Draft, context: Context) -> Defined:
    """A new version where reward, condition, time to live or the terms of its grants differ."""
    name = text(command.name, "an offer's name")
    reward_name = text(command.reward, "a reward's name")
    expires_after = None if command.expires_after is None else elapsed(command.expires_after, "expires_after")
    reward = draft.catalogue.rewards.get(reward_name)
    if reward is None:
        raise unknown("reward", reward_name, draft.catalogue.rewards)
    condition = read_condition(command.condition, draft.catalogue)
    require_acknowledged(condition, "start", command.acknowledge)
    known = draft.catalogue.offers.get(name)
    offer = Offer(
        name=name,
        version=1 if known is None else known.version + 1,
        number=0,
        epoch=0,
        reward=reward.name,
        reward_version=reward.version,
        condition=str(condition),
        source=command.condition,
        expires_after=expires_after,
        **attrs.asdict(read_terms(command)),
    )
    if known is not None and _meaning(offer) == _meaning(known):
        return Defined(OFFER, name, known.version, new=False)
    draft.add(OFFER, name, offer.version, offer_body(offer))
    draft.require_costs()
    return Defined(OFFER, name, offer.version, new=True)


class Granting(Protocol):
    """A definition under which grants are earned, as it is asked for: see `DefineOffer`."""

    @property
    def hold(self) -> str | None:
        """Elapsed time from the earning, before which nothing is given."""
        ...

    @property
    def review(self) -> str | None:
        """Who has to agree."""
        ...

    @property
    def reversal(self) -> str:
        """How much can be taken back."""
        ...

    @property
    def reversal_frees(self) -> bool:
        """Whether what is taken back gives its places back."""
        ...


def read_terms(command: Granting) -> Terms:
    """What a definition says of the grants that are earned under it.

    Raises:
        ValidationError: it cannot be meant.
    """
    return Terms(
        hold=None if command.hold is None else elapsed(command.hold, "hold"),
        review="" if command.review is None else one_of(command.review, "review", REVIEWS),
        reversal=one_of(command.reversal, "reversal", REVERSALS),
        reversal_frees=_switch(command.reversal_frees, "reversal_frees"),
    )


def _switch(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise ValidationError(f"{what} must be True or False, not `{show(repr(value))}`")
    return value


def _meaning(offer: Offer) -> dict[str, Any]:
    return {name: value for name, value in offer_body(offer).items() if name != "source"}


def read_condition(source: str, catalogue: Catalogue) -> Condition:
    """A condition with every `@name` replaced by what it means now.

    Raises:
        ConditionSyntaxError: the text is not a condition, or names one that is not defined.
    """
    definitions = {name: canonical for name, (_, canonical) in catalogue.conditions.items()}
    condition = Condition.parse(source, definitions=definitions)
    if not all(is_normalized("NFC", name) for name in condition.event_names):
        # Events are recorded under names in NFC: others would never match.
        condition = Condition.parse(normalize("NFC", source), definitions=definitions)
    return condition


def require_acknowledged(condition: Condition, scope: Scope, acknowledge: Sequence[str]) -> None:
    """Errors refuse a condition for this use, and so do lints whose codes were not acknowledged.

    Raises:
        ConditionSyntaxError: an error: the condition can never be meant here.
        Refused: a lint: it is probably not meant.
    """
    condition.require(scope=scope)
    lints = [lint for lint in condition.check(scope=scope) if lint.code not in acknowledge]
    if lints:
        raise Refused(
            "condition_doubtful",
            f"condition `{condition.text}` is probably not what is meant: {lints[0].message};"
            f" acknowledge `{lints[0].code}` if it is",
            {"lints": [lint.code for lint in lints], "help": [lint.help for lint in lints]},
        )


def elapsed(source: str, what: str) -> int:
    """Microseconds of a span such as `30d`.

    Raises:
        ValidationError: it is not elapsed time, or none at all.
    """
    written = text(source, what)
    if not _ELAPSED.fullmatch(written):
        raise ValidationError(f"{what} must be elapsed time such as `30d` or `1d12h`, not `{show(written)}`")
    span = read_elapsed(written).microseconds
    if not 0 < span <= LATEST // 100:
        raise ValidationError(f"{what} must be longer than nothing and shorter than 70 years, not `{written}`")
    return span


def unknown(kind: str, name: str, known: Mapping[str, object]) -> Refused:
    """The refusal of a name that is not defined."""
    close = suggest(name, known)
    hint = "" if close is None else f": did you mean `{close}`?"
    facts = {"name": name, "defined": sorted(known)[:20]}
    return Refused(f"{kind}_unknown", f"{kind.replace('_', ' ')} `{show(name)}` is not defined{hint}", facts)
