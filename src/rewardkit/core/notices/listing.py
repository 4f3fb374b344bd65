"""Notices, in pages."""

from __future__ import annotations

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.notices.notice import notice_of
from rewardkit.core.requests.listing import limit_of, optional_text, page_of, place_of, status_of
from rewardkit.core.requests.queries import Notices, Page
from rewardkit.core.requests.records import Notice
from rewardkit.core.storing.needs import ListNotices, ask

NOTICE_STATUSES = ("pending", "delivered", "dead")


def notices(query: Notices, context: Context) -> Deciding[Decision[Page[Notice]]]:
    """A page of the outbox."""
    status, endpoint = status_of(query.status, NOTICE_STATUSES), optional_text(query.endpoint, "an endpoint's name")
    rows = yield from ask(ListNotices(status, place_of(query.after), limit_of(query.limit), endpoint))
    return Decision(page_of(rows, query.limit, notice_of, lambda row: row.created_at))
