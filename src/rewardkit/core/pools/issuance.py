"""An issuance, as callers see it."""

from __future__ import annotations

import attrs

from rewardkit.core.deciding.context import Context
from rewardkit.core.pools.link import code_url, pool_url
from rewardkit.core.pools.use import Use
from rewardkit.core.storing.pool_rows import IssuanceRow
from rewardkit.language.event import moment


@attrs.frozen
class Issuance(Use):
    """A code was given to an issuee. It counts as updated when its code is."""


def issuance_record(context: Context, row: IssuanceRow, updated_at: int) -> Issuance:
    """The public record of an issuance."""
    return Issuance(
        id=row.id,
        external_issuee_id=row.external_issuee or None,
        issuee_id=row.issuee,
        referring_application=row.application or None,
        referring_application_ref_id=row.reference or None,
        code=row.code,
        code_url=code_url(context.tenant, row.code),
        pool_id=row.pool,
        pool_url=pool_url(context.tenant, row.pool),
        updated_at=moment(updated_at),
        created_at=moment(row.created_at),
    )
