"""Whether a user would offer a referral campaign as a sender now, gate by gate; nothing changes."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from rewardkit.core.campaigns.preview import Gate, Previewed, opened
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.folding.members import known_events
from rewardkit.core.referrals.choosing import Choosing, standings_of
from rewardkit.core.referrals.places import full_until, uses_of
from rewardkit.core.referrals.queries import LimitsUse
from rewardkit.core.storing.needs import Counters, ask
from rewardkit.core.storing.rows import unheard
from rewardkit.core.storing.seen_needs import MembersSeen
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event


def preview(
    user: str, known: ReferralCampaign, catalogue: Catalogue, context: Context
) -> Deciding[Decision[Previewed]]:
    """Judge the user's history as of now."""
    campaign = known if known.launched_at is not None else attrs.evolve(known, launched_at=context.at)
    register = catalogue.referrals
    if known.launched_at is None:
        register = attrs.evolve(register, campaigns={**register.campaigns, known.name: campaign})
    rows = yield from ask(MembersSeen((user,)))
    row = rows[0] if rows else unheard(user, catalogue.epoch)
    history = yield from known_events(user)
    standings = standings_of(register.launched, history, context.at)
    choosing = Choosing(register, row, standings, context.at)
    uses = yield from uses_of(choosing.offers, catalogue, context.at)
    choosing = choosing.among(full_until(register.launched, uses, context.at))
    terms = choosing.terms(campaign)
    program = terms.program
    earned = yield from ask(Counters((program.counter(user),)))
    gates = tuple(_gates(user, campaign, choosing, uses[campaign.name], history, context.at))
    rewards = catalogue.reward_versions
    answer = Previewed(
        user=user,
        campaign=known.name,
        status=known.status,
        would_enter=all(gate.passed for gate in gates),
        variant=terms.variant,
        offer="",
        reward=rewards[program.sender_reward, program.sender_reward_version].properties,
        copy=campaign.copy_for(terms.variant),
        made=sum(counter.reserved for counter in earned),
        gates=gates,
        program=program.name,
        recipient_reward=rewards[program.recipient_reward, program.recipient_reward_version].properties,
    )
    return Decision(answer, (), catalogue)


def _gates(
    user: str,
    campaign: ReferralCampaign,
    known: Choosing,
    use: LimitsUse,
    history: tuple[Event, ...],
    at: int,
) -> Iterator[Gate]:
    yield opened(campaign, campaign.is_open_at(at))
    if campaign.sender is not None:
        verdict = known.verdict(campaign, at)
        events = [event for event in history if event.at <= at]
        proof = Condition.parse(campaign.sender).explain(events, start=None, now=at, zone=campaign.zone, mode="live")
        facts = {"condition": campaign.sender, "event_ids": list(proof.event_ids)}
        passed = verdict is not None and verdict.status == "satisfied"
        yield Gate("sender", passed, "; ".join(proof.sentences), facts)
    if campaign.holdout:
        held_out = campaign.holds_out(user)
        yield Gate("holdout", not held_out, "held out, to compare with" if held_out else "not held out", {})
    for cap in use.caps:
        counts = {"used": cap.taken, "cap": cap.cap}
        yield Gate(f"cap of the {cap.unit}" if cap.unit else "cap", not cap.is_full, cap.sentence, counts)
    if use.budget is not None:
        money = {"left": use.budget.left, "cost": use.budget.cost}
        yield Gate("budget", not use.budget.is_full, use.budget.sentence, money)
    chosen = known.chosen(at)
    before = chosen is not None and chosen.name != campaign.name and chosen.rank > campaign.rank
    if chosen is not None and before:
        said = f"she offers `{chosen.name}`, which comes before it"
        yield Gate("rank", False, said, {"campaign": chosen.name, "priority": chosen.priority})
    else:
        yield Gate("rank", True, "no campaign that holds for her comes before it", {"priority": campaign.priority})
