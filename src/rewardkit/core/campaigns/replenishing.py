"""Replenishing a budget: more money, and the grants that waited for it."""

from __future__ import annotations

from decimal import Decimal

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.definitions.budget import QUEUE, cost_of, money, read_money
from rewardkit.core.definitions.campaign import CAMPAIGN, Campaign
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.referral_campaign import REFERRAL_CAMPAIGN, ReferralCampaign
from rewardkit.core.drafts.defining import unknown
from rewardkit.core.drafts.draft import locked
from rewardkit.core.grants.gates import Passed, pass_on
from rewardkit.core.grants.life import BUDGET
from rewardkit.core.requests.answers import Released, Replenished
from rewardkit.core.requests.commands import Command
from rewardkit.core.storing.needs import Claim, Claims, HeldGrants, ask
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, text
from rewardkit.errors import Refused
from rewardkit.language.event import moment


@attrs.frozen
class ReplenishBudget(Command[Replenished]):
    """Add money to the budget of a campaign of either kind, and release the grants that waited for it, oldest first.

    Args:
        campaign: its name.
        amount: more than what is there, in the unit of the budget; 0 only releases.
        limit: of grants that are released and committed together; call it again with 0 while there are `more`.
    """

    campaign: str
    amount: Decimal | int | str = 0
    limit: int = attrs.field(default=limits.PAGE_ROWS, kw_only=True)


def replenish_budget(command: ReplenishBudget, context: Context) -> Deciding[Decision[Replenished]]:
    """One batch: the budget's counter is held while waiting grants are looked at, so that nobody comes between."""
    name = text(command.campaign, "a campaign's name")
    limit = integer(command.limit, "limit", least=1, most=limits.PAGE_ROWS)
    more = 0 if command.amount in (0, "0") else read_money(command.amount, "amount")
    draft = yield from locked(context)
    known: dict[str, Campaign | ReferralCampaign]
    known = {**draft.catalogue.campaigns, **draft.catalogue.referrals.campaigns}
    campaign = known.get(name)
    if campaign is None:
        raise unknown("campaign", name, known)
    if campaign.budget is None:
        return Decision(Refused("campaign_without_budget", f"campaign `{name}` has no budget", {"name": name}))
    if more:
        campaign = attrs.evolve(campaign, version=campaign.version + 1, replenished=campaign.replenished + more)
        if campaign.money > limits.CAP:
            read_money(money(campaign.money), "the whole budget")
        kind = CAMPAIGN if isinstance(campaign, Campaign) else REFERRAL_CAMPAIGN
        draft.add(kind, name, campaign.version, campaign.body())
    (free,) = yield from ask(Claims((Claim(campaign.budget_counter, campaign.money, campaign.money, 0, 0),)))
    passed, spent, waiting = yield from _release(campaign, draft.catalogue, context, free, limit)
    yield from ask(Claims((Claim(campaign.budget_counter, 0, 0, spent, free - spent),)))
    released = tuple(Released(row.user, row.id, moment(context.at), row.status) for row in passed.rows)
    answer = Replenished(name, money(campaign.money), money(free - spent), released, more=waiting)
    return Decision(answer, (*draft.effects(), *passed.effects()), draft.catalogue)


def _release(
    campaign: Campaign | ReferralCampaign, catalogue: Catalogue, context: Context, free: int, limit: int
) -> Deciding[tuple[Passed, int, bool]]:
    """Move on the grants that the money covers, none before an older one; whether more could be, by another call."""
    if campaign.at_exhaustion != QUEUE:
        return Passed(), 0, False
    spent, covered = 0, []
    held = yield from ask(HeldGrants(BUDGET, campaign.name, limit))
    for row in held:
        cost = cost_of(catalogue.reward_versions[row.reward, row.reward_version])
        if spent + cost > free:
            break
        spent += cost
        covered.append(row)
    passed = yield from pass_on(context, catalogue, covered, "fund", behind=BUDGET)
    return passed, spent, len(covered) == limit
