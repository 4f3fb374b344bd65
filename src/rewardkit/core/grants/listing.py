"""Grants, in pages."""

from __future__ import annotations

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.grants.granting import covering, grant_of
from rewardkit.core.grants.life import GATES, HELD, STATUSES
from rewardkit.core.requests.listing import limit_of, optional_text, page_of, place_of, status_of
from rewardkit.core.requests.queries import Grants, Page
from rewardkit.core.requests.records import Grant
from rewardkit.core.storing.needs import ListGrants, ask
from rewardkit.errors import ValidationError


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
