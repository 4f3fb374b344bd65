"""A referral program as it is kept: two rewards and one condition; one immutable version a row, its body as JSON."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import attrs

from rewardkit.core.definitions.grant_terms import PARTS, Terms
from rewardkit.core.storing.progress import REFERRAL, key
from rewardkit.core.storing.rows import DefinitionRow
from rewardkit.core.values import limits, payload
from rewardkit.language.civil import bucket_date, local_date
from rewardkit.language.condition import Condition
from rewardkit.language.folding.program import Program

REFERRAL_PROGRAM: Final = "referral_program"
PERIODS: Final = ("day", "week", "month", "quarter", "year")
_BESIDE: Final = frozenset(("id", "name", "version", "number", "epoch"))
"""What stands beside a row's body, or follows from the rows."""


@attrs.frozen(slots=False)
class ReferralProgram:
    """A version of a referral program."""

    id: int
    """The same for all versions: which program of the tenant it was, from 0."""
    name: str
    version: int
    number: int
    """Unique over all definitions of the tenant; what packed progress refers to."""
    epoch: int
    """That began with this version."""
    sender_reward: str
    sender_reward_version: int
    recipient_reward: str
    recipient_reward_version: int
    condition: str
    """On the recipient: canonical text with every `@name` inlined."""
    source: str
    """As it was written."""
    expires_after: int | None
    """Microseconds."""
    sender_cap: int | None
    """Rewards that one sender can earn at all."""
    period_cap: int | None
    """The same in one period of the calendar."""
    period: str
    """One of `PERIODS`."""
    zone: str
    """Of its periods, and of the days, weeks and months of its condition."""
    hold: int | None = None
    """Of the terms of both sides' grants; the same below."""
    review: str = ""
    reversal: str = PARTS
    reversal_frees: bool = False

    @cached_property
    def terms(self) -> Terms:
        """What becomes of its grants."""
        return Terms(self.hold, self.review, self.reversal, self.reversal_frees)

    @cached_property
    def folding(self) -> Program:
        """The compiled condition."""
        return Condition.parse(self.condition).program(zone=self.zone)

    @property
    def slot(self) -> int:
        """Where the recipient's progress is kept."""
        return key(self.id + 1, REFERRAL)

    @property
    def lifetime_cap(self) -> int:
        """What `sender_cap` comes to: all are counted, so that a cap that is set later counts those before it."""
        return limits.CAP if self.sender_cap is None else self.sender_cap

    def period_of(self, at: int) -> str:
        """The period that holds an instant, as its unit and first date; empty where periods have no cap."""
        if self.period_cap is None:
            return ""
        return f"{self.period} {bucket_date(local_date(at, self.zone), self.period).isoformat()}"

    def counter(self, sender: str, period: str = "") -> str:
        """The name of the counter of a sender's rewards: of a period, or of all time."""
        return f"referral/{self.id}/{period or 'ever'}/{sender}"

    def body(self) -> dict[str, Any]:
        """What a row's body says."""
        fields = attrs.fields(ReferralProgram)
        return {field.name: getattr(self, field.name) for field in fields if field.name not in _BESIDE}

    def meaning(self) -> dict[str, Any]:
        """What makes another version where it differs: all of the body but how the condition was written."""
        return self.body() | {"source": None}


def referral_program_of(row: DefinitionRow, program_id: int) -> ReferralProgram:
    """The referral program of a row."""
    body = payload.read(row.body, REFERRAL_PROGRAM)
    return ReferralProgram(
        id=program_id, name=row.name, version=row.version, number=row.number, epoch=row.epoch, **body
    )
