"""A reservation, as callers see it."""

from __future__ import annotations

from datetime import datetime

import attrs

from rewardkit.core.storing.pool_rows import ReservationRow
from rewardkit.core.values.input import masked
from rewardkit.language.event import moment


@attrs.frozen
class Reservation:
    """A redemption that is kept free until `expires_at`: `open`, then `confirmed` or `released`."""

    id: str
    code: str = attrs.field(repr=masked)
    pool_id: int
    issuee_id: str
    status: str
    expires_at: datetime
    redemption: int | None
    """The id of what it became when it was confirmed."""


def reservation_record(row: ReservationRow) -> Reservation:
    """The public record of a reservation."""
    return Reservation(row.id, row.code, row.pool, row.issuee, row.status, moment(row.expires_at), row.redemption)
