"""The referral programs and campaigns of a catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

import attrs

from rewardkit.core.definitions.referral_campaign import REFERRAL_CAMPAIGN, ReferralCampaign, referral_campaign_of
from rewardkit.core.definitions.referral_program import REFERRAL_PROGRAM, ReferralProgram, referral_program_of
from rewardkit.core.storing.rows import DefinitionRow
from rewardkit.language.planning.names import together


@attrs.frozen(slots=False)
class Register:
    """Immutable, as its catalogue is."""

    programs: Mapping[str, ReferralProgram] = attrs.field(factory=dict)
    """Newest versions, by name; the same of campaigns."""
    campaigns: Mapping[str, ReferralCampaign] = attrs.field(factory=dict)
    program_versions: Mapping[tuple[str, int], ReferralProgram] = attrs.field(factory=dict)
    programs_by_number: Mapping[int, ReferralProgram] = attrs.field(factory=dict)
    campaign_versions: Mapping[tuple[str, int], ReferralCampaign] = attrs.field(factory=dict)

    def extended(self, rows: Iterable[DefinitionRow]) -> Register:
        """This register with newer definitions on top; itself where there are none of its kinds."""
        found = [row for row in rows if row.kind in (REFERRAL_PROGRAM, REFERRAL_CAMPAIGN)]
        if not found:
            return self
        programs, campaigns = dict(self.programs), dict(self.campaigns)
        versions, by_number = dict(self.program_versions), dict(self.programs_by_number)
        campaign_versions = dict(self.campaign_versions)
        for row in found:
            if row.kind == REFERRAL_PROGRAM:
                known = programs.get(row.name)
                program = referral_program_of(row, len(programs) if known is None else known.id)
                programs[row.name] = versions[row.name, row.version] = by_number[row.number] = program
            else:
                before = campaigns.get(row.name)
                campaign = referral_campaign_of(row, len(campaigns) if before is None else before.id)
                campaigns[row.name] = campaign_versions[row.name, row.version] = campaign
        return Register(programs, campaigns, versions, by_number, campaign_versions)

    @cached_property
    def heard(self) -> tuple[tuple[int, frozenset[str]], ...]:
        """The slot of each program, and the events that any of its versions listens to."""
        names: dict[int, frozenset[str]] = {}
        for program in self.program_versions.values():
            names[program.slot] = together((names.get(program.slot, frozenset()), program.folding.names))
        return tuple(names.items())

    @cached_property
    def launched(self) -> tuple[ReferralCampaign, ...]:
        """The campaigns that are no drafts, in the order in which a sender's terms are looked for."""
        found = (campaign for campaign in self.campaigns.values() if campaign.launched_at is not None)
        return tuple(sorted(found, key=lambda campaign: campaign.rank, reverse=True))


EMPTY: Final = Register()
