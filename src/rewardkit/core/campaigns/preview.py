"""What would happen if a user were to enter a campaign now, gate by gate; nothing changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.definitions.audience import Audience, holds
from rewardkit.core.definitions.budget import money
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.campaign_terms import NEVER, UNITS
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.draws import Drawn
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.folding import cycle
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.members import fold_from_history, known_events
from rewardkit.core.requests.queries import Query
from rewardkit.core.storing.needs import Counters, ask
from rewardkit.core.storing.progress import ENTRY, key
from rewardkit.core.storing.rows import unheard
from rewardkit.core.storing.seen_needs import MembersSeen
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, rfc3339


@attrs.frozen
class Gate:
    """One thing that decides whether a user gets an offer."""

    name: str
    """`open`, `entry`, `audience`, `reentry`, `user_cap`, `holdout`, `cap`, `cap of the day` or so, or `budget`.

    Of a referral campaign `open`, `sender`, `holdout`, `cap`, `cap of the day` or so, `budget`, or `rank`.
    """
    passed: bool
    sentence: str
    facts: Mapping[str, Any]


@attrs.frozen
class Previewed:
    """What would happen now."""

    user: str
    campaign: str
    status: str
    """Of the campaign; a draft is looked at as if it were launched now."""
    would_enter: bool
    """Whether all gates are passed; of a referral campaign, whether the user would offer it as a sender."""
    variant: str
    """That the user is drawn for, held out or not; empty where the campaign has none."""
    offer: str
    """Empty for a referral campaign."""
    reward: Mapping[str, Any]
    """Its properties; of a referral campaign, those of the sender's."""
    copy: Mapping[str, str]
    made: int
    """How often she has entered so far; of a referral campaign, how often she has earned by its program."""
    gates: tuple[Gate, ...]
    program: str = ""
    """Of a referral campaign."""
    recipient_reward: Mapping[str, Any] = attrs.field(factory=dict)
    """Of a referral campaign: the properties of what the recipient gets."""

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that keep her out."""
        return tuple(gate for gate in self.gates if not gate.passed)


@attrs.frozen
class Preview(Query[Previewed]):
    """What would happen if a user were to enter a campaign now, and why, or why not.

    Of a referral campaign it says whether she would offer it as a sender.
    """

    user: str
    campaign: str


def preview(user: str, known: Campaign, catalogue: Catalogue, context: Context) -> Deciding[Decision[Previewed]]:
    """Fold the user's history as of now, and keep nothing of it."""
    campaign = known if known.launched_at is not None else attrs.evolve(known, launched_at=context.at)
    rows = yield from ask(MembersSeen((user,)))
    row = rows[0] if rows else unheard(user, catalogue.epoch)
    history = yield from known_events(user)
    fold, _ = yield from fold_from_history(catalogue, row, (), history, context.at)
    counters = yield from ask(Counters(tuple(sorted(campaign.limits(context.at)))))
    taken = {counter.name: counter.reserved + counter.confirmed for counter in counters}
    look = _Look(catalogue, campaign, fold, history, context.at)
    gates = tuple(look.gates(taken))
    answer = Previewed(
        user=user,
        campaign=known.name,
        status=known.status,
        would_enter=all(gate.passed for gate in gates),
        variant=look.variant.name,
        offer=look.offer.name,
        reward=catalogue.reward_versions[look.offer.reward, look.offer.reward_version].properties,
        copy=campaign.copy_for(look.variant.name),
        made=look.made,
        gates=gates,
    )
    return Decision(answer, (), catalogue, keep=False)


