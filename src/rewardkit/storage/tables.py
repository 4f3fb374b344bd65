"""Which table keeps which row, and what is unique in it: the one list that every store follows."""

from __future__ import annotations

from typing import Any

import attrs

from rewardkit.core.storing.attempt_rows import AttemptRow
from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.pool_rows import (
    CodeRow,
    HoldingRow,
    IssuanceRow,
    NewCodeRow,
    PoolRow,
    RedeemerRow,
    RedemptionRow,
    ReservationRow,
    SliceRow,
)
from rewardkit.core.storing.referral_rows import ReferralCodeRow, ReferralEnding, ReferralRow
from rewardkit.core.storing.rows import (
    AnswerRow,
    CounterRow,
    DefinitionRow,
    EndpointRow,
    EventRow,
    GrantRow,
    MemberRow,
    NoticeRow,
    RegisteredEndpointRow,
    Row,
    UserOfferEnding,
    UserOfferRow,
)


@attrs.frozen
class Table:
    """A table as one row type sees it: `UserOfferEnding` sees some columns of the table of `UserOfferRow`."""

    name: str
    row: type[Any]
    key: tuple[str, ...]
    unique: tuple[str, ...] = ()
    """Further columns of which no two rows of a tenant may have the same."""
    owner: str = "user"
    """The column that says whose the rows are, where there is one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """In the order of the row's fields."""
        columns: tuple[str, ...] = self.row._fields
        return columns


EVENT = Table("event", EventRow, ("user", "id"))
MEMBER = Table("member", MemberRow, ("user",))
DEFINITION = Table("definition", DefinitionRow, ("kind", "name", "version"), unique=("number",))
USER_OFFER = Table("user_offer", UserOfferRow, ("id",), unique=("user", "campaign", "entry"))
USER_OFFER_ENDING = Table("user_offer", UserOfferEnding, ("id",))
GRANT = Table("grant", GrantRow, ("id",))
GRANT_STEP = Table("grant_step", GrantStepRow, ("grant", "number"))
REFERRAL = Table("referral", ReferralRow, ("id",), unique=("recipient", "program"), owner="recipient")
REFERRAL_ENDING = Table("referral", ReferralEnding, ("id",))
REFERRAL_CODE = Table("referral_code", ReferralCodeRow, ("user",), unique=("code",))
POOL = Table("pool", PoolRow, ("id",), unique=("name",))
SLICE = Table("slice", SliceRow, ("pool", "slice"))
CODE = Table("code", CodeRow, ("key",), unique=("pool", "slice", "position"))
NEW_CODE = Table("code", NewCodeRow, ("key",))
ISSUANCE = Table("issuance", IssuanceRow, ("id",), unique=("key", "number"))
HOLDING = Table("holding", HoldingRow, ("pool", "issuee"))
REDEMPTION = Table("redemption", RedemptionRow, ("id",), unique=("key", "number"))
REDEEMER = Table("redeemer", RedeemerRow, ("key", "issuee"))
RESERVATION = Table("reservation", ReservationRow, ("id",))
NOTICE = Table("notice", NoticeRow, ("id",))
ENDPOINT = Table("endpoint", EndpointRow, ("name",))
REGISTERED_ENDPOINT = Table("registered_endpoint", RegisteredEndpointRow, ("name",))
COUNTER = Table("counter", CounterRow, ("name",))
ATTEMPT = Table("attempt", AttemptRow, ("subject",))
ANSWER = Table("answer", AnswerRow, ("operation", "key"))

POOL_TABLES = (POOL, SLICE, CODE, ISSUANCE, HOLDING, REDEMPTION, REDEEMER, RESERVATION)

TABLES = (
    EVENT,
    MEMBER,
    DEFINITION,
    USER_OFFER,
    GRANT,
    GRANT_STEP,
    REFERRAL,
    REFERRAL_CODE,
    *POOL_TABLES,
    NOTICE,
    ENDPOINT,
    REGISTERED_ENDPOINT,
    COUNTER,
    ANSWER,
    ATTEMPT,
)

TABLE_OF: dict[type[Row], Table] = {
    table.row: table for table in (*TABLES, USER_OFFER_ENDING, REFERRAL_ENDING, NEW_CODE)
}

READY = "ready"
"""The status of a grant that waits to be leased; partial indexes are made for it."""

HELD = "held"
"""The status of a grant that waits at a gate; partial indexes are made for it."""

UNDELIVERABLE = "undeliverable"
"""The status of a grant that somebody has to look at; a partial index is made for it."""

PENDING = "pending"
"""The status of a notice that waits to be delivered; partial indexes are made for it."""

DEAD = "dead"
"""The status of a notice that somebody has to look at; a partial index is made for it."""

REMOVED = "removed"
"""The status of a registered endpoint that is kept for its name alone."""

FIRST_PLACE = (0, -(2**63), "")
"""Before every event: what a new member has read."""
