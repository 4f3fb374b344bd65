"""What a kit must have decided, worked out from the meaning of conditions alone.

No program, no packed state, no order of work: after each step the rows that a store keeps are compared with what the
language's specification says about all events that the store keeps. Nothing here is quick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import attrs

from rewardkit.core.definitions.campaign import CAMPAIGN, Campaign
from rewardkit.core.definitions.campaign_terms import AFTER_EARNING, NEVER, UNITS, next_period
from rewardkit.core.definitions.draws import Drawn
from rewardkit.core.definitions.offer import OFFER, Offer, offer_of
from rewardkit.core.storing.rows import UserOfferRow
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, Instant, Position
from rewardkit.language.specification import judge
from rewardkit.testing.audit import OPEN, WITHOUT, Snapshot, taking_of
from rewardkit.testing.audit_catalogue import campaign_at, catalogue_of, event_at
from rewardkit.testing.audit_members import TAKING
from rewardkit.testing.decision import Decided, decided

_STATUS = {"satisfied": "earned", "impossible": "expired"}
EARNED = ("earned", "converted")
_WITHOUT_OFFER = {"satisfied": "converted", "impossible": "lapsed"}


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
        self._failed: dict[tuple[str, str], tuple[object, ...]] = {}
        self._cycles: dict[tuple[str, str], _Cycle] = {}
        self._ends: dict[str, Position] = {}
        self._cancelled: Collection[str] = ()

    def violations(self, before: Snapshot, after: Snapshot, step: Step) -> list[str]:
        """What does not follow from the events; empty where all does."""
        self._direct.update(step.direct)
        self._cancelled = step.cancelled
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
            if row.status in EARNED and row.id not in self._ends and (outcome := world.ending(row, step.now)):
                # What holds from the beginning is earned where it is made.
                self._ends[row.id] = max(outcome.position, _place(row))
            if known is None or known.status in OPEN:
                found += _ended(world, row, step)
        found += _capped(world, before, after)
        folded = {row.user: row.at for row in after.members}
        before_of = {row.user: row for row in before.members}
        folded_now = [row for row in after.members if before_of.get(row.user) != row and row.epoch == after.epoch]
        for user, until in ({row.user: row.at for row in folded_now} | dict(step.read)).items():
            found += self._read(world, after, user, max(until, folded[user]), old.keys())
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
        start = _place(row)
        expected: Position | None
        if campaign.recurs and row.id not in self._direct:
            return
        if row.id in self._direct:
            expected = Position(step.now)
        else:
            expected = world.entry(campaign, row.user, world.horizon(row.user, step.now))
        if start != expected:
            yield f"O2: a new user offer begins at {start}, not at {expected}: {row}"

    def _read(self, world: _World, after: Snapshot, user: str, until: Instant, known: Collection[str]) -> Iterator[str]:
        """Nothing that was decided by `until` is left open."""
        mine = [row for row in after.user_offers if row.user == user]
        for row in mine:
            if row.status in OPEN and (outcome := world.outcome(row, max(until, row.made_at))):
                yield f"O2: {outcome} is not noticed at {until}: {row}"
        for campaign in world.campaigns.values():
            entered = [row for row in mine if row.campaign == campaign.name]
            if campaign.recurs and campaign.launched_at is not None:
                yield from self._cycled(world, campaign, user, until, entered, known)
                continue
            if campaign.entry is None or campaign.launched_at is None:
                continue
            # Judged over all that has happened, and so is what comes with an audience after it.
            self._cycles.pop((user, campaign.name), None)
            failed_under = self._failed.get((user, campaign.name))
            if (user, campaign.name) in self._spent or failed_under == campaign.entry_terms:
                continue
            if any(row.id not in self._direct for row in entered):
                continue
            decision = decided(campaign.entry, world.events_of(user), None, until, zone=campaign.zone)
            if decision is None:
                continue
            if decision.status == "impossible":
                # Stands for every version with the same terms, whatever comes late: pausing makes one.
                self._failed[user, campaign.name] = campaign.entry_terms
            start = world.entry(campaign, user, until)
            if start is not None and (start.at > until or not campaign.creates_at(start.at)):
                continue
            if start is not None and len(entered) < campaign.user_cap:
                yield f"O2: `{user}` entered `{campaign.name}` at {start}, which is not noticed at {until}"
            self._spent.add((user, campaign.name))

    def _taken(self, row: UserOfferRow) -> bool:
        """Whether it had a place as this step's events were read, which is before it withdraws anything."""
        return row.status in TAKING or row.id in self._cancelled

    def _cycled(
        self,
        world: _World,
        campaign: Campaign,
        user: str,
        until: Instant,
        mine: Sequence[UserOfferRow],
        known: Collection[str],
    ) -> Iterator[str]:
        """An entry condition that begins anew makes the entries that it should, and no others."""
        if campaign.reentry == NEVER and (user, campaign.name) in self._spent:
            # Decided before there was an audience, at the cap: by an offer that was made directly.
            return
        cycle = self._cycles.setdefault((user, campaign.name), _Cycle())
        made = sorted((row for row in mine if row.id not in self._direct), key=lambda row: row.entry)
        if campaign.reentry == NEVER and made and made[0].id in known:
            # It may have been made before there was an audience.
            cycle.entered, cycle.idle_since = made[0].entry, Position(made[0].made_at)
        while True:
            if cycle.idle_since is not None:
                ends = [
                    (self._ends[row.id], _place(row)) for row in mine if row.status in EARNED and row.id in self._ends
                ]
                idle = cycle.idle_since
                ends = sorted((end, made) for end, made in ends if end > idle or made == end == idle)
                if campaign.reentry != AFTER_EARNING or not ends:
                    break
                cycle.after, cycle.idle_since = ends[0][0], None
            decision = world.attempt(campaign, user, cycle.after, until)
            if decision is not None and decision.status == "impossible" and campaign.reentry in UNITS:
                cycle.after = Position(world.reopens_at(campaign, decision.at))
                continue
            if decision is not None and decision.status == "impossible":
                cycle.failed_under = campaign.entry_terms
            start = None if decision is None else _opened(campaign, decision)
            if start is None or start.at > until or not campaign.creates_at(start.at):
                break
            if cycle.failed_under == campaign.entry_terms:
                break
            earlier = [
                row for row in mine if row.entry <= cycle.entered or (row.id in self._direct and row.id in known)
            ]
            reopens_at = max((world.reopens_at(campaign, row.made_at) for row in earlier), default=0)
            if start.at < reopens_at:
                cycle.after = Position(reopens_at)
            elif not world.in_audience(campaign, user, start):
                cycle.after = start
            elif row := next((row for row in made if row.entry > cycle.entered), None):
                if _place(row) != start:
                    yield f"O2: `{user}` enters `{campaign.name}` again at {start}: {row}"
                    break
                cycle.entered = row.entry
                cycle.after, cycle.idle_since = Position(world.reopens_at(campaign, start.at)), None
                if campaign.reentry not in UNITS:
                    cycle.idle_since = start
            elif campaign.reentry == NEVER and sum(map(self._taken, mine)) >= campaign.user_cap:
                # Decided at the cap, which stands for a version without an audience too.
                cycle.idle_since = start
                self._spent.add((user, campaign.name))
            else:
                yield f"O2: `{user}` entered `{campaign.name}` again at {start}, which is not noticed at {until}"
                break
        if any(row.entry > cycle.entered for row in made):
            yield f"O2: `{user}` has entered `{campaign.name}` without reason: {made}"


