"""Answering queries."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.definitions.budget import money
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.folding import active
from rewardkit.core.grants.granting import covering, grant_of
from rewardkit.core.grants.life import GATES, HELD, STATUSES
from rewardkit.core.notices.notice import notice_of
from rewardkit.core.offers.offering import user_offer_of
from rewardkit.core.requests.listing import limit_of, optional_text, page_of, place_of, status_of
from rewardkit.core.requests.queries import (
    Campaigns,
    CampaignUse,
    Grants,
    Notices,
    Page,
    UserOffers,
)
from rewardkit.core.requests.records import Grant, Notice, UserOffer
from rewardkit.core.storing.needs import (
    Counters,
    ListGrants,
    ListNotices,
    ListUserOffers,
    ask,
)
from rewardkit.core.storing.progress import ACTIVE, Progress, key
from rewardkit.core.storing.rows import UserOfferRow
from rewardkit.core.storing.seen_needs import MembersSeen
from rewardkit.errors import ValidationError
from rewardkit.language.folding.program import IMPOSSIBLE

USER_OFFER_STATUSES = ("active", "earned", "expired", "cancelled", "capped", "held_out", "converted", "lapsed")
NOTICE_STATUSES = ("pending", "delivered", "dead")


def grants(query: Grants, context: Context) -> Deciding[Decision[Page[Grant]]]:
    """A page of grants."""
    status = status_of(query.status, STATUSES)
    if query.held_for is not None:
        status = _held(status)
    need = ListGrants(
        optional_text(query.user, "a user"),
        status,
        place_of(query.after),
        limit_of(query.limit),
        status_of(query.held_for, GATES, "what a grant is held for"),
    )
    rows = yield from ask(need)
    catalogue = yield from covering(context, rows)
    page = page_of(rows, query.limit, lambda row: grant_of(row, catalogue), lambda row: row.earned_at)
    return Decision(page, (), catalogue)


def _held(status: str | None) -> str:
    if status not in (None, HELD):
        raise ValidationError(
            f"only a held grant is held for something, and the query asks for those that are `{status}`"
        )
    return HELD


def user_offers(query: UserOffers, context: Context) -> Deciding[Decision[Page[UserOffer]]]:
    """A page of user offers, read by the clock: an active one whose end has come counts as expired."""
    user, campaign = optional_text(query.user, "a user"), optional_text(query.campaign, "a campaign's name")
    status, limit = status_of(query.status, USER_OFFER_STATUSES), limit_of(query.limit)
    # An expired one may be kept as active until somebody notices.
    kept_as = None if status == "expired" else status
    after = place_of(query.after)
    found: list[UserOffer] = []
    catalogue = context.catalogue
    while True:
        rows = yield from ask(ListUserOffers(user, campaign, kept_as, after, limit))
        if rows and not found:
            catalogue = yield from newest(context)
        for row in (yield from _by_the_clock(rows, context, catalogue)):
            after = row.made_at, row.id
            if status in (None, row.status):
                found.append(user_offer_of(row, catalogue))
            if len(found) == limit:
                return Decision(Page(tuple(found), f"{row.made_at}/{row.id}"), (), catalogue)
        if len(rows) < limit:
            return Decision(Page(tuple(found), None), (), catalogue)


def _by_the_clock(
    rows: Sequence[UserOfferRow], context: Context, catalogue: Catalogue
) -> Deciding[tuple[UserOfferRow, ...]]:
    """Rows with what is over by now as expired, unless it was earned in time and nobody has noticed yet."""
    over = {row.id for row in rows if row.status == "active" and row.ends_at is not None and row.ends_at <= context.at}
    if not over:
        return tuple(rows)
    members = yield from ask(MembersSeen(tuple(sorted({row.user for row in rows if row.id in over}))))
    progress = {member.user: Progress(member.state) for member in members}

    def judged(row: UserOfferRow) -> UserOfferRow:
        if row.id not in over:
            return row
        campaign = catalogue.campaigns[row.campaign]
        slot = progress[row.user].get(key(campaign.id, ACTIVE)) or b""
        for one in active.unpack(slot):
            program = catalogue.offers_by_number[one.offer_number].program_in(campaign.zone)
            state = program.advance(program.unpack(one.state), context.at)
            if one.entry == row.entry and state.status == IMPOSSIBLE:
                return row._replace(status="expired", ended_at=state.decided_at, reason=program.verdict(state).reason)
        return row

    return tuple(map(judged, rows))


def notices(query: Notices, context: Context) -> Deciding[Decision[Page[Notice]]]:
    """A page of the outbox."""
    status, endpoint = status_of(query.status, NOTICE_STATUSES), optional_text(query.endpoint, "an endpoint's name")
    rows = yield from ask(ListNotices(status, place_of(query.after), limit_of(query.limit), endpoint))
    return Decision(page_of(rows, query.limit, notice_of, lambda row: row.created_at))


def campaigns(query: Campaigns, context: Context) -> Deciding[Decision[tuple[CampaignUse, ...]]]:
    """All campaigns and the use of their caps."""
    catalogue = yield from newest(context)
    found = [catalogue.campaigns[name] for name in sorted(catalogue.campaigns)]
    return Decision((yield from uses_of(found)), (), catalogue)


def uses_of(found: Sequence[Campaign]) -> Deciding[tuple[CampaignUse, ...]]:
    """What is taken of the caps and the budgets of these campaigns."""
    rows = yield from ask(
        Counters(tuple(sorted({name for one in found for name in (one.counter, one.budget_counter)})))
    )
    taken = {row.name: (row.reserved, row.confirmed) for row in rows}

    def use(campaign: Campaign) -> CampaignUse:
        reserved, confirmed = taken.get(campaign.counter, (0, 0))
        committed, spent = taken.get(campaign.budget_counter, (0, 0))
        return CampaignUse(
            campaign.name,
            campaign.version,
            campaign.status,
            campaign.offer,
            campaign.cap,
            reserved,
            confirmed,
            tuple(variant.name for variant in campaign.variants),
            None if campaign.budget is None else money(campaign.money),
            money(committed),
            money(spent),
        )

    return tuple(map(use, found))
