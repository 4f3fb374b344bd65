"""What referrals come to, worked out slowly from all that was ever done; the core has to come to the same.

No state is folded: every condition is judged over its user's whole history by the language's specification.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b

import attrs

from rewardkit.core.referrals.commands import DefineReferralProgram
from rewardkit.core.requests.commands import DefineCampaign
from rewardkit.core.requests.variant import Variant
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, instant

DAY = 86_400_000_000


@attrs.define
class ModelReferral:
    """A referral, and the terms that it was made under."""

    sender: str
    recipient: str
    terms: DefineReferralProgram
    campaign: str
    made_at: int
    ends_at: int | None
    status: str = "open"
    sender_reward: str = ""
    places: tuple[str, ...] = ()
    """Under its campaign's caps, by the names of the day or of all time."""
    variant: str = ""


def caps(terms: DefineCampaign, at: int) -> dict[str, int]:
    """The caps of a referral campaign at an instant, by what they count."""
    found = {} if terms.cap is None else {"ever": terms.cap}
    return found | {f"{unit} {at // DAY}": cap for unit, cap in terms.caps_per.items() if unit == "day"}


@attrs.define
class Model:
    """All that was done, and what has been decided by it."""

    programs: dict[str, DefineReferralProgram] = attrs.field(factory=dict)
    """Newest versions, in the order in which they were first defined."""
    campaigns: dict[str, tuple[DefineCampaign, int]] = attrs.field(factory=dict)
    """With the instant of the launch, in the order in which they were first defined."""
    events: dict[str, list[Event]] = attrs.field(factory=dict)
    referrals: list[ModelReferral] = attrs.field(factory=list)
    taken: Counter[tuple[str, ...]] = attrs.field(factory=Counter)
    """Rewards by (program, sender) and by (program, sender, day)."""
    sent: dict[tuple[str, str], str] = attrs.field(factory=dict)
    """By (sender, campaign), the variant that she has referred on last."""

    def offered(self, sender: str, now: int) -> str | None:
        """The campaign whose program a sender offers."""
        found = []
        for number, (name, (terms, launched_at)) in enumerate(self.campaigns.items()):
            start = launched_at if terms.start is None else instant(terms.start)  # type: ignore[arg-type]
            end = None if terms.end is None else instant(terms.end)  # type: ignore[arg-type]
            open_ = start <= now and (end is None or now < end)
            if open_ and self.holds(terms, sender, now) and self.has_room(name, terms, now):
                evergreen = terms.sender is None and terms.end is None
                found.append((not evergreen, terms.priority, start, number, name))
        return max(found)[-1] if found else None

    def variant(self, sender: str, campaign: str) -> Variant:
        """What a sender offers by a campaign; without a name where it has no variants."""
        terms = self.campaigns[campaign][0]
        if not terms.variants:
            return Variant("", program=terms.program or "")
        known = {one.name: one for one in terms.variants}
        return known.get(self.sent.get((sender, campaign), "")) or self.drawn(sender, campaign)

    def drawn(self, sender: str, campaign: str) -> Variant:
        """What the hash alone says that she offers."""
        # Each variant as often as it weighs, so that a place among all of them is a place in a list.
        places = [one for one in self.campaigns[campaign][0].variants for _ in range(one.weight)]
        digest = blake2b(f"variant\x1f{campaign}\x1f{sender}".encode(), digest_size=8).digest()
        return places[int.from_bytes(digest, "big") * len(places) // 2**64]

    def has_room(self, name: str, terms: DefineCampaign, now: int) -> bool:
        """Whether fewer of its referrals are open or completed than each of its caps allows."""
        kept = [one for one in self.referrals if one.campaign == name and one.status in ("open", "completed")]
        return all(sum(place in one.places for one in kept) < cap for place, cap in caps(terms, now).items())

    def holds(self, terms: DefineCampaign, sender: str, now: int) -> bool:
        """Whether a campaign's condition on the sender holds."""
        if terms.sender is None:
            return True
        mine = [event for event in self.events.get(sender, ()) if event.at <= now]
        verdict = Condition.parse(terms.sender).judge(mine, start=None, now=now, mode="live")
        return verdict.status == "satisfied"

    def refusal(self, program: str, campaign: str, sender: str, recipient: str) -> str:
        """Why a referral cannot be made, or nothing."""
        if sender == recipient:
            return "self_referral"
        # Those of the recipient and of the sender, whoever comes first by name.
        before = sorted(self.referrals, key=lambda one: (one.recipient, one.made_at))
        for one in before:
            if one.terms.name != program and not (one.campaign and campaign):
                continue
            if one.recipient == recipient:
                return "already_referred"
            if (one.sender, one.recipient) == (recipient, sender):
                return "referral_circular"
        return ""

    def refer(self, program: str, campaign: str, sender: str, recipient: str, now: int) -> None:
        """Make a referral, and decide it as far as it can be."""
        terms = self.programs[program]
        variant = self.variant(sender, campaign).name if campaign else ""
        if variant:
            self.sent[sender, campaign] = variant
        lasts = None if terms.expires_after is None else int(terms.expires_after[:-1]) * 1_000_000
        self.referrals.append(
            ModelReferral(
                sender,
                recipient,
                terms,
                campaign,
                now,
                None if lasts is None else now + lasts,
                places=tuple(caps(self.campaigns[campaign][0], now)) if campaign else (),
                variant=variant,
            )
        )
        self.decide(now, recipient)

    def decide(self, now: int, recipient: str | None = None) -> None:
        """Decide what is decided by now, of one recipient or of all, in the order in which it was."""
        order = list(self.programs)
        decided = []
        for one in self.referrals:
            if one.status != "open" or recipient not in (None, one.recipient):
                continue
            verdict = Condition.parse(one.terms.condition).judge(
                self.events.get(one.recipient, ()), start=one.made_at, now=now, end=one.ends_at
            )
            if verdict.status != "pending" and verdict.decided_at is not None:
                place = instant(verdict.decided_at), one.recipient, order.index(one.terms.name)
                decided.append((place, verdict.status, one))
        for place, status, one in sorted(decided, key=lambda found: found[0]):
            one.status = "completed" if status == "satisfied" else "expired"
            if one.status == "completed":
                one.sender_reward = "granted" if self._place(one, place[0]) else "capped"

    def _place(self, one: ModelReferral, at: int) -> bool:
        """Take a place under the sender's caps, if there is one."""
        newest = self.programs[one.terms.name]
        ever, day = (newest.name, one.sender), (newest.name, one.sender, str(at // DAY))
        if newest.sender_cap is not None and self.taken[ever] >= newest.sender_cap:
            return False
        if newest.period_cap is not None:
            if self.taken[day] >= newest.period_cap:
                return False
            self.taken[day] += 1
        self.taken[ever] += 1
        return True

    def grants(self) -> Mapping[tuple[str, str, str], int]:
        """How many grants there are, by (user, program, side)."""
        found: Counter[tuple[str, str, str]] = Counter()
        for one in self.referrals:
            if one.status == "completed":
                found[one.recipient, one.terms.name, "recipient"] += 1
                if one.sender_reward == "granted":
                    found[one.sender, one.terms.name, "sender"] += 1
        return found