@attrs.define
class _Cycle:
    """Where a user's entry condition has begun anew: what no row says is where she was not admitted."""

    after: Position | None = None
    idle_since: Position | None = None
    """The place of an entry after which it has not."""
    failed_under: tuple[object, ...] = ()
    """The terms under which the last one became impossible, which stands."""
    entered: int = 0


class _World:
    """Definitions and events as rows say them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.campaigns: dict[str, Campaign] = {}
        self.newest: dict[str, Offer] = {}
        self.catalogue = catalogue_of(snapshot.definitions, snapshot.epoch)
        self._offers: dict[tuple[str, int], Offer] = {}
        for row in sorted(snapshot.definitions, key=lambda row: row.number):
            if row.kind == CAMPAIGN:
                self.campaigns[row.name] = campaign_at(row, 0)
            elif row.kind == OFFER:
                self.newest[row.name] = self._offers[row.name, row.version] = offer_of(row)
        self._events: dict[str, list[Event]] = {}
        for stored in snapshot.events:
            self._events.setdefault(stored.user, []).append(event_at(stored))

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
        return None if decision is None else _opened(campaign, decision)

    def attempt(self, campaign: Campaign, user: str, after: Position | None, until: Instant) -> Decided | None:
        """What a cycle that begins after a place comes to, up to an instant."""
        if campaign.entry is None or (after is not None and after.at > until):
            return None
        end = until if campaign.end is None else min(until, campaign.end - 1)
        events = [event for event in self.events_of(user) if event.at <= end]
        return decided(campaign.entry, events, after, max(end, after.at if after else 0), zone=campaign.zone)

    def in_audience(self, campaign: Campaign, user: str, place: Position) -> bool:
        """Whether a user is in a campaign's audience at a place."""
        if campaign.audience is None:
            return True
        known = [event for event in self.events_of(user) if event.position <= place]
        tree = Condition.parse(campaign.audience).tree
        return judge(tree, known, None, place.at, zone=campaign.zone, mode="live").status == "satisfied"

    @staticmethod
    def reopens_at(campaign: Campaign, at: Instant) -> Instant:
        """When who entered at an instant may enter again."""
        return next_period(at, campaign.reentry, campaign.zone) if campaign.reentry in UNITS else 0

    def ending(self, row: UserOfferRow, now: Instant) -> Decided | None:
        """How a user offer ended, as far as is known by now."""
        return self.outcome(row, max(row.made_at, self.horizon(row.user, now)))

    def outcome(self, row: UserOfferRow, now: Instant, events: Sequence[Event] | None = None) -> Decided | None:
        """How a user offer ends by `now`."""
        offer = self._offers[row.offer, row.offer_version]
        known = self.events_of(row.user) if events is None else events
        start, zone = _place(row), self.campaigns[row.campaign].zone
        return decided(offer.condition, known, start, now, row.ends_at, zone)


