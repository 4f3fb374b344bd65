"""Which program a sender offers now: of the referral campaigns that are open and hold for her, the one of highest rank.

A campaign's condition is judged over the sender's whole history at that instant, and may stop holding. How far it is
is kept in her row as her events come, as that of an audience is, so that nobody has to read them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

import attrs

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.audience import Audience
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.core.definitions.referral_register import Register
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.members import fold_members, known_events
from rewardkit.core.storing.progress import Progress
from rewardkit.core.storing.rows import MemberRow
from rewardkit.core.values.input import show
from rewardkit.errors import Refused
from rewardkit.language.event import Event, rfc3339
from rewardkit.language.folding.program import Program, State
from rewardkit.language.verdict import Verdict

STEPS: Final = 64
"""Instants that are looked at, one after the other, for the next one at which a sender offers something else."""


@attrs.frozen
class Terms:
    """What a sender offers."""

    program: ReferralProgram
    campaign: ReferralCampaign | None
    """That chose it; None where there is none to choose."""
    held_out: str = ""
    """The campaign that she would have offered, had she not been held out of it."""
    variant: str = ""
    """Of the campaign, that she was drawn for; empty where it has none."""


@attrs.frozen
class Standing:
    """How far a campaign's condition is for a sender."""

    program: Program
    state: State


class Choosing:
    """One sender at one instant, and later if nothing happens.

    Args:
        register: whose campaigns.
        sender: the row of who.
        standings: by campaign id, those of all that have a condition on the sender.
        at: the instant.
        full: by name, the campaigns that have no place left under their limits, each with the instant of its next one;
            None where time brings none.
    """

    def __init__(
        self,
        register: Register,
        sender: MemberRow,
        standings: Mapping[int, Standing],
        at: int,
        full: Mapping[str, int | None] | None = None,
    ) -> None:
        self._register = register
        self._sender = sender
        self._standings = standings
        self._at = at
        self._full = {} if full is None else full

    def among(self, full: Mapping[str, int | None]) -> Choosing:
        """The same where these campaigns have no place left."""
        return Choosing(self._register, self._sender, self._standings, self._at, full)

    def verdict(self, campaign: ReferralCampaign, at: int) -> Verdict | None:
        """Whether its condition on the sender holds at an instant, this one or later; None where it has none."""
        if campaign.sender is None:
            return None
        known = self._standings[campaign.id]
        return known.program.verdict(known.program.advance(known.state, at))

    def admits(self, campaign: ReferralCampaign, at: int) -> bool:
        """Whether it is open and its condition on the sender holds, held out or not, full or not."""
        if not campaign.is_open_at(at):
            return False
        verdict = self.verdict(campaign, at)
        return verdict is None or verdict.status == "satisfied"

    def holds(self, campaign: ReferralCampaign, at: int) -> bool:
        """Whether the sender offers it, if no other of higher rank."""
        return self.admits(campaign, at) and not campaign.holds_out(self._sender.user) and self.has_room(campaign, at)

    def has_room(self, campaign: ReferralCampaign, at: int) -> bool:
        """Whether it has a place left under its limits at an instant."""
        again = self._full.get(campaign.name, at)
        return again is not None and again <= at

    def withheld(self, at: int) -> str:
        """The name of the campaign that she would offer, were she not held out of it, or nothing."""
        admitted = (one for one in self._register.launched if self.admits(one, at) and self.has_room(one, at))
        first = next(admitted, None)
        return first.name if first is not None and first.holds_out(self._sender.user) else ""

    def terms(self, campaign: ReferralCampaign, held_out: str = "") -> Terms:
        """What she offers by a campaign."""
        number = self._progress.sent(campaign.id) if campaign.variants else 0
        variant = campaign.variant(self._sender.user, number)
        return Terms(self._register.programs[variant.program], campaign, held_out, variant.name)

    @property
    def offers(self) -> tuple[tuple[ReferralCampaign, ReferralProgram], ...]:
        """All campaigns that were launched, each with the program that she would offer by it."""
        return tuple((one, self.terms(one).program) for one in self._register.launched)

    @cached_property
    def _progress(self) -> Progress:
        return Progress(self._sender.state)

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
            found += (campaign.opens_at, campaign.end, self._full.get(campaign.name))
            if campaign.sender is not None:
                known = self._standings[campaign.id]
                found.append(known.program.advance(known.state, at).wake_at)
        return min((one for one in found if one is not None and one > at), default=None)


