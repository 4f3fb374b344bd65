"""User offers, in pages."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.folding import active
from rewardkit.core.offers.offering import user_offer_of
from rewardkit.core.requests.listing import limit_of, optional_text, place_of, status_of
from rewardkit.core.requests.queries import Page, UserOffers
from rewardkit.core.requests.records import UserOffer
from rewardkit.core.storing.needs import ListUserOffers, ask
from rewardkit.core.storing.progress import ACTIVE, Progress, key
from rewardkit.core.storing.rows import UserOfferRow
from rewardkit.core.storing.seen_needs import MembersSeen
from rewardkit.language.folding.program import IMPOSSIBLE

USER_OFFER_STATUSES = ("active", "earned", "expired", "cancelled", "capped", "held_out", "converted", "lapsed")


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
