"""A referral campaign as it is kept: which senders offer which program, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from rewardkit.core.definitions.budget import QUEUE, STOP
from rewardkit.core.definitions.campaign_terms import period_of
from rewardkit.core.definitions.draws import chosen, is_held_out
from rewardkit.core.definitions.entry_places import BUDGET, EVER, money_place, place_counter
from rewardkit.core.requests.variant import Variant, copy_with, variant_body
from rewardkit.core.storing.rows import DefinitionRow
from rewardkit.core.values import payload

REFERRAL_CAMPAIGN: Final = "referral_campaign"
_BESIDE: Final = frozenset(("id", "name", "version", "epoch"))


@attrs.frozen(slots=False)
class ReferralCampaign:
    """A version of a referral campaign."""

    id: int
    """The same for all versions: which referral campaign of the tenant it was, from 0."""
    name: str
    version: int
    epoch: int
    """That began with this version."""
    program: str
    """That its senders offer; empty where it has variants."""
    sender: str | None
    """On the sender: canonical text with every `@name` inlined; None is everybody."""
    sender_source: str | None
    """As it was written."""
    start: int | None
    end: int | None
    zone: str
    priority: int
    status: str
    """`draft`, `live`, `paused` or `ended`."""
    launched_at: int | None
    pauses: tuple[tuple[int, int | None], ...] = ()
    """From when up to when nobody offered it; the last one may be going on."""
    copy: Mapping[str, str] = attrs.field(factory=dict)
    holdout: int = 0
    """The share of senders who do not offer it, in millionths."""
    cap: int | None = None
    """On referrals that are open or completed, over all senders."""
    caps_per: Mapping[str, int] = attrs.field(factory=dict)
    """The same of those that were entered in one period, by the unit of the calendar."""
    variants: tuple[Variant, ...] = ()
    numbers: Mapping[str, int] = attrs.field(factory=dict)
    """Of all variants that it ever had, by name: what senders' rows refer to."""
    budget: int | None = None
    """In ten-thousandths; None is unlimited. Whether there is one is pinned by the launch."""
    at_exhaustion: str = STOP
    """Pinned likewise."""
    replenished: int = 0
    """What was added to the budget since."""

    @property
    def opens_at(self) -> int:
        """The first instant at which senders offer it.

        Raises:
            ValueError: it is a draft.
        """
        if self.launched_at is None:
            raise ValueError(f"referral campaign `{self.name}` is a draft")
        return self.launched_at if self.start is None else self.start

    def is_open_at(self, at: int) -> bool:
        """Whether senders offer it at an instant: from its start on, up to but not at its end, and not in a pause."""
        if self.launched_at is None or at < self.opens_at or (self.end is not None and self.end <= at):
            return False
        return not any(begin <= at and (end is None or at < end) for begin, end in self.pauses)

    @property
    def is_evergreen(self) -> bool:
        """Whether everybody offers it, without end: the fallback of all others."""
        return (
            self.sender is None
            and self.end is None
            and not (self.holdout or self.cap or self.caps_per)
            and self.budget is None
        )

    @property
    def is_limited(self) -> bool:
        """Whether it may have no place left for a recipient."""
        return bool(self.cap or self.caps_per) or self.stops

    def caps_at(self, at: int) -> dict[str, int]:
        """Its caps, by the places that a referral takes under them that is entered at an instant."""
        found = {} if self.cap is None else {EVER: self.cap}
        return found | {f"{unit} {period_of(at, unit, self.zone)}": cap for unit, cap in self.caps_per.items()}

    def limits(self, at: int, costs: tuple[int, int]) -> dict[str, int]:
        """The same, and its money, if that is taken at an entry; `costs` are those of the sender and the recipient."""
        return self.caps_at(at) | ({money_place(*costs): self.money} if self.stops else {})

    @property
    def money(self) -> int:
        """The whole budget, replenishments included."""
        return (self.budget or 0) + self.replenished

    @property
    def stops(self) -> bool:
        """Whether it has a budget, of which money is reserved when a recipient enters."""
        return self.budget is not None and not self.queues

    @property
    def queues(self) -> bool:
        """Whether it has a budget that is asked when a referral is completed, and not when a recipient enters."""
        return self.budget is not None and self.at_exhaustion == QUEUE

    @property
    def budget_counter(self) -> str:
        """The name of the counter behind its budget."""
        return f"budget/{self.name}" if self.queues else place_counter(self.name, BUDGET)

    def holds_out(self, sender: str) -> bool:
        """Whether a sender is among those who do not offer it, by a hash alone: always the same."""
        return is_held_out(self.name, sender, self.holdout)

    @property
    def programs(self) -> frozenset[str]:
        """The names of all programs that its senders offer."""
        return frozenset(variant.program for variant in self.variants) or frozenset({self.program})

    def variant(self, sender: str, number: int) -> Variant:
        """What a sender offers: what she has referred on, as long as there is such a variant, else what a hash draws.

        Args:
            sender: who.
            number: of the variant that she has referred on, or 0.

        Returns:
            it; of a campaign that has none, one without a name.
        """
        if not self.variants:
            return Variant("", program=self.program)
        kept = (one for one in self.variants if self.numbers[one.name] == number)
        return next(kept, None) or chosen(self.name, sender, self.variants)

    def copy_for(self, variant: str) -> dict[str, str]:
        """The texts of a variant, by name, over those of the campaign."""
        return copy_with(self.copy, self.variants, variant)

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """Of those that are open, a sender offers the one with the greatest: fallbacks last, then by priority, then
        the most recently started.
        """
        return not self.is_evergreen, self.priority, self.opens_at, self.id

    def body(self) -> dict[str, Any]:
        """What a row's body says."""
        fields = attrs.fields(ReferralCampaign)
        body = {field.name: getattr(self, field.name) for field in fields if field.name not in _BESIDE}
        return body | {
            "variants": [variant_body(variant) for variant in self.variants],
            "pauses": [list(pause) for pause in self.pauses],
        }

    def meaning(self) -> dict[str, Any]:
        """What makes another version where it differs: all of the body but how the condition was written."""
        return self.body() | {"sender_source": None}


def referral_campaign_of(row: DefinitionRow, campaign_id: int) -> ReferralCampaign:
    """The referral campaign of a row."""
    body = payload.read(row.body, REFERRAL_CAMPAIGN)
    body["variants"] = tuple(Variant(**variant) for variant in body.get("variants", ()))
    body["pauses"] = tuple((begin, end) for begin, end in body.get("pauses", ()))
    return ReferralCampaign(id=campaign_id, name=row.name, version=row.version, epoch=row.epoch, **body)
