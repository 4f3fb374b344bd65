"""Which program a sender offers now: of the referral campaigns that are open and hold for her, the one of highest rank.

A campaign's condition is judged over the sender's whole history at that instant, and may stop holding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.core.definitions.referral_register import Register
from rewardkit.core.folding.members import known_events
from rewardkit.core.values.input import show
from rewardkit.errors import Refused
from rewardkit.language.event import Event, rfc3339
from rewardkit.language.folding.program import State
from rewardkit.language.verdict import Verdict

STEPS: Final = 64
"""Instants that are looked at, one after the other, for the next one at which a sender offers something else."""


@attrs.frozen
class Terms:
    """What a sender offers."""

    program: ReferralProgram
    campaign: ReferralCampaign | None
    """That chose it; None where there is none to choose."""


class Choosing:
    """One sender at one instant, and later if nothing happens.

    Args:
        register: whose campaigns.
        history: the sender's events, in total order.
        at: the instant; events after it are not known yet.
    """

    def __init__(self, register: Register, history: Sequence[Event], at: int) -> None:
        self._register = register
        self._history = [event for event in history if event.at <= at]
        self._at = at
        self._states: dict[int, State] = {}

    def verdict(self, campaign: ReferralCampaign, at: int) -> Verdict | None:
        """Whether its condition on the sender holds at an instant, this one or later; None where it has none."""
        return None if campaign.sender is None else campaign.standing.verdict(self._state(campaign, at))

    def holds(self, campaign: ReferralCampaign, at: int) -> bool:
        """Whether the sender offers it, if no other of higher rank."""
        if not campaign.is_open_at(at):
            return False
        verdict = self.verdict(campaign, at)
        return verdict is None or verdict.status == "satisfied"

    def chosen(self, at: int) -> ReferralCampaign | None:
        """The campaign whose program she offers."""
        return next((one for one in self._register.launched if self.holds(one, at)), None)

    def until(self) -> int | None:
        """The first instant after this one at which she offers something else, if nothing happens; None is never.

        Where her conditions may change at more than `STEPS` instants before that, it is the last one looked at.
        """
        at, now = self._at, self.chosen(self._at)
        for _ in range(STEPS):
            later = self._next(at)
            if later is None:
                return None
            at = later
            if self.chosen(at) is not now:
                break
        return at

    def _next(self, at: int) -> int | None:
        """The next instant at which time alone may change something."""
        found: list[int | None] = []
        for campaign in self._register.launched:
            found += (campaign.opens_at, campaign.end)
            if campaign.sender is not None:
                found.append(self._state(campaign, at).wake_at)
        return min((one for one in found if one is not None and one > at), default=None)

    def _state(self, campaign: ReferralCampaign, at: int) -> State:
        program, state = campaign.standing, self._states.get(campaign.id)
        if state is None:
            state = program.start(None)
            for event in self._history:
                if event.name in program.names:
                    state = program.step(program.advance(state, event.at), event)
            state = self._states[campaign.id] = program.advance(state, self._at)
        return program.advance(state, at)


def choosing(catalogue: Catalogue, sender: str, at: int) -> Deciding[Choosing]:
    """What a sender may offer; her history is read only where a campaign asks for it."""
    register = catalogue.referrals
    asked = any(campaign.sender is not None for campaign in register.launched)
    history = (yield from known_events(sender)) if asked else ()
    return Choosing(register, history, at)


def terms_of(catalogue: Catalogue, sender: str, at: int) -> Deciding[Terms]:
    """What a sender offers at an instant; without any campaign, the only program that there is.

    Raises:
        Refused: no campaign is open that holds for her.
    """
    register = catalogue.referrals
    if not register.launched and len(register.programs) == 1:
        return Terms(next(iter(register.programs.values())), None)
    campaign = (yield from choosing(catalogue, sender, at)).chosen(at)
    if campaign is None:
        raise nothing_offered(sender)
    return Terms(register.programs[campaign.program], campaign)


def offered(campaign: ReferralCampaign, catalogue: Catalogue, sender: str, at: int) -> Deciding[Terms]:
    """The terms of this very campaign, if the sender may offer it at an instant.

    Raises:
        Refused: it is not open, or its condition on the sender does not hold.
    """
    if not campaign.is_open_at(at):
        raise _closed(campaign, at)
    known = yield from choosing(catalogue, sender, at)
    if not known.holds(campaign, at):
        verdict = known.verdict(campaign, at)
        reason = "" if verdict is None else verdict.reason
        sentence = f"user `{show(sender)}` may not offer referral campaign `{campaign.name}` now: {reason}"
        raise Refused("sender_not_eligible", sentence, {"campaign": campaign.name, "reason": reason})
    return Terms(catalogue.referrals.programs[campaign.program], campaign)


def nothing_offered(sender: str) -> Refused:
    """The refusal where no campaign is open that holds for a sender."""
    return Refused("nothing_offered", f"user `{show(sender)}` offers no referral now: no referral campaign is open", {})


def _closed(campaign: ReferralCampaign, at: int) -> Refused:
    name, facts = f"referral campaign `{campaign.name}`", {"name": campaign.name}
    if campaign.launched_at is None:
        return Refused("campaign_draft", f"{name} has not been launched", facts)
    if at < campaign.opens_at:
        start = rfc3339(campaign.opens_at)
        return Refused("campaign_not_started", f"{name} starts at `{start}`", facts | {"start": start})
    if campaign.status == "paused" and (campaign.end is None or at < campaign.end):
        return Refused("campaign_paused", f"{name} is paused", facts)
    end = rfc3339(campaign.end or 0)
    return Refused("campaign_over", f"{name} ended at `{end}`", facts | {"end": end})
