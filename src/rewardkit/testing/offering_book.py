"""Which referral campaigns senders offer, by what they were defined as.

Who is drawn for which variant, who is held out, and which have places left.

Written down a second time: nothing here asks the code that decides it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from hashlib import blake2b

import attrs

from rewardkit.core.requests.answers import CampaignState, Defined
from rewardkit.core.requests.commands import DefineCampaign, EndCampaign, LaunchCampaign, PauseCampaign, ResumeCampaign
from rewardkit.core.requests.variant import Variant
from rewardkit.core.storing.referral_rows import ReferralRow
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, Instant, instant
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.calendar import period_of
from rewardkit.testing.deed import Deed

_COUNTERS = "at-entry/"
"""What the names of their counters begin with."""
MONEY = f"{_COUNTERS}budget/"
"""The same of those of their money that is reserved when a recipient enters."""


@attrs.define
class Offering:
    """A referral campaign; all are in UTC."""

    terms: DefineCampaign
    number: int
    """In the order in which they were first defined."""
    launched_at: Instant | None = None
    ended_at: Instant | None = None
    paused: bool = False

    @property
    def start(self) -> Instant | None:
        return self.launched_at if self.terms.start is None else instant(self.terms.start)  # type: ignore[arg-type]

    @property
    def end(self) -> Instant | None:
        ends = (None if self.terms.end is None else instant(self.terms.end), self.ended_at)  # type: ignore[arg-type]
        return min((one for one in ends if one is not None), default=None)

    @property
    def is_capped(self) -> bool:
        return self.terms.cap is not None or bool(self.terms.caps_per)

    @property
    def is_limited(self) -> bool:
        """Whether it may have no place left for a recipient."""
        return self.is_capped or (self.terms.budget is not None and self.terms.at_exhaustion == "stop")

    @property
    def rank(self) -> tuple[bool, int, Instant, int]:
        """The greatest comes first; a fallback is one that nobody and nothing keeps from being offered."""
        limited = self.is_capped or self.terms.budget is not None or bool(self.terms.holdout)
        fallback = self.terms.sender is None and self.end is None and not limited
        return not fallback, self.terms.priority, self.start or 0, self.number

    def closed(self, now: Instant) -> str:
        """Why nobody offers it now, or nothing."""
        if self.launched_at is None:
            return "campaign_draft"
        if self.start is not None and now < self.start:
            return "campaign_not_started"
        if self.end is not None and self.end <= now:
            return "campaign_over"
        return "campaign_paused" if self.paused else ""

    def admits(self, history: Iterable[Event], now: Instant) -> bool:
        """Whether its condition on a sender holds after what she has done by now."""
        if self.terms.sender is None:
            return True
        known = [event for event in history if event.at <= now]
        return Condition.parse(self.terms.sender).judge(known, start=None, now=now, mode="live").status == "satisfied"

    def holds_out(self, sender: str) -> bool:
        """By the digest of purpose, campaign and sender, which lies evenly between nothing and the whole."""
        return _place(f"holdout\x1f{self.terms.name}\x1f{sender}") < _share(self.terms.holdout)

    def variant(self, sender: str, before: str) -> Variant:
        """What a sender offers: the variant that she referred on before, if it is there, or else what a digest draws.

        Without a name where there are none.
        """
        if not self.terms.variants:
            return Variant("", program=self.terms.program or "")
        for one in self.terms.variants:
            if one.name == before:
                return one
        # Each as often as it weighs, so that a place among all of them is a place in a list.
        places = [one for one in self.terms.variants for _ in range(one.weight)]
        return places[int(_place(f"variant\x1f{self.terms.name}\x1f{sender}") * len(places))]

    def places(self, at: Instant) -> Mapping[str, int]:
        """Its caps on what is entered at an instant, by the name of what they count."""
        found = {} if self.terms.cap is None else {"ever": self.terms.cap}
        return found | {f"{unit} {period_of(at, unit)}": cap for unit, cap in self.terms.caps_per.items()}


class OfferingBook:
    """Follows referral campaigns and the places that referrals take under their caps."""

    def __init__(self) -> None:
        self._known: dict[str, Offering] = {}
        self._places: dict[str, tuple[str, ...]] = {}
        """Of referrals, by their ids: the caps that there were when they were entered."""
        self._sent: dict[tuple[str, str], str] = {}
        """By sender and campaign, the variant that she has referred on last."""

    def learn(self, deed: Deed) -> None:
        """Take note of what was defined, launched, paused and ended."""
        command = deed.command
        if isinstance(command, DefineCampaign) and is_offering(command) and isinstance(deed.answer, Defined):
            self._known.setdefault(command.name, Offering(command, len(self._known))).terms = command
        elif isinstance(deed.answer, CampaignState) and deed.answer.name in self._known:
            campaign = self._known[deed.answer.name]
            if isinstance(command, LaunchCampaign) and campaign.launched_at is None:
                campaign.launched_at = deed.at
            elif isinstance(command, EndCampaign) and campaign.ended_at is None:
                campaign.ended_at = deed.at
            elif isinstance(command, PauseCampaign | ResumeCampaign):
                campaign.paused = isinstance(command, PauseCampaign)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def variant(self, name: str, sender: str) -> Variant:
        """What a sender offers by a campaign, with the program that it gives."""
        return self._known[name].variant(sender, self._sent.get((sender, name), ""))

    def turns(self, sender: str, history: Sequence[Event], now: Instant) -> list[tuple[str, str]]:
        """The campaigns that a sender offers, each for the case that no earlier one has a place left.

        With each goes the one that she would have offered before it, had she not been held out.
        """
        found: list[tuple[str, str]] = []
        withheld = ""
        for name, one in sorted(self._known.items(), key=lambda item: item[1].rank, reverse=True):
            if one.closed(now) or not one.admits(history, now):
                continue
            if one.holds_out(sender):
                withheld = withheld or name
                continue
            found.append((name, withheld))
            if not one.is_limited:
                break
        return found

    def unavailable(self, name: str, sender: str, history: Sequence[Event], now: Instant) -> str:
        """Why a sender may not offer this very campaign, or nothing."""
        one = self._known[name]
        if closed := one.closed(now):
            return closed
        if not one.admits(history, now):
            return "sender_not_eligible"
        return "held_out" if one.holds_out(sender) else ""

    def has_room(self, name: str, referrals: Iterable[ReferralRow], now: Instant) -> bool:
        """Whether fewer of its referrals are open or completed than each of its caps allows."""
        taken = Counter(place for row in _counted(referrals) if row.campaign == name for place in self._places[row.id])
        return all(taken[place] < cap for place, cap in self._known[name].places(now).items())

    def enter(self, row: ReferralRow) -> None:
        """Take note of the places that a new referral takes, and of what its sender has referred on."""
        self._places[row.id] = tuple(self._known[row.campaign].places(row.made_at)) if row.campaign else ()
        if row.variant:
            self._sent[row.sender, row.campaign] = row.variant

    def violations(self, before: Snapshot, after: Snapshot) -> Iterator[str]:
        """Counters that do not say what referrals take, and caps that more was taken under than they allow."""
        counts: dict[str, Counter[str]] = {"open": Counter(), "completed": Counter()}
        for row in _counted(after.referrals):
            counts[row.status].update(f"{_COUNTERS}{place}/{row.campaign}" for place in self._places[row.id])
        reserved, confirmed = counts.values()
        ours = (row for row in after.counters if row.name.startswith(_COUNTERS) and not row.name.startswith(MONEY))
        rows = {row.name: (row.reserved, row.confirmed) for row in ours}
        for name in sorted(reserved.keys() | confirmed.keys() | rows.keys()):
            if rows.get(name, (0, 0)) != (reserved[name], confirmed[name]):
                yield f"R3: `{name}` keeps {rows.get(name)}, the rows say {reserved[name], confirmed[name]}"
        known = {row.id for row in before.referrals}
        for row in after.referrals:
            if row.id in known or not row.campaign:
                continue
            for place, cap in self._known[row.campaign].places(row.made_at).items():
                name = f"{_COUNTERS}{place}/{row.campaign}"
                if (taken := sum(rows.get(name, (0, 0)))) > cap:
                    yield f"R3: {taken} of {cap} places are taken of `{name}` after {row}"


def is_offering(terms: DefineCampaign) -> bool:
    """Whether a campaign's senders offer programs."""
    return bool(terms.program) or any(one.program for one in terms.variants)


def _counted(referrals: Iterable[ReferralRow]) -> list[ReferralRow]:
    return [row for row in referrals if row.status in ("open", "completed")]


def _place(text: str) -> Fraction:
    """Where the digest of a text lies between nothing and the whole."""
    return Fraction(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"), 2**64)


def _share(written: object) -> Fraction:
    text = str(written)
    return Fraction(text.removesuffix("%")) / 100 if text.endswith("%") else Fraction(text)
