"""A redemption, as callers see it."""

from __future__ import annotations

from datetime import datetime

import attrs

from rewardkit.core.deciding.context import Context
from rewardkit.core.pools.link import code_url, pool_url
from rewardkit.core.pools.use import Use
from rewardkit.core.storing.pool_rows import RedemptionRow
from rewardkit.language.event import moment


@attrs.frozen
class Redemption(Use):
    """A code was redeemed, and perhaps that was rolled back."""

    reservation: str | None = attrs.field(default=None, kw_only=True)
    """The reservation that became it."""
    rolled_back_at: datetime | None = attrs.field(default=None, kw_only=True)


def redemption_record(context: Context, row: RedemptionRow) -> Redemption:
    """The public record of a redemption."""
    return Redemption(
        id=row.id,
        external_issuee_id=row.external_issuee or None,
        issuee_id=row.issuee,
        referring_application=row.application or None,
        referring_application_ref_id=row.reference or None,
        code=row.code,
        code_url=code_url(context.tenant, row.code),
        pool_id=row.pool,
        pool_url=pool_url(context.tenant, row.pool),
        updated_at=moment(row.created_at if row.rolled_back_at is None else row.rolled_back_at),
        created_at=moment(row.created_at),
        reservation=row.reservation or None,
        rolled_back_at=None if row.rolled_back_at is None else moment(row.rolled_back_at),
    )