class _Look:
    """One user and one campaign at one instant."""

    def __init__(
        self, catalogue: Catalogue, campaign: Campaign, fold: Fold, history: tuple[Event, ...], at: int
    ) -> None:
        self._campaign, self._fold, self._at = campaign, fold, at
        self._history = [event for event in history if event.at <= at]
        # What this very fold has found is not made yet.
        fresh = [making for making in fold.makings if making.campaign.id == campaign.id]
        made, taken = fold.progress.counts(campaign.id)
        self.made = made - len(fresh)
        self._taken = taken - sum(making.outcome is None or making.outcome.status == "earned" for making in fresh)
        self._entering = bool(fresh)
        self._drawn = campaign.drawn(fold.row.user, Drawn.of(fold.progress.drawn(campaign.id)), self.made)
        self.variant = campaign.variant(self._drawn)
        self.offer = catalogue.offers[self.variant.offer]
        self._cost = catalogue.cost(self.offer)

    def gates(self, taken: Mapping[str, int]) -> Iterator[Gate]:
        """All of them, in the order in which they are asked."""
        campaign = self._campaign
        yield self._open()
        if campaign.entry is not None:
            yield self._entry(campaign.entry)
        if campaign.audience is not None:
            yield self._audience(campaign.audience)
        yield self._reentry()
        facts = {"used": self._taken, "cap": campaign.user_cap}
        yield _gate("user_cap", self._taken < campaign.user_cap, "{used} of {cap} offers that one may have", facts)
        if campaign.holdout:
            said = "held out, to compare with" if self._drawn.held_out else "not held out"
            yield Gate("holdout", not self._drawn.held_out, said, {})
        for name, limit in campaign.limits(self._at).items():
            used = taken.get(name, 0)
            if name != campaign.budget_counter:
                unit = name.removeprefix(f"{campaign.counter}/").partition("/")[0]
                gate = "cap" if name == campaign.counter else f"cap of the {unit}"
                yield _gate(gate, used < limit, "{used} of {cap} places are taken", {"used": used, "cap": limit})
            else:
                left = {"left": money(limit - used), "cost": money(self._cost)}
                passed = campaign.queues or used + self._cost <= limit
                yield _gate("budget", passed, "{left} are left, and the reward costs {cost}", left)

    def _open(self) -> Gate:
        return opened(self._campaign, self._campaign.creates_at(self._at))

    def _entry(self, condition: str) -> Gate:
        if self._entering:
            return Gate("entry", True, "the entry condition holds, and will be noticed", {"status": "satisfied"})
        after = None
        if self._campaign.recurs:
            after = cycle.unpack(self._fold.progress.get(key(self._campaign.id, ENTRY))).after
        known = [event for event in self._history if after is None or event.position > after]
        now = self._at if after is None else max(self._at, after.at)
        proof = Condition.parse(condition).explain(known, start=None, now=now, zone=self._campaign.zone)
        facts = {"status": proof.status, "event_ids": list(proof.event_ids)}
        return Gate("entry", proof.status == "satisfied", "; ".join(proof.sentences), facts)

    def _audience(self, condition: str) -> Gate:
        audience = Audience(-1, condition, self._campaign.zone, 0)
        inside = holds(audience.fold(self._history, self._at))
        said = f"{'' if inside else 'not '}in the audience `{condition}`"
        return Gate("audience", inside, said, {"condition": condition})

    def _reentry(self) -> Gate:
        campaign, facts = self._campaign, {"reentry": self._campaign.reentry, "made": self.made}
        reopens_at = self._fold.progress.reopens_at(campaign.id)
        if campaign.reentry in UNITS and not self._entering and self._at < reopens_at:
            return Gate(
                "reentry",
                False,
                f"she has entered in this {campaign.reentry}, and may again from {rfc3339(reopens_at)}",
                facts | {"from": rfc3339(reopens_at)},
            )
        if campaign.entry is not None and campaign.reentry == NEVER and self.made:
            return Gate("reentry", False, "she has entered before, and does so once", facts)
        return Gate("reentry", True, f"she has entered {self.made} times, and may now", facts)


def opened(campaign: Campaign | ReferralCampaign, passed: bool) -> Gate:  # noqa: FBT001
    """Whether a campaign is open, with its status and its span."""
    facts = {
        "status": campaign.status,
        "start": rfc3339(campaign.opens_at),
        "end": None if campaign.end is None else rfc3339(campaign.end),
    }
    said = f"the campaign is {campaign.status}, from {facts['start']}"
    return Gate("open", passed, f"{said} to {facts['end'] or 'no end'}", facts)


def _gate(name: str, passed: bool, sentence: str, facts: Mapping[str, Any]) -> Gate:  # noqa: FBT001
    return Gate(name, passed, sentence.format_map(facts), facts)
