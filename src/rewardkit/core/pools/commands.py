"""What callers can ask of pools: frozen records, each with the type of its answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from typing import Final, Literal

import attrs

from rewardkit.core.attempts.limits import LIMITS, AttemptLimits
from rewardkit.core.pools.alphabet import CROCKFORD
from rewardkit.core.pools.code import Code
from rewardkit.core.pools.import_report import ImportReport
from rewardkit.core.pools.issuance import Issuance
from rewardkit.core.pools.pool import Pool
from rewardkit.core.pools.redemption import Redemption
from rewardkit.core.pools.reservation import Reservation
from rewardkit.core.requests.answers import PoolDefined
from rewardkit.core.requests.commands import Command
from rewardkit.core.values.input import masked

MAX_CHARACTERS: Final = 50
RESERVATION_SECONDS: Final = 15 * 60


class Keep(Enum):
    """What is not to be changed."""

    AS_IT_IS = "as it is"


KEEP: Final = Keep.AS_IT_IS

When = datetime | date | str | None


def _codes(codes: Iterable[str]) -> tuple[str, ...]:
    return (codes,) if isinstance(codes, str) else tuple(codes)


def _shown(code: object) -> str:
    return masked(code) if isinstance(code, str) else "None"


@attrs.frozen
class CreatePool(Command[Pool]):
    """Make a pool of codes, empty.

    Args:
        name: unique among the tenant's pools.
        distribution: `unique`, a code is for one issuee and one redemption; or `multi`, many of both.
        issuance_allowed: whether codes may be issued.
        redemption_allowed: whether they may be redeemed.
        low_threshold: when so many remain, a notice `pool.low` is written, for the e-mail address; None for never.
        max_characters: of a code; longer ones are refused.
        notification_email_address: where notices are sent.
        bearer: whether a code may be redeemed that was never issued; its redemption issues it.
        redemption_limit: of one code; of a unique pool it is 1, of a multi pool None is no limit.
        issuee_redemption_limit: of one code by one issuee.
        valid_from: from this instant on codes may be redeemed. A date means its first instant, in UTC.
        valid_until: up to but not at this instant they may be issued and redeemed. A date means its end, in UTC.
    """

    name: str
    distribution: Literal["unique", "multi"] = attrs.field(default="unique", kw_only=True)
    issuance_allowed: bool = attrs.field(default=True, kw_only=True)
    redemption_allowed: bool = attrs.field(default=True, kw_only=True)
    low_threshold: int | None = attrs.field(default=None, kw_only=True)
    max_characters: int = attrs.field(default=MAX_CHARACTERS, kw_only=True)
    notification_email_address: str | None = attrs.field(default=None, kw_only=True, repr=False)
    bearer: bool = attrs.field(default=False, kw_only=True)
    redemption_limit: int | None = attrs.field(default=None, kw_only=True)
    issuee_redemption_limit: int | None = attrs.field(default=None, kw_only=True)
    valid_from: When = attrs.field(default=None, kw_only=True)
    valid_until: When = attrs.field(default=None, kw_only=True)


@attrs.frozen
class ChangePool(Command[Pool]):
    """Change a pool's terms; what is not given stays as it is. See `CreatePool`.

    The distribution may not change once a code has been issued.
    A pool that comes to lie at or under its low threshold by the change has fallen to it.
    """

    pool: int | str
    name: str | Keep = attrs.field(default=KEEP, kw_only=True)
    distribution: Literal["unique", "multi"] | Keep = attrs.field(default=KEEP, kw_only=True)
    issuance_allowed: bool | Keep = attrs.field(default=KEEP, kw_only=True)
    redemption_allowed: bool | Keep = attrs.field(default=KEEP, kw_only=True)
    low_threshold: int | Keep | None = attrs.field(default=KEEP, kw_only=True)
    max_characters: int | Keep = attrs.field(default=KEEP, kw_only=True)
    notification_email_address: str | Keep | None = attrs.field(default=KEEP, kw_only=True, repr=False)
    bearer: bool | Keep = attrs.field(default=KEEP, kw_only=True)
    redemption_limit: int | Keep | None = attrs.field(default=KEEP, kw_only=True)
    issuee_redemption_limit: int | Keep | None = attrs.field(default=KEEP, kw_only=True)
    valid_from: When | Keep = attrs.field(default=KEEP, kw_only=True)
    valid_until: When | Keep = attrs.field(default=KEEP, kw_only=True)


@attrs.frozen
class DefinePool(Command[PoolDefined]):
    """Have a pool of this name, with these terms: made where there is none, and changed where it differs.

    What is not given stays as it is, and is as of `CreatePool` in a new pool; see there, and `ChangePool`.
    """

    name: str
    distribution: Literal["unique", "multi"] | Keep = attrs.field(default=KEEP, kw_only=True)
    issuance_allowed: bool | Keep = attrs.field(default=KEEP, kw_only=True)
    redemption_allowed: bool | Keep = attrs.field(default=KEEP, kw_only=True)
    low_threshold: int | Keep | None = attrs.field(default=KEEP, kw_only=True)
    max_characters: int | Keep = attrs.field(default=KEEP, kw_only=True)
    notification_email_address: str | Keep | None = attrs.field(default=KEEP, kw_only=True, repr=False)
    bearer: bool | Keep = attrs.field(default=KEEP, kw_only=True)
    redemption_limit: int | Keep | None = attrs.field(default=KEEP, kw_only=True)
    issuee_redemption_limit: int | Keep | None = attrs.field(default=KEEP, kw_only=True)
    valid_from: When | Keep = attrs.field(default=KEEP, kw_only=True)
    valid_until: When | Keep = attrs.field(default=KEEP, kw_only=True)

    def created(self) -> CreatePool:
        """What makes it where there is none."""
        given = {name: value for name, value in attrs.asdict(self).items() if value is not KEEP}
        return CreatePool(**given)


@attrs.frozen
class ImportCodes(Command[ImportReport]):
    """Add codes to a pool, up to 10,000 at once; those that cannot be added are refused row by row.

    A code is refused where it is too long for the pool, empty or not printable ASCII, or where some code of the tenant
    reads the same: in any case, with blanks and dashes or without, and with look-alikes such as `O` and `0`.

    Args:
        pool: its id or name.
        codes: in the order of their rows.
        first_row: the row of the first, for the report.
    """

    pool: int | str
    codes: tuple[str, ...] = attrs.field(converter=_codes, repr=lambda codes: f"({len(codes)} codes)")
    first_row: int = attrs.field(default=1, kw_only=True)


@attrs.frozen
class GenerateCodes(Command[ImportReport]):
    """Add random codes to a pool, up to 10,000 at once; `kit.generate_codes` makes any number.

    Args:
        pool: its id or name.
        count: how many are added.
        length: of the characters that are drawn, where there is no pattern.
        prefix: in front of them.
        pattern: such as `SAVE-####-####`, in which each `#` is drawn; in place of length and prefix.
        alphabet: what is drawn from: no two characters that look alike; or a name: `crockford`, or `wordless`, in
            which no words can be read.
        check: whether a check character follows, by which typing errors are told from guesses.
        allow_guessable: whether less than 40 bits may be drawn, or more than one code in a million may be there.
        planned: how many are to be added by this command and those after it, which are refused together; default is
            its own count.
    """

    pool: int | str
    count: int
    length: int = attrs.field(default=12, kw_only=True)
    prefix: str = attrs.field(default="", kw_only=True)
    pattern: str | None = attrs.field(default=None, kw_only=True)
    alphabet: str = attrs.field(default=CROCKFORD.characters, kw_only=True)
    check: bool = attrs.field(default=False, kw_only=True)
    allow_guessable: bool = attrs.field(default=False, kw_only=True)
    planned: int | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class IssueCode(Command[Issuance]):
    """Issue a code of a pool.

    An issuee who has a code of the pool gets the same one again, under a new issuance.

    Args:
        pool: its id or name.
        external_issuee_id: what you call the issuee; None for somebody anonymous.
        issuee_id: of an issuee of before, in place of the external id.
        code: this one and no other.
        referring_application: that asks for it, for the record.
        referring_application_ref_id: what it is for there, such as a campaign's id.
    """

    pool: int | str
    external_issuee_id: str | None = attrs.field(default=None, repr=False)
    issuee_id: str | None = attrs.field(default=None, kw_only=True)
    code: str | None = attrs.field(default=None, kw_only=True, repr=_shown)
    referring_application: str | None = attrs.field(default=None, kw_only=True)
    referring_application_ref_id: str | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class RedeemCode(Command[Redemption]):
    """Redeem a code, of whatever pool.

    Args:
        code: as it was typed.
        external_issuee_id: who redeems it; of a unique pool nobody else than the one who has it.
        issuee_id: the same, in place of the external id.
        referring_application: that redeems it, for the record.
        referring_application_ref_id: what it is for there, such as an order's id.
        public: whether the answer goes to somebody who may be guessing: then all refusals are the same, and attempts
            are counted, refused ones too; not inside a host's transaction, whose rollback would forget them.
        subject: who tries, such as a user, a session or an address; default is the issuee, where one is given.
        origin: where that comes from and many may, such as a network; limited by the minute, and never locked out.
        limits: how many attempts are listened to.
    """

    code: str = attrs.field(repr=_shown)
    external_issuee_id: str | None = attrs.field(default=None, kw_only=True, repr=False)
    issuee_id: str | None = attrs.field(default=None, kw_only=True)
    referring_application: str | None = attrs.field(default=None, kw_only=True)
    referring_application_ref_id: str | None = attrs.field(default=None, kw_only=True)
    public: bool = attrs.field(default=False, kw_only=True)
    subject: str | None = attrs.field(default=None, kw_only=True, repr=False)
    origin: str = attrs.field(default="", kw_only=True, repr=False)
    limits: AttemptLimits = attrs.field(default=LIMITS, kw_only=True)


@attrs.frozen
class CheckCode(Command[Code]):
    """Look whether a code could be redeemed now, for somebody who may be guessing; counted as an attempt.

    A code that could not be is refused, and all refusals are the same. `CodeStatus` tells an operator.

    Args:
        code: as it was typed.
        external_issuee_id, issuee_id, subject, origin, limits: see `RedeemCode`.
    """

    code: str = attrs.field(repr=_shown)
    external_issuee_id: str | None = attrs.field(default=None, kw_only=True, repr=False)
    issuee_id: str | None = attrs.field(default=None, kw_only=True)
    subject: str | None = attrs.field(default=None, kw_only=True, repr=False)
    origin: str = attrs.field(default="", kw_only=True, repr=False)
    limits: AttemptLimits = attrs.field(default=LIMITS, kw_only=True)


@attrs.frozen
class ReserveCode(Command[Reservation]):
    """Keep a redemption of a code free for a while, such as for a payment that may fail; then confirm or release it.

    Reserving again under the same reservation keeps one, for `seconds` from now on.

    Args:
        code: as it was typed.
        reservation: a name of yours for it, such as an order's id; one is made up where there is none.
        seconds: how long, at most a day; never beyond the end of the pool's validity.
        external_issuee_id, issuee_id, referring_application, referring_application_ref_id: see `RedeemCode`.
        public, subject, origin, limits: see `RedeemCode`.
    """

    code: str = attrs.field(repr=_shown)
    reservation: str | None = attrs.field(default=None, kw_only=True)
    seconds: int = attrs.field(default=RESERVATION_SECONDS, kw_only=True)
    external_issuee_id: str | None = attrs.field(default=None, kw_only=True, repr=False)
    issuee_id: str | None = attrs.field(default=None, kw_only=True)
    referring_application: str | None = attrs.field(default=None, kw_only=True)
    referring_application_ref_id: str | None = attrs.field(default=None, kw_only=True)
    public: bool = attrs.field(default=False, kw_only=True)
    subject: str | None = attrs.field(default=None, kw_only=True, repr=False)
    origin: str = attrs.field(default="", kw_only=True, repr=False)
    limits: AttemptLimits = attrs.field(default=LIMITS, kw_only=True)


@attrs.frozen
class ConfirmReservation(Command[Redemption]):
    """Redeem what was reserved; confirming it again answers the same redemption."""

    reservation: str


@attrs.frozen
class ReleaseReservation(Command[Reservation]):
    """Give back what was reserved; releasing it again changes nothing."""

    reservation: str


@attrs.frozen
class RollBackRedemption(Command[Redemption]):
    """Take a redemption back, once: the code can be redeemed again as often as before. The record stays."""

    redemption: int


@attrs.frozen
class DeactivateCode(Command[Code]):
    """Issue a code no more, until it is activated; who has it may redeem it."""

    code: str = attrs.field(repr=_shown)


@attrs.frozen
class ActivateCode(Command[Code]):
    """Let a code be issued again that was deactivated."""

    code: str = attrs.field(repr=_shown)


@attrs.frozen
class VoidCode(Command[Code]):
    """Let a code never again be issued or redeemed; its open reservations cannot be confirmed."""

    code: str = attrs.field(repr=_shown)
