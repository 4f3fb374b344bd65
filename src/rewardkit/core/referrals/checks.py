"""Looking at a referral campaign before it is launched: what it may cost, and what lies beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs

from rewardkit.core.campaigns.checks import OVERLAPS, Finding, checked, lints, meet, uncounted
from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.budget import money
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.language.condition import Condition
from rewardkit.language.event import LATEST

OF_ONE_READING: Final = ("RK206", "RK207", "RK208")
"""Lints of conditions that are judged once: one on the sender may stop holding, and is meant to."""


def launch_checks(campaign: ReferralCampaign, catalogue: Catalogue) -> Deciding[tuple[Finding, ...]]:
    """What follows from definitions, and the events that nobody has ever recorded."""
    return (yield from checked(findings(campaign, catalogue), _names(campaign, catalogue)))


def findings(campaign: ReferralCampaign, catalogue: Catalogue) -> Iterator[Finding]:
    """What follows from definitions alone."""
    programs = [catalogue.referrals.programs[name] for name in sorted(campaign.programs)]
    yield from _payout(campaign, programs, catalogue)
    yield from uncounted(reward for program in programs for reward in catalogue.referral_rewards(program))
    for program in programs:
        yield from _per_sender(program, catalogue, among=len(programs))
    if campaign.sender is not None:
        yield from lints("sender", campaign.sender, "open", OF_ONE_READING)
    for program in programs:
        yield from lints(f"referral program `{program.name}`", program.condition, "start")
    yield from _overlaps(campaign, catalogue)


def _payout(campaign: ReferralCampaign, programs: Iterable[ReferralProgram], catalogue: Catalogue) -> Iterator[Finding]:
    """A campaign's cap and budget bound what all referrals cost; of several programs, the dearest counts."""
    costs = [catalogue.referral_costs(program) for program in programs]
    sender, recipient = max(costs, key=sum)
    facts: dict[str, Any] = {"sender": money(sender), "recipient": money(recipient), "each": money(sender + recipient)}
    if campaign.budget is not None and campaign.money < min(map(sum, costs)):
        sentence = f"the budget of {money(campaign.money)} does not cover a single referral"
        yield Finding("budget_covers_nothing", sentence, facts | {"budget": money(campaign.money)}, True)
    bound = _most(campaign, sender + recipient)
    if bound is not None:
        at_most, why = money(bound[0]), bound[1]
        yield Finding("worst_case_cost", f"it costs at most {at_most}, {why}", facts | {"at_most": at_most})
    elif not sender + recipient:
        yield Finding("unlimited_payout", "nothing bounds how many are referred, and no reward says what it costs")
    else:
        sentence = f"nothing bounds what it costs: each referral costs up to {facts['each']}"
        yield Finding("unlimited_payout", sentence, facts)


def _per_sender(program: ReferralProgram, catalogue: Catalogue, *, among: int) -> Iterator[Finding]:
    """A program bounds what one sender earns by it, and she offers one of them."""
    sender, _ = catalogue.referral_costs(program)
    if program.sender_cap is not None and sender:
        most = money(program.sender_cap * sender)
        sentence = f"one sender earns at most {most}, by {program.sender_cap} referrals"
        facts: dict[str, Any] = {"at_most": most, "sender_cap": program.sender_cap}
        if among > 1:
            sentence, facts = f"{sentence} of program `{program.name}`", facts | {"program": program.name}
        yield Finding("worst_case_per_sender", sentence, facts)
    elif program.sender_cap is None and program.period_cap is None:
        sentence = f"nothing bounds what one sender earns: program `{program.name}` has no cap"
        yield Finding("unlimited_per_sender", sentence, {"program": program.name})


def _most(campaign: ReferralCampaign, each: int) -> tuple[int, str] | None:
    """What all of its rewards cost at most, and why not more; None where nothing says so."""
    bounds = []
    if campaign.cap is not None and each:
        why = f"by {campaign.cap} referrals of up to {money(each)} each"
        bounds.append((campaign.cap * each, why))
    if campaign.budget is not None:
        bounds.append((campaign.money, "by its budget"))
    return min(bounds, default=None)


def _overlaps(campaign: ReferralCampaign, catalogue: Catalogue) -> Iterator[Finding]:
    """Other campaigns that a sender may offer at the same time: every one has its fallback beside it."""
    told = 0
    for other in catalogue.referrals.campaigns.values():
        if other.name == campaign.name or other.status not in ("live", "paused") or not meet(campaign, other):
            continue
        if campaign.is_evergreen != other.is_evergreen:
            continue
        told += 1
        if told > OVERLAPS:
            return
        first = _first(campaign, other)
        sentence = f"campaign `{other.name}` runs at the same time: who may offer both offers `{first}`"
        yield Finding("overlap", sentence, {"campaign": other.name, "first": first})


def _first(campaign: ReferralCampaign, other: ReferralCampaign) -> str:
    """Which of two a sender offers for whom both hold; a draft is taken to be launched after all that are."""
    looked_at = campaign if campaign.launched_at is not None else attrs.evolve(campaign, launched_at=LATEST)
    return max(looked_at, other, key=lambda one: one.rank).name


def _names(campaign: ReferralCampaign, catalogue: Catalogue) -> frozenset[str]:
    """The events that its conditions mention."""
    conditions = [catalogue.referrals.programs[name].condition for name in campaign.programs]
    conditions += [] if campaign.sender is None else [campaign.sender]
    return frozenset(name for condition in conditions for name in Condition.parse(condition).event_names)
