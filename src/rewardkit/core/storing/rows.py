"""What a store keeps, row by row: the schema as the core sees it.

A row is a plain tuple of text, bytes and integers: every store keeps it without a codec and gives it back as it was.
Instants are microseconds since 1970 UTC.
The tenant is not a column here: a transaction belongs to one tenant, and the store puts it in front of every row.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

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


class EventRow(NamedTuple):
    """An accepted event. Key: (user, id)."""

    user: str
    id: str
    at: int
    order: int
    name: str
    properties: str
    """JSON, decimals exact."""
    digest: bytes
    """Of the body as the caller gave it; tells a retry from a conflict."""


class MemberRow(NamedTuple):
    """A user who is known: her progress, packed. Key: (user). Indexed by wake_at where it is not null."""

    user: str
    epoch: int
    """The definitions that her history has been folded to."""
    at: int
    order: int
    id: str
    """With `at` and `order`: the last place in her total order that has been read."""
    wake_at: int | None
    """When time alone may next change something."""
    state: bytes


def unheard(user: str, epoch: int) -> MemberRow:
    """The row of a user of whom nothing was heard."""
    return MemberRow(user, epoch, 0, -(2**63), "", None, b"")


class DefinitionRow(NamedTuple):
    """One version of a definition, never changed. Key: (kind, name, version); `number` is unique too."""

    kind: str
    name: str
    version: int
    number: int
    body: str
    """JSON."""
    epoch: int
    """The epoch that began with it."""


class UserOfferRow(NamedTuple):
    """An offer made to one user. Key: (id). Unique too: (user, campaign, entry)."""

    id: str
    user: str
    campaign: str
    campaign_version: int
    offer: str
    offer_version: int
    entry: int
    """The how-manieth entry of this user into this campaign, from 1."""
    status: str
    made_at: int
    start_order: int
    start_id: str
    """With `made_at` and `start_order`: the place after which its scope begins."""
    ends_at: int | None
    ended_at: int | None
    reason: str
    variant: str = ""
    """Of its campaign, by name; empty where it has none."""


class UserOfferEnding(NamedTuple):
    """The columns of a user offer that change, once, when it ends. Key: (id)."""

    id: str
    status: str
    ended_at: int
    reason: str


class GrantRow(NamedTuple):
    """A reward earned, by an offer or on one side of a referral.

    Key: (id). Indexed by user, and by status where it asks for somebody.
    """

    id: str
    user: str
    user_offer: str
    """Empty where there is a referral."""
    campaign: str
    offer: str
    """The definition that it was earned under: where there is a referral, its program."""
    offer_version: int
    reward: str
    reward_version: int
    status: str
    earned_at: int
    event_id: str
    """The event that decided, or empty where time did."""
    lease: int
    """Fencing token: grows with each lease, and with each failure, which ends one."""
    lease_until: int
    """It cannot be leased before: because it is leased, or, where this is `retry_at`, because it has failed."""
    fulfilled_at: int | None
    referral: str
    """Or empty, where it was earned by an offer."""
    side: str
    """Of the referral: `sender` or `recipient`; or empty."""
    held_for: str = ""
    """The gate that a held one waits at: `budget`, `review`, `hold` or `pool`; empty in every other status."""
    hold_until: int | None = None
    """The end of its hold period, where it has one."""
    flags: str = ""
    """JSON, a list of texts: what its check found; empty until it has been checked."""
    failures: int = 0
    """Since it was last put back."""
    retry_at: int | None = None
    """After the newest failure: not before this instant is it leased again."""
    reason: str = ""
    """Of the newest failure, denial or reversal; or why a held one has no code yet."""
    reversed: str = ""
    """How much of its amount has been taken back, as a decimal; empty for nothing."""
    freed: int = 0
    """1 where its place under the caps was given back."""
    steps: int = 0
    """How many steps it has."""
    pool: int | None = None
    """The pool that its code is from; or, where it is held for that, from which it waits for one."""
    code: str = ""
    """As it was made or imported; empty where its reward issues none, or it has none yet."""
    issuance: int | None = None
    """Of its code."""


class NoticeRow(NamedTuple):
    """A message to the outside. Key: (id). Indexed by (attempt_at, id) where status is `pending`."""

    id: str
    kind: str
    user: str
    body: bytes
    status: str
    """`pending`, `delivered` or `dead`."""
    created_at: int
    attempt_at: int
    """Not before this instant; a lease pushes it forward."""
    attempts: int
    lease: int
    """Fencing token: how often it has been leased."""
    error: str
    """Why the last attempt failed, endpoint by endpoint."""
    settled: str
    """JSON: by the name of an endpoint that is through with it, empty where it has it, else why it will not."""
    endpoint: str = ""
    """The registered endpoint that alone is told it; empty where it is for the notifiers of the host's own."""


class EndpointRow(NamedTuple):
    """An endpoint that has ever been gone. Key: (name)."""

    name: str
    status: str
    """`enabled` or `gone`."""
    since: int
    reason: str


class RegisteredEndpointRow(NamedTuple):
    """An endpoint that the tenant registered; once removed it stays, so that its secrets never come back. Key: (name).

    No secret is in it: secrets are derived from tenant, name and generation by whoever holds the master secret.
    """

    name: str
    url: str
    """Empty once it is removed."""
    kinds: str
    """JSON: the kinds of notices that it wants, sorted; null for all."""
    status: str
    """`enabled`, `gone` or `removed`."""
    since: int
    """Of its status, or of its URL where that is newer."""
    reason: str
    registered_at: int
    generation: int
    """Of its secret, from 1; it only grows."""
    rotated_at: int
    """When this generation began."""
    previous_until: int
    """Up to here the generation before signs too."""

    def __repr__(self) -> str:
        # Its URL may hold a token, and tracebacks show rows.
        return f"RegisteredEndpointRow({self.name!r}, {self.status!r})"


class CounterRow(NamedTuple):
    """A limit and what has been taken of it. Key: (name).

    Checked: 0 <= reserved, 0 <= confirmed, reserved + confirmed <= cap.
    """

    name: str
    cap: int
    """Of the last claim; or what had been taken by then, where a lower cap came too late for it."""
    reserved: int
    confirmed: int
    granted: int
    """What the last claim got, so that one statement both takes and tells."""


class AnswerRow(NamedTuple):
    """What a command answered under an idempotency key. Key: (operation, key)."""

    operation: str
    key: str
    digest: bytes
    """Of what was asked; empty where nothing has been answered."""
    answer: str
    """Empty until the command is decided; `REFUSED` where it was refused, and something was kept all the same."""
    at: int


REFUSED: Final = "refused"
"""What a key has come to whose command was refused: nothing, and it may be used again."""


Row: TypeAlias = (
    EventRow
    | MemberRow
    | DefinitionRow
    | UserOfferRow
    | UserOfferEnding
    | GrantRow
    | ReferralRow
    | ReferralEnding
    | ReferralCodeRow
    | GrantStepRow
    | PoolRow
    | SliceRow
    | CodeRow
    | NewCodeRow
    | IssuanceRow
    | HoldingRow
    | RedemptionRow
    | RedeemerRow
    | ReservationRow
    | NoticeRow
    | EndpointRow
    | RegisteredEndpointRow
    | CounterRow
    | AnswerRow
    | AttemptRow
)
