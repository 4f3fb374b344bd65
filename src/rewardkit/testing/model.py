"""What a kit must have decided, worked out from the meaning of conditions alone.

No program, no packed state, no order of work: after each step the rows that a store keeps are compared with what the
language's specification says about all events that the store keeps. Nothing here is quick.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from rewardkit.core.campaigns.campaign import CAMPAIGN, Campaign, campaign_of
from rewardkit.core.campaigns.variants import Drawn
from rewardkit.core.definitions import OFFER, Offer, offer_of
from rewardkit.core.folding import event_of
from rewardkit.core.rows import UserOfferRow
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, Instant, Position
from rewardkit.language.specification import judge
from rewardkit.language.zoning import UTC
from rewardkit.testing.audit import OPEN, WITHOUT, Snapshot

_STATUS = {"satisfied": "earned", "impossible": "expired"}
_WITHOUT_OFFER = {"satisfied": "converted", "impossible": "lapsed"}


class Decided(NamedTuple):
    """What a condition came to."""

    status: str
    at: Instant
    event: Event | None
    """That decided, or None where time or the opening did."""

    @property
    def position(self) -> Position:
        return Position(self.at) if self.event is None else self.event.position


def decided(
    condition: str,
    events: Sequence[Event],
    start: Position | None,
    now: Instant,
    end: Instant | None = None,
    zone: str = UTC,
) -> Decided | None:
    """The decision about a condition at an instant, with the event that made it; None where it is pending."""
    tree = Condition.parse(condition).tree
    reading = judge(tree, events, start, now, end, zone=zone)
    if reading.status == "pending" or reading.decided_at is None:
        return None
    at = reading.decided_at
    known = [event for event in events if event.at < at or (start is not None and event.position <= start)]
    if judge(tree, known, start, at, end, zone=zone).status != "pending":
        return Decided(reading.status, at, None)
    for event in sorted(events, key=lambda event: event.position):
        if event.at == at and event not in known:
            known.append(event)
            if judge(tree, known, start, at, end, zone=zone).status != "pending":
                return Decided(reading.status, at, event)
    raise AssertionError(f"nothing decides `{condition}` at {at}")


class Step(NamedTuple):
    """What a model has to know of a step beside the rows before and after it."""

    now: Instant
    read: Mapping[str, Instant]
    """User → the instant up to which everything must have been decided about her."""
    direct: Collection[str] = ()
    """Ids of user offers that were made directly."""
    cancelled: Collection[str] = ()
    """Ids of user offers that were withdrawn."""
    late: Collection[tuple[str, str]] = ()
    """(user, campaign) that the answer reported a late event for."""


class Model:
    """Compares what a store keeps after a step with what conditions mean.

    It remembers two things that no row says: which offers were made directly, and which entry conditions were decided
    without an offer (after the end, say, or beyond the user's cap), since what has been decided stands.
    """

    def __init__(self) -> None:
        self._direct: set[str] = set()
        self._spent: set[tuple[str, str]] = set()

    def violations(self, before: Snapshot, after: Snapshot, step: Step) -> list[str]:
        """What does not follow from the events; empty where all does."""
        self._direct.update(step.direct)
        world = _World(after)
        old = {row.id: row for row in before.user_offers}
        versions = _World(before).versions
        for name, campaign in world.campaigns.items():
            if versions.get(name) != campaign.version:
                entered = {row.user for row in after.user_offers if row.campaign == name}
                self._spent = {pair for pair in self._spent if pair[1] != name or pair[0] in entered}
        found: list[str] = []
        entries: dict[tuple[str, str], list[UserOfferRow]] = {}
        for row in sorted(after.user_offers, key=lambda row: row.entry):
            entries.setdefault((row.user, row.campaign), []).append(row)
        for row in after.user_offers:
            known = old.get(row.id)
            if known is None:
                found += self._made(world, row, step, entries[row.user, row.campaign])
            elif known.status not in OPEN and known != row:
                found.append(f"O4: user offer {row} was {known}")
            if known is None or known.status in OPEN:
                found += _ended(world, row, step)
        found += _capped(world, before, after)
        folded = {row.user: row.at for row in after.members}
        for user, until in step.read.items():
            found += self._read(world, after, user, max(until, folded[user]))
        found += _late(world, before, after, step)
        return found

    def _made(self, world: _World, row: UserOfferRow, step: Step, mine: Sequence[UserOfferRow]) -> Iterator[str]:
        campaign = world.campaigns[row.campaign]
        drawn = _drawn(campaign, row, [one for one in mine if one.entry < row.entry])
        variant = campaign.variant(drawn)
        offer = world.newest[variant.offer]
        if row.variant != variant.name or (row.status in WITHOUT) != drawn.held_out:
            yield f"a user drawn for {drawn} has another variant: {row}"
        if (row.offer, row.offer_version, row.campaign_version) != (offer.name, offer.version, campaign.version):
            yield f"a new user offer is not made from the newest versions: {row}"
        if row.ends_at != (None if offer.expires_after is None else row.made_at + offer.expires_after):
            yield f"a new user offer has another end: {row}"
        if not campaign.creates_at(row.made_at):
            yield f"campaign `{campaign.name}` was not open: {row}"
        start = Position(row.made_at, row.start_order, row.start_id)
        expected: Position | None
        if row.id in self._direct:
            expected = Position(step.now)
        else:
            expected = world.entry(campaign, row.user, world.horizon(row.user, step.now))
        if start != expected:
            yield f"O2: a new user offer begins at {start}, not at {expected}: {row}"

    def _read(self, world: _World, after: Snapshot, user: str, until: Instant) -> Iterator[str]:
        """Nothing that was decided by `until` is left open."""
        mine = [row for row in after.user_offers if row.user == user]
        for row in mine:
            if row.status in OPEN and (outcome := world.outcome(row, max(until, row.made_at))):
                yield f"O2: {outcome} is not noticed at {until}: {row}"
        for campaign in world.campaigns.values():
            entered = [row for row in mine if row.campaign == campaign.name]
            if campaign.entry is None or campaign.launched_at is None or (user, campaign.name) in self._spent:
                continue
            if any(row.id not in self._direct for row in entered):
                continue
            decision = decided(campaign.entry, world.events_of(user), None, until, zone=campaign.zone)
            if decision is None:
                continue
            start = world.entry(campaign, user, until)
            if start is not None and (start.at > until or not campaign.creates_at(start.at)):
                continue
            if start is not None and len(entered) < campaign.user_cap:
                yield f"O2: `{user}` entered `{campaign.name}` at {start}, which is not noticed at {until}"
            self._spent.add((user, campaign.name))


class _World:
    """Definitions and events as rows say them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.campaigns: dict[str, Campaign] = {}
        self.newest: dict[str, Offer] = {}
        self._offers: dict[tuple[str, int], Offer] = {}
        for row in sorted(snapshot.definitions, key=lambda row: row.number):
            if row.kind == CAMPAIGN:
                self.campaigns[row.name] = campaign_of(row, 0)
            elif row.kind == OFFER:
                self.newest[row.name] = self._offers[row.name, row.version] = offer_of(row)
        self._events: dict[str, list[Event]] = {}
        for stored in snapshot.events:
            self._events.setdefault(stored.user, []).append(event_of(stored))

    @property
    def versions(self) -> dict[str, int]:
        return {name: campaign.version for name, campaign in self.campaigns.items()}

    def events_of(self, user: str) -> list[Event]:
        return self._events.get(user, [])

    def horizon(self, user: str, now: Instant) -> Instant:
        """The latest instant that anything is known of: an event may lie a little in the future."""
        return max(now, *(event.at for event in self.events_of(user)), 0)

    def entry(self, campaign: Campaign, user: str, now: Instant) -> Position | None:
        """Where a user enters a campaign: the later of its start and the place that decided its entry condition."""
        if campaign.entry is None:
            return None
        decision = decided(campaign.entry, self.events_of(user), None, now, zone=campaign.zone)
        if decision is None or decision.status != "satisfied":
            return None
        return decision.position if decision.at >= campaign.opens_at else Position(campaign.opens_at)

    def outcome(self, row: UserOfferRow, now: Instant, events: Sequence[Event] | None = None) -> Decided | None:
        """How a user offer ends by `now`."""
        offer = self._offers[row.offer, row.offer_version]
        known = self.events_of(row.user) if events is None else events
        start, zone = Position(row.made_at, row.start_order, row.start_id), self.campaigns[row.campaign].zone
        return decided(offer.condition, known, start, now, row.ends_at, zone)


def _drawn(campaign: Campaign, row: UserOfferRow, earlier: Sequence[UserOfferRow]) -> Drawn:
    """What a user is drawn for: by a hash, but for what she was drawn for at an earlier entry."""
    if not earlier:
        return campaign.drawn(row.user, None, 0)
    variant = next((one.variant for one in reversed(earlier) if one.variant), "")
    return campaign.drawn(row.user, Drawn(campaign.numbers.get(variant, 0), earlier[0].status in WITHOUT), 1)


def _ended(world: _World, row: UserOfferRow, step: Step) -> Iterator[str]:
    if row.status in ("active", "held_out", "capped"):
        return
    if row.status == "cancelled":
        if row.id not in step.cancelled or row.ended_at != step.now:
            yield f"nobody withdrew it: {row}"
        return
    outcome = world.outcome(row, max(row.made_at, world.horizon(row.user, step.now)))
    words = _WITHOUT_OFFER if row.status in WITHOUT else _STATUS
    if outcome is None or (words[outcome.status], outcome.at) != (row.status, row.ended_at):
        yield f"O2: {outcome} is recorded otherwise: {row}"


def _capped(world: _World, before: Snapshot, after: Snapshot) -> Iterator[str]:
    """As many offers are made as have room, earliest entry first; what a step gives back can be taken in it."""
    old = {row.id for row in before.user_offers}
    free = {row.name: row.reserved + row.confirmed for row in after.counters}
    for name, campaign in world.campaigns.items():
        if campaign.cap is None:
            continue
        new = [row for row in after.user_offers if row.campaign == name and row.id not in old]
        new = [row for row in new if row.status not in WITHOUT]
        new.sort(key=lambda row: (row.made_at, row.start_order, row.start_id, row.user, row.entry))
        capped = [row.status == "capped" for row in new]
        if capped != sorted(capped):
            yield f"C3: under the cap of `{name}` a later entry was preferred: {new}"
        at_once = sum(row.status in ("expired", "cancelled") for row in new)
        if any(capped) and free.get(campaign.counter, 0) + at_once < campaign.cap:
            yield f"C3: there was room under the cap of `{name}`: {new}"


def _late(world: _World, before: Snapshot, after: Snapshot, step: Step) -> Iterator[str]:
    """A decision that an event would have changed stands, and the answer says so."""
    stored = {(event.user, event.id) for event in before.events}
    fresh = {event.user for event in after.events if (event.user, event.id) not in stored}
    for row in before.user_offers:
        if row.user not in fresh or row.status not in ("earned", "expired") or row.ended_at is None:
            continue
        timely = [event for event in world.events_of(row.user) if (event.user, event.id) in stored]
        then = world.outcome(row, row.ended_at, timely)
        if then is None or _STATUS[then.status] != row.status:
            continue
        corrected = {
            None if found is None else _STATUS[found.status]
            for now in (row.ended_at, world.horizon(row.user, step.now))
            for found in [world.outcome(row, now)]
        }
        if row.status not in corrected and (row.user, row.campaign) not in step.late:
            yield f"an event changes {row} and was not reported as late"
