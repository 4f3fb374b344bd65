"""Looking at a campaign before it is launched: what it may cost, what it lies across, what it waits for in vain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.amount import PROPERTY, is_nothing
from rewardkit.core.definitions.budget import cost_of, money
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.campaign_terms import AFTER_EARNING
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.requests.queries import Query
from rewardkit.core.requests.records import Reward
from rewardkit.core.storing.needs import SeenNames, ask
from rewardkit.core.values import limits
from rewardkit.core.values.input import show
from rewardkit.errors import Refused
from rewardkit.language.checks.check import Scope
from rewardkit.language.condition import Condition

LOOKED_AT: Final = 1_000_000
"""Events that are looked through for names that were never seen: a scan of a second or two."""

OVERLAPS: Final = 10
"""That are told: a list of all of them would hide the rest."""

NEVER_SEEN: Final = "event_never_seen"

ONCE_MORE: Final = ("RK201", "RK206", "RK207", "RK208")
"""Lints of what is judged too early: an audience is judged again and again, and may begin by holding."""


@attrs.frozen
class Finding:
    """Something to know of a campaign before it is launched."""

    code: str
    message: str
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    must_acknowledge: bool = False
    """Whether a launch is refused unless it names the code."""


@attrs.frozen
class LaunchChecks(Query[tuple[Finding, ...]]):
    """What there is to know of a campaign of either kind before it is launched, or while it runs.

    Findings that block a launch come first.
    """

    campaign: str


def launch_checks(campaign: Campaign, catalogue: Catalogue) -> Deciding[tuple[Finding, ...]]:
    """What follows from definitions, and the events that nobody has ever recorded."""
    return (yield from checked(findings(campaign, catalogue), _names(campaign, catalogue)))


def checked(found: Iterable[Finding], names: frozenset[str]) -> Deciding[tuple[Finding, ...]]:
    """Findings, those that block first, and which of these events were never seen."""
    seen = yield from ask(SeenNames(tuple(sorted(names)), LOOKED_AT))
    told = sorted((*found, *_unseen(names - seen)), key=lambda one: not one.must_acknowledge)
    return tuple(told)


def require_checked(name: str, found: Iterable[Finding], acknowledged: Collection[str]) -> None:
    """What must be acknowledged before a launch has been.

    Raises:
        Refused: something has not.
    """
    open_findings = [one for one in found if one.must_acknowledge and one.code not in acknowledged]
    if open_findings:
        first = open_findings[0]
        raise Refused(
            "launch_doubtful",
            f"campaign `{name}` is probably not what is meant: {first.message}; acknowledge `{first.code}` if it is",
            {"findings": [one.code for one in open_findings], "name": name},
        )


def findings(campaign: Campaign, catalogue: Catalogue) -> Iterator[Finding]:
    """What follows from definitions alone."""
    yield from _payout(campaign, catalogue)
    offers = [catalogue.offers[name] for name in campaign.offers]
    yield from uncounted(catalogue.reward_versions[offer.reward, offer.reward_version] for offer in offers)
    yield from _lints(campaign, catalogue)
    yield from _overlaps(campaign, catalogue)


def _payout(campaign: Campaign, catalogue: Catalogue) -> Iterator[Finding]:
    costs = {name: catalogue.cost(catalogue.offers[name]) for name in campaign.offers}
    dearest = max(costs.values())
    facts: dict[str, Any] = {"dearest": money(dearest)}
    if campaign.budget is not None and campaign.money < min(costs.values()):
        sentence = f"the budget of {money(campaign.money)} does not cover a single reward"
        yield Finding("budget_covers_nothing", sentence, facts | {"budget": money(campaign.money)}, True)
    bound = _most(campaign, dearest)
    if bound is not None:
        yield Finding("worst_case_cost", f"it costs at most {bound}", facts | {"at_most": bound})
        return
    if not dearest:
        yield Finding("unlimited_payout", "nothing bounds how many rewards it gives, and none says what it costs")
        return
    endless = campaign.reentry == AFTER_EARNING and campaign.user_cap == limits.USER_CAP
    yield Finding("unlimited_payout", f"nothing bounds what it costs: each reward costs up to {money(dearest)}", facts)
    if endless:
        sentence = "a user who earns enters again at once, and nothing bounds what one user earns"
        yield Finding("unlimited_per_user", sentence, facts, True)


def uncounted(rewards: Iterable[Reward]) -> Iterator[Finding]:
    """Rewards whose amount is none that costs and budgets can be counted by."""
    for name, reward in sorted({reward.name: reward for reward in rewards}.items()):
        if cost_of(reward) or is_nothing(reward):
            continue
        given = show(str(reward.properties[PROPERTY]))
        sentence = (
            f"reward `{name}` counts as free: its `amount` is `{given}`,"
            ' and not a whole number or a decimal of at most four decimals, such as `"5.00"`'
        )
        yield Finding("amount_uncounted", sentence, {"reward": name, "amount": given})


def _most(campaign: Campaign, dearest: int) -> Decimal | None:
    """What all of its rewards cost at most."""
    bounds = [] if campaign.cap is None else [campaign.cap * dearest]
    if campaign.budget is not None:
        bounds.append(campaign.money)
    return money(min(bounds)) if bounds and dearest else None


def _lints(campaign: Campaign, catalogue: Catalogue) -> Iterator[Finding]:
    if campaign.entry is not None:
        yield from lints("entry", campaign.entry, "open")
    if campaign.audience is not None:
        yield from lints("audience", campaign.audience, "open", ONCE_MORE)
    for name in sorted(campaign.offers):
        yield from lints(f"offer `{name}`", catalogue.offers[name].condition, "start")


def lints(where: str, condition: str, scope: Scope, meant: Collection[str] = ()) -> Iterator[Finding]:
    """What is doubtful about a condition, but for what is `meant` where it stands."""
    for lint in Condition.parse(condition).check(scope=scope):
        if lint.code not in meant:
            yield Finding(lint.code, f"{where}: {lint.message}", {"condition": condition, "help": lint.help})


def _overlaps(campaign: Campaign, catalogue: Catalogue) -> Iterator[Finding]:
    """Other campaigns that run at the same time and give the same, or begin with the same events."""
    told = 0
    rewards = {catalogue.offers[name].reward for name in campaign.offers}
    heard = frozenset() if campaign.entry is None else campaign.program.names
    for other in catalogue.campaigns.values():
        if other.name == campaign.name or other.status not in ("live", "paused") or not meet(campaign, other):
            continue
        shared = sorted(rewards & {catalogue.offers[name].reward for name in other.offers})
        events = sorted(heard & other.program.names) if other.entry is not None else []
        if not shared and not events:
            continue
        told += 1
        if told > OVERLAPS:
            return
        why = f"gives the reward `{shared[0]}` too" if shared else f"listens to `{events[0]}` too"
        facts = {"campaign": other.name, "rewards": shared, "events": events}
        yield Finding("overlap", f"campaign `{other.name}` runs at the same time and {why}", facts)


def meet(one: Campaign | ReferralCampaign, other: Campaign | ReferralCampaign) -> bool:
    """Whether there is an instant in the spans of both."""
    begins, ends = max(one.start or 0, other.start or 0), [end for end in (one.end, other.end) if end is not None]
    return not ends or begins < min(ends)


def _names(campaign: Campaign, catalogue: Catalogue) -> frozenset[str]:
    """The events that its conditions mention."""
    conditions = [catalogue.offers[name].condition for name in campaign.offers]
    conditions += [one for one in (campaign.entry, campaign.audience) if one is not None]
    return frozenset(name for condition in conditions for name in Condition.parse(condition).event_names)


def _unseen(names: Collection[str]) -> Iterator[Finding]:
    for name in sorted(names):
        sentence = f"event `{name}` has never been recorded"
        yield Finding(NEVER_SEEN, sentence, {"event": name, "looked_at_most_at": LOOKED_AT})