def choosing(catalogue: Catalogue, sender: MemberRow, at: int) -> Deciding[tuple[Choosing, Fold | None]]:
    """What a sender may offer, from her own row.

    Returns:
        it, and her fold where her stored events had to be read for it, since other definitions are in force than when
        her row was written: kept, it spares the next one that.
    """
    asked = [campaign for campaign in catalogue.referrals.launched if campaign.sender is not None]
    if not asked:
        return Choosing(catalogue.referrals, sender, {}, at), None
    fold = (yield from fold_members(catalogue, (sender,), {}, at)).folds[0]
    if fold.position.at > at:
        # What she will have done does not count yet.
        history = yield from known_events(sender.user)
        return Choosing(catalogue.referrals, sender, standings_of(asked, history, at), at), None
    standings = {}
    for campaign in asked:
        audience = catalogue.audiences[campaign.sender or "", campaign.zone]
        standings[campaign.id] = Standing(audience.program, fold.audience_state(audience))
    return Choosing(catalogue.referrals, sender, standings, at), fold if fold.history is not None else None


def standings_of(campaigns: Iterable[ReferralCampaign], history: Sequence[Event], at: int) -> dict[int, Standing]:
    """Those of a sender who has done all this by an instant."""
    known = [event for event in history if event.at <= at]
    found = {}
    for campaign in campaigns:
        if campaign.sender is not None:
            audience = Audience(-1, campaign.sender, campaign.zone, 0)
            found[campaign.id] = Standing(audience.program, audience.fold(known, at))
    return found


def terms_of(known: Choosing, register: Register, sender: str, at: int) -> Terms:
    """What a sender offers at an instant; without any campaign, the only program that there is.

    Raises:
        Refused: no campaign is open that holds for her.
    """
    if not register.launched and len(register.programs) == 1:
        return Terms(next(iter(register.programs.values())), None)
    campaign = known.chosen(at)
    if campaign is None:
        raise nothing_offered(sender)
    return known.terms(campaign, known.withheld(at))


def terms_in_turn(known: Choosing, register: Register, sender: str, at: int) -> tuple[Terms, ...]:
    """What a sender offers at an instant, and what instead should there be no place under a campaign's limits.

    Raises:
        Refused: no campaign is open that holds for her.
    """
    found = [terms_of(known, register, sender, at)]
    full: dict[str, int | None] = {}
    while (campaign := found[-1].campaign) is not None and campaign.is_limited:
        full[campaign.name] = None
        rest = known.among(full)
        if rest.chosen(at) is None:
            break
        found.append(terms_of(rest, register, sender, at))
    return tuple(found)


def offered(campaign: ReferralCampaign, known: Choosing, sender: str, at: int) -> Terms:
    """The terms of this very campaign, if the sender may offer it at an instant.

    Raises:
        Refused: it is not open, or its condition on the sender does not hold.
    """
    if not campaign.is_open_at(at):
        raise _closed(campaign, at)
    if not known.admits(campaign, at):
        verdict = known.verdict(campaign, at)
        reason = "" if verdict is None else verdict.reason
        sentence = f"user `{show(sender)}` may not offer referral campaign `{campaign.name}` now: {reason}"
        raise Refused("sender_not_eligible", sentence, {"campaign": campaign.name, "reason": reason})
    if campaign.holds_out(sender):
        sentence = f"user `{show(sender)}` is held out of referral campaign `{campaign.name}`, to compare with"
        raise Refused("held_out", sentence, {"campaign": campaign.name})
    return known.terms(campaign)


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
