"""Folding one user's events and the passing of time over what is open for her.

Campaigns do not see each other, so each is folded by itself.
An offer that an entry condition makes is tentative until its campaign's cap has been asked; `deny` takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core import active
from rewardkit.core.active import Active
from rewardkit.core.campaigns.campaign import Campaign
from rewardkit.core.campaigns.variants import Drawn
from rewardkit.core.catalogue import Catalogue
from rewardkit.core.making import Ending, Making, Outcome, outcome_of, replay
from rewardkit.core.progress import ACTIVE, ENTRIES, ENTRY, REFERRAL, Progress, key
from rewardkit.core.referrals.folding import ReferralFold
from rewardkit.core.rows import MemberRow
from rewardkit.errors import InvariantError
from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import IMPOSSIBLE, PENDING, SATISFIED, Program, State
from rewardkit.language.running.state import decided
from rewardkit.language.sets.standing import Decided, Standing

_NO_EVENTS: tuple[Event, ...] = ()


class HistoryNeeded(Exception):
    """The user's stored events have to be read before her fold can go on."""


class Fold:
    """One member row while it is folded; `makings` and `endings` say what happened."""

    def __init__(self, catalogue: Catalogue, row: MemberRow, history: Sequence[Event] | None = None) -> None:
        self.catalogue = catalogue
        self.row = row
        self.position = Position(row.at, row.order, row.id)
        self.progress = Progress(row.state)
        self.makings: list[Making] = []
        self.endings: list[Ending] = []
        self.referrals = ReferralFold(self)
        self.history = None if history is None else list(history)
        """All stored events that sort up to `position`, in total order; None where they have not been read."""
        self._standing: Standing | None = None
        self._settled = 0

    # --- reading on --------------------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Fold an event that sorts after everything read so far."""
        self.advance(event.at)
        if self.history is not None:
            self.history.append(event)
        # An offer that is made later, from an earlier place on, has to find it in the history.
        listened = event.name in self.catalogue.heard
        slots = self.catalogue.slot_listeners.to(event.name)
        for slot in self.progress.repeat(slots, event.name, self.catalogue.steps):
            if slot & 3 == REFERRAL:
                self.referrals.step(slot, event)
            else:
                self._step_active(slot, event)
        conditions = self.catalogue.entry_conditions
        if conditions.listening(event.name) & ~self.progress.entered:
            listened = True
            standing = self.standing
            found = conditions.step(standing, event)
            self.progress.time(ENTRIES, standing.wake_at)
            self._keep_decided(found, event.at, event)
        if listened:
            self.position = max(self.position, event.position)
            self.progress.changed = True

    def advance(self, until: int) -> None:
        """Release every timer that is due by `until`, listening or not, instant by instant.

        What ends at an instant gives its place back before an entry of the same instant takes one.
        """
        wake_at = self.progress.wake_at
        while wake_at is not None and wake_at <= until:
            for slot in sorted(self.progress.due(wake_at), key=lambda slot: slot & 3 != ACTIVE):
                self._wake(slot, wake_at)
            self.position = max(self.position, Position(wake_at))
            after = self.progress.wake_at
            if after is not None and after <= wake_at:
                raise InvariantError(f"a timer of user `{self.row.user}` at {wake_at} changes nothing")
            wake_at = after

    def open_entries(self) -> None:
        """Begin the entry conditions that hold before anything has happened; no event would begin them."""
        for campaign in self.catalogue.open_at_once:
            known = self.progress.entered >> campaign.id & 1 or self.progress.get(key(campaign.id, ENTRY)) is not None
            if not known:
                self.keep_entry(campaign, campaign.opening, self.position.at, None)

    def _wake(self, slot: int, until: int) -> None:
        if slot == ENTRIES:
            found = self.catalogue.entry_conditions.advance(self.standing, until)
            self.progress.changed = True
            self.progress.time(ENTRIES, self.standing.wake_at)
            self._keep_decided(found, until, None)
            return
        if slot & 3 == REFERRAL:
            self.referrals.wake(slot, until)
            return
        campaign = self.catalogue.campaigns_by_id[slot >> 2]
        payload = self.progress.get(slot)
        if payload is None:
            return
        if slot & 3 == ENTRY:
            if campaign.entry is None:
                self.progress.drop(slot)
                return
            state = campaign.program.unpack(payload)
            self.keep_entry(campaign, campaign.program.advance(state, until), until, None)
            return
        offers = active.unpack(payload)
        self._keep_active(
            campaign,
            offers,
            [self._program(campaign, one).advance(self._state(campaign, one), until) for one in offers],
            "",
        )

    def _step_active(self, slot: int, event: Event) -> None:
        campaign = self.catalogue.campaigns_by_id[slot >> 2]
        payload = self.progress.get(slot) or b""
        offers = active.unpack(payload)
        before = [self._state(campaign, one) for one in offers]
        after = [self._program(campaign, one).step(state, event) for one, state in zip(offers, before, strict=True)]
        if any(new is not old for new, old in zip(after, before, strict=True)):
            self._keep_active(campaign, offers, after, event.id)
        if all(
            self._program(campaign, one).repeats and state.status == PENDING and state.wake_at is None
            for one, state in zip(offers, after, strict=True)
        ):
            self.catalogue.remember(slot, payload, event.name, self.progress.get(slot) or b"")

    # --- entry conditions ---------------------------------------------------------------------------

    @property
    def standing(self) -> Standing:
        """Where the user stands in all entry conditions, unpacked where something asks for it.

        Raises:
            HistoryNeeded: other entry conditions are in force than those that her slice is of.
        """
        if self._standing is None:
            conditions, payload = self.catalogue.entry_conditions, self.progress.get(ENTRIES)
            self._settled = self._decided_or_over()
            found = conditions.opening(self._settled) if payload is None else conditions.read(payload)
            if found is None:
                if self.history is None:
                    raise HistoryNeeded
                known = [event for event in self.history if event.position <= self.position]
                found = conditions.fold(known, self.position.at, self._settled)
            self._standing = found
        return self._standing

    @property
    def is_outdated(self) -> bool:
        """Whether the row was written under other definitions, and its slice is of other entry conditions."""
        if self.row.epoch >= self.catalogue.epoch:
            return False
        payload = self.progress.get(ENTRIES)
        return payload is not None and self.catalogue.entry_conditions.read(payload) is None

    def recount(self) -> None:
        """Fold the entry conditions that are undecided anew, from all that has been read."""
        self._settled = self._decided_or_over()
        conditions = self.catalogue.entry_conditions
        self._standing = conditions.fold(self.history or (), self.position.at, self._settled)
        self._pack_entries()

    def _decided_or_over(self) -> int:
        """The campaigns, a bit each, whose entry is decided or over; one that waits for its start is decided too."""
        settled = self.progress.entered | self.catalogue.entry_conditions.over(self.position.at)
        for campaign_id in self.progress.slots(ENTRY):
            settled |= 1 << campaign_id
        return settled

    def _keep_decided(self, found: list[tuple[Campaign, Decided]], until: int, event: Event | None) -> None:
        """Keep what entry conditions came to."""
        for campaign, one in found:
            status = SATISFIED if one.status == "satisfied" else IMPOSSIBLE
            self.keep_entry(campaign, decided(status, one.at, 0), until, event)

    def _pack_entries(self) -> None:
        standing = self._standing
        if standing is None:
            return
        conditions, settled = self.catalogue.entry_conditions, self._decided_or_over()
        conditions.settle(standing, settled & ~self._settled)
        self._settled = settled
        payload = conditions.write(standing, settled)
        self.progress.time(ENTRIES, standing.wake_at)
        if payload is None:
            self.progress.drop(ENTRIES)
        elif payload != self.progress.get(ENTRIES):
            self.progress.put(ENTRIES, payload, standing.wake_at)

    # --- what states come to -----------------------------------------------------------------------

    def keep_entry(self, campaign: Campaign, state: State, until: int, event: Event | None) -> None:
        """Keep what an entry condition came to as read at `until`; make the offer where the campaign is open.

        The entry instant is the later of the campaign's start and the reading at which the condition first held
        (after `event`, where that decided), so it does not depend on when this was noticed.
        A reading at or after the campaign's end decides nothing: an event before the end may come out of order.
        """
        if state.status == PENDING:
            return
        opens_at = campaign.opens_at
        decided_at = opens_at - 1 if state.decided_at is None else state.decided_at
        if campaign.end is not None and decided_at >= campaign.end:
            self.progress.drop(key(campaign.id, ENTRY))
            return
        if state.status == SATISFIED:
            if decided_at >= opens_at:
                start = event.position if event is not None and event.at == decided_at else Position(decided_at)
            elif opens_at > until:
                waiting = decided(SATISFIED, decided_at, 0)
                self.progress.put(key(campaign.id, ENTRY), campaign.program.pack(waiting), opens_at)
                return
            else:
                start = Position(opens_at)
            if campaign.end is not None and start.at >= campaign.end:
                self.progress.drop(key(campaign.id, ENTRY))
                return
            self.progress.enter(campaign.id, decided=True)
            _, taken = self.progress.counts(campaign.id)
            if taken < campaign.user_cap:
                self.make(campaign, start, until)
            return
        self.progress.enter(campaign.id, decided=True)

    def make(self, campaign: Campaign, start: Position, until: int) -> Making:
        """Make the campaign's offer from a place on, and fold what is known after it, up to the reading at `until`.

        Raises:
            HistoryNeeded: what is known after it, or its `ever`, needs stored events.
        """
        made, taken = self.progress.counts(campaign.id)
        drawn = campaign.drawn(self.row.user, Drawn.of(self.progress.drawn(campaign.id)), made)
        variant = campaign.variant(drawn)
        offer = self.catalogue.offers[variant.offer]
        program = offer.program_in(campaign.zone)
        self.require_history(program, start)
        if campaign.draws:
            self.progress.draw(campaign.id, drawn.packed())
        ends_at = None if offer.expires_after is None else start.at + offer.expires_after
        counted = campaign.cap is not None and not drawn.held_out
        making = Making(self.row.user, campaign, offer, made + 1, start, ends_at, counted, variant.name, drawn.held_out)
        self.makings.append(making)
        self.progress.count(campaign.id, made + 1, taken + 1)
        self.position = max(self.position, start)
        state, event_id = replay(program, start, ends_at, self.history or _NO_EVENTS, until)
        outcome = outcome_of(program, state, event_id)
        if outcome is not None:
            making.outcome = outcome
            self._settle(campaign, outcome)
            return making
        payload = self.progress.get(key(campaign.id, ACTIVE))
        offers = active.unpack(payload) if payload else []
        states = [*(self._state(campaign, one) for one in offers), state]
        offers.append(Active(offer.number, making.entry, counted, program.pack(state), drawn.held_out))
        self._put_active(campaign, offers, states)
        return making

    def require_history(self, program: Program, start: Position) -> None:
        """Go on only where what has been read is enough to begin a condition at a place.

        Raises:
            HistoryNeeded: what is known after it, or its `ever`, needs stored events.
        """
        if self.history is None and (program.uses_history or start < self.position):
            raise HistoryNeeded

    def _keep_active(
        self, campaign: Campaign, offers: Sequence[Active], states: Sequence[State], event_id: str
    ) -> None:
        still, pending = [], []
        for one, state in zip(offers, states, strict=True):
            program = self._program(campaign, one)
            outcome = outcome_of(program, state, event_id)
            if outcome is None:
                still.append(one._replace(state=program.pack(state)))
                pending.append(state)
            else:
                self._end(campaign, one, outcome)
        self._put_active(campaign, still, pending)

    def _end(self, campaign: Campaign, one: Active, outcome: Outcome) -> None:
        """An offer of this very fold has no place under the cap yet, and may get none: its making says how it ended."""
        for making in self.makings:
            if (making.campaign.id, making.entry) == (campaign.id, one.entry):
                making.outcome = outcome
                break
        else:
            self.endings.append(Ending(campaign, self.catalogue.offers_by_number[one.offer_number], one, outcome))
        self._settle(campaign, outcome)

    def replace(self, campaign: Campaign, one: Active, state: State, event_id: str) -> None:
        """Put a state that was folded anew in the place of an active user offer's."""
        offers = self.active(campaign)
        states = [state if other.entry == one.entry else self._state(campaign, other) for other in offers]
        self._keep_active(campaign, offers, states, event_id)

    def active(self, campaign: Campaign) -> list[Active]:
        """The user offers, and what is recorded in place of some, that are open in a campaign."""
        return active.unpack(self.progress.get(key(campaign.id, ACTIVE)) or b"")

    def cancel(self, campaign: Campaign, entry: int, at: int) -> bool:
        """End an active user offer by somebody's will; whether it was active."""
        found = self._withdraw(campaign, entry)
        if found is not None:
            outcome = Outcome("cancelled", at, "", "withdrawn")
            self.endings.append(Ending(campaign, self.catalogue.offers_by_number[found.offer_number], found, outcome))
        return found is not None

    def _withdraw(self, campaign: Campaign, entry: int) -> Active | None:
        """Take an active user offer away and free its place; None where it is not active."""
        offers = self.active(campaign)
        found = next((one for one in offers if one.entry == entry), None)
        if found is not None:
            rest = [one for one in offers if one is not found]
            self._put_active(campaign, rest, [self._state(campaign, one) for one in rest])
            made, taken = self.progress.counts(campaign.id)
            self.progress.count(campaign.id, made, taken - 1)
        return found

    def deny(self, making: Making) -> None:
        """Take a tentative offer back: no place was left. Its entry stays counted, its place does not."""
        making.denied = True
        freed = making.outcome is not None and making.outcome.status == "expired"
        making.outcome = None
        if self._withdraw(making.campaign, making.entry) is None and not freed:
            made, taken = self.progress.counts(making.campaign.id)
            self.progress.count(making.campaign.id, made, taken - 1)

    def _settle(self, campaign: Campaign, outcome: Outcome) -> None:
        if outcome.status != "earned":
            made, taken = self.progress.counts(campaign.id)
            self.progress.count(campaign.id, made, taken - 1)

    def _put_active(self, campaign: Campaign, offers: Sequence[Active], states: Sequence[State]) -> None:
        slot = key(campaign.id, ACTIVE)
        if not offers:
            self.progress.drop(slot)
            return
        wakes = [state.wake_at for state in states if state.wake_at is not None]
        self.progress.put(slot, active.pack(offers), min(wakes, default=None))

    def _program(self, campaign: Campaign, one: Active) -> Program:
        return self.catalogue.offers_by_number[one.offer_number].program_in(campaign.zone)

    def _state(self, campaign: Campaign, one: Active) -> State:
        return self._program(campaign, one).unpack(one.state)

    # --- the result --------------------------------------------------------------------------------

    @property
    def changed(self) -> bool:
        """Whether the row has to be written."""
        return self.progress.changed or self.row.epoch < self.catalogue.epoch

    def result(self) -> MemberRow:
        """The row as it is to be written."""
        self._pack_entries()
        at, order, event_id = self.position
        epoch = max(self.row.epoch, self.catalogue.epoch)
        return MemberRow(self.row.user, epoch, at, order, event_id, self.progress.wake_at, self.progress.pack())
