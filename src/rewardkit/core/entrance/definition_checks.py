"""Looking at definitions before they are loaded: what the launch checks would say of their campaigns."""

from __future__ import annotations

import attrs

from rewardkit.core.campaigns.checks import NEVER_SEEN, Finding, LaunchChecks
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.drafts.issues import pools_named
from rewardkit.core.entrance.campaign_kinds import findings_of
from rewardkit.core.entrance.loading import DEFINERS, Definition, DefinitionError, LoadDefinitions, load_definitions
from rewardkit.core.pools.defining import define_pools
from rewardkit.core.requests.commands import DefineCampaign, LaunchCampaign
from rewardkit.core.requests.queries import Query
from rewardkit.errors import Refused, RewardKitError


@attrs.frozen
class CampaignChecked:
    """What there is to know of one campaign."""

    campaign: str
    findings: tuple[Finding, ...]
    """Those that block first."""
    blocking: tuple[str, ...]
    """The codes that refuse its launch: they must be acknowledged, and are not."""


@attrs.frozen
class DefinitionChecks(Query[tuple[CampaignChecked, ...]]):
    """What there is to know of the campaigns among definitions, as if all of them were in force; nothing is kept.

    Args:
        definitions: as of `LoadDefinitions`.
        history: whether events that nobody has recorded are told; of an empty store, all would be.
    """

    definitions: tuple[Definition, ...]
    history: bool = attrs.field(default=True, kw_only=True)


def definition_checks(query: DefinitionChecks, context: Context) -> Deciding[Decision[tuple[CampaignChecked, ...]]]:
    """Load them into a draft that is never published, launches included, and look at every campaign.

    Raises:
        DefinitionError: one of them is refused, for more than a finding.
    """
    catalogue = yield from newest(context)
    defined = yield from define_pools(query.definitions, context, kept=False)
    draft = Draft(catalogue, (yield from pools_named(query.definitions)), defined)
    load_definitions(LoadDefinitions(_defining(query.definitions)), draft, context)
    acknowledged: dict[str, tuple[str, ...]] = {}
    for index, definition in enumerate(query.definitions):
        if isinstance(definition, DefineCampaign):
            acknowledged[definition.name] = definition.acknowledge
        if isinstance(definition, LaunchCampaign):
            acknowledged[definition.name] = definition.acknowledge
            _launch(definition, index, draft, context)
    found = []
    for name, codes in acknowledged.items():
        findings = yield from findings_of(LaunchChecks(name), draft.catalogue)
        told = tuple(one for one in findings if query.history or one.code != NEVER_SEEN)
        blocking = tuple(one.code for one in told if one.must_acknowledge and one.code not in codes)
        found.append(CampaignChecked(name, told, blocking))
    return Decision(tuple(found), (), catalogue)


def _defining(definitions: tuple[Definition, ...]) -> tuple[Definition, ...]:
    """All but the launches, which come last in any list that can be loaded."""
    return tuple(one for one in definitions if not isinstance(one, LaunchCampaign))


def _launch(command: LaunchCampaign, index: int, draft: Draft, context: Context) -> None:
    """Launch it whatever there is to acknowledge, which is told as a finding."""
    try:
        try:
            DEFINERS[LaunchCampaign](command, draft, context)
        except Refused as refused:
            if refused.code != "launch_doubtful":
                raise
            codes = (*command.acknowledge, *refused.facts["findings"])
            DEFINERS[LaunchCampaign](attrs.evolve(command, acknowledge=codes), draft, context)
    except RewardKitError as error:
        raise DefinitionError(index, error) from error