def _place(row: UserOfferRow) -> Position:
    """Where a user offer was made."""
    return Position(row.made_at, row.start_order, row.start_id)


def _opened(campaign: Campaign, decision: Decided) -> Position | None:
    """Where an entry that was decided takes place: not before the campaign's start, and not in a pause."""
    opens_at = campaign.opens_after(decision.at) if decision.status == "satisfied" else None
    if opens_at is None:
        return None
    return decision.position if opens_at == decision.at else Position(opens_at)


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
    new = [row for row in after.user_offers if row.id not in old and row.status not in WITHOUT]
    new.sort(key=lambda row: (row.made_at, row.start_order, row.start_id, row.user, row.entry))
    for row in new:
        if row.status != "capped":
            continue
        campaign = world.campaigns[row.campaign]
        amounts, caps = taking_of(row, world.catalogue), campaign.limits(row.made_at)
        at_once: Counter[str] = Counter()
        for other in new:
            if other.campaign == row.campaign and other.status in ("expired", "cancelled"):
                at_once.update(taking_of(other, world.catalogue))
        if not any(free.get(name, 0) + at_once[name] + amount > caps[name] for name, amount in amounts.items()):
            yield f"C3: there was room under the caps of `{row.campaign}`: {row}"
        if (
            len(caps) == 1
            and any(
                other.status != "capped"
                and other.campaign == row.campaign
                and campaign.limits(other.made_at) == caps
                # A dearer offer does not fit into a budget where a cheaper one still does.
                and not any(taking_of(other, world.catalogue)[name] < amount for name, amount in amounts.items())
                for other in new[new.index(row) :]
            )
        ):
            yield f"C3: under the cap of `{row.campaign}` a later entry was preferred: {new}"


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
