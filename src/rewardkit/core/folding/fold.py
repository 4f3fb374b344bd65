"""Folding one user's events and the passing of time over what is open for her.

Campaigns do not see each other, so each is folded by itself.
An offer that an entry condition makes is tentative until its campaign's cap has been asked; `deny` takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.campaign_terms import AFTER_EARNING, UNITS, next_period
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.draws import Drawn
from rewardkit.core.definitions.replay import replay
from rewardkit.core.definitions.taking import Taking
from rewardkit.core.folding import active
from rewardkit.core.folding.active import Active
from rewardkit.core.folding.entering import EntryFold
from rewardkit.core.folding.making import Ending, Making, Outcome, outcome_of
from rewardkit.core.folding.referral_fold import ReferralFold
from rewardkit.core.storing.progress import ACTIVE, ENTRIES, ENTRY, REFERRAL, is_audience, key
from rewardkit.core.storing.rows import MemberRow
from rewardkit.errors import InvariantError
from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import PENDING, Program, State


def _turn(slot: int) -> int:
    """Of what is due at one instant: audiences, then what may give places back, then what may take some."""
    return 0 if is_audience(slot) else 1 if slot & 3 == ACTIVE else 2


_NO_EVENTS: tuple[Event, ...] = ()


class Fold(EntryFold):
    """One member row while it is folded; `makings` and `endings` say what happened."""

    def __init__(self, catalogue: Catalogue, row: MemberRow, history: Sequence[Event] | None = None) -> None:
        super().__init__(catalogue, row, history)
        self.makings: list[Making] = []
        self.endings: list[Ending] = []
        self.referrals = ReferralFold(self)
        self._reading: Event | None = None
        self._claimed = 0, 0
        self._unsettled: list[tuple[Making, Position]] = []
        """Entries of campaigns that begin anew after earning, which were earned before their place was asked for."""

    # --- reading on --------------------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Fold an event that sorts after everything read so far."""
        self.advance(event.at)
        if self.history is not None:
            self.history.append(event)
        # An offer that is made later, from an earlier place on, has to find it in the history.
        listened = event.name in self.catalogue.heard
        self._reading = event
        listened |= self.hear_audiences(event)
        slots = self.catalogue.slot_listeners.to(event.name)
        for slot in self.progress.repeat(slots, event.name, self.catalogue.steps):
            if slot & 3 == REFERRAL:
                self.referrals.step(slot, event)
            else:
                self._step_active(slot, event)
        listened |= self.hear(event)
        if listened:
            self.position = max(self.position, event.position)
            self.progress.changed = True
        self.open_cycles()
        self._reading = None

    def advance(self, until: int) -> None:
        """Release every timer that is due by `until`, listening or not, instant by instant.

        What ends at an instant gives its place back before an entry of the same instant takes one.
        """
        wake_at = self.progress.wake_at
        while wake_at is not None and wake_at <= until:
            for slot in sorted(self.progress.due(wake_at), key=_turn):
                self._wake(slot, wake_at)
            self.position = max(self.position, Position(wake_at))
            self.open_cycles()
            after = self.progress.wake_at
            if after is not None and after <= wake_at:
                raise InvariantError(f"a timer of user `{self.row.user}` at {wake_at} changes nothing")
            wake_at = after

    def _wake(self, slot: int, until: int) -> None:
        if slot == ENTRIES:
            found = self.catalogue.entry_conditions.advance(self.standing, until)
            self.progress.changed = True
            self.progress.time(ENTRIES, self.standing.wake_at)
            self._keep_decided(found, until, None)
            return
        if is_audience(slot):
            self.wake_audience(slot, until)
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
                self.progress.time(slot, None)
                return
            if campaign.recurs:
                self.wake_cycle(campaign, payload, until)
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

    # --- what states come to -----------------------------------------------------------------------

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
            self.progress.keep(campaign.id, drawn=drawn.packed())
        if campaign.reentry in UNITS:
            self.progress.keep(campaign.id, reopens_at=next_period(start.at, campaign.reentry, campaign.zone))
        ends_at = None if offer.expires_after is None else start.at + offer.expires_after
        taking = Taking() if drawn.held_out else campaign.taking(start.at, self.catalogue.cost(offer))
        making = Making(self.row.user, campaign, offer, made + 1, start, ends_at, taking, variant.name, drawn.held_out)
        self.makings.append(making)
        self.progress.count(campaign.id, made + 1, taken + 1)
        self.position = max(self.position, start)
        state, event_id = replay(program, start, ends_at, self.history or _NO_EVENTS, until)
        outcome = outcome_of(program, state, event_id)
        if outcome is not None:
            making.outcome = outcome
            self._settle(campaign, outcome, making)
            return making
        payload = self.progress.get(key(campaign.id, ACTIVE))
        offers = active.unpack(payload) if payload else []
        states = [*(self._state(campaign, one) for one in offers), state]
        offers.append(Active(offer.number, making.entry, program.pack(state), taking, drawn.held_out))
        self._put_active(campaign, offers, states)
        return making

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
                self._settle(campaign, outcome, making)
                return
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

    def unclaimed(self) -> tuple[list[Making], list[Ending]]:
        """What was made and has ended since this was last asked."""
        makings, endings = self._claimed
        self._claimed = len(self.makings), len(self.endings)
        return self.makings[makings:], self.endings[endings:]

    def deny(self, making: Making, full: str) -> None:
        """Take a tentative offer back: no place was left. Its entry stays counted, its place does not."""
        making.denied, making.full = True, full
        freed = making.outcome is not None and making.outcome.status == "expired"
        making.outcome = None
        if self._withdraw(making.campaign, making.entry) is None and not freed:
            made, taken = self.progress.counts(making.campaign.id)
            self.progress.count(making.campaign.id, made, taken - 1)

    def _settle(self, campaign: Campaign, outcome: Outcome, making: Making | None = None) -> None:
        if outcome.status != "earned":
            made, taken = self.progress.counts(campaign.id)
            self.progress.count(campaign.id, made, taken - 1)
        elif campaign.reentry == AFTER_EARNING:
            place = self._place_of(outcome)
            if making is None:
                self._begin_after_earning(campaign, place)
                return
            # What holds from the beginning is earned where it is made, behind the event that makes it.
            place = max(place, making.start)
            if not making.taking:
                self._begin_after_earning(campaign, place, made_there=place == making.start)
            else:
                self._unsettled.append((making, place))

    def _begin_after_earning(self, campaign: Campaign, place: Position, *, made_there: bool = False) -> None:
        if self.is_idle_at(campaign, place, made_there=made_there):
            self.begin_anew(campaign, place)

    def _place_of(self, outcome: Outcome) -> Position:
        if not outcome.event_id:
            return Position(outcome.at)
        if self._reading is not None and self._reading.id == outcome.event_id:
            return self._reading.position
        return next(event.position for event in self.history or () if event.id == outcome.event_id)

    @property
    def waits_for_places(self) -> bool:
        """Whether entry conditions begin anew once it is known that what was earned in this fold has its place."""
        return bool(self._unsettled)

    def go_on(self) -> None:
        """Begin them anew, where the place was there; its history has been read."""
        unsettled, self._unsettled = self._unsettled, []
        for making, place in unsettled:
            if not making.denied:
                self._begin_after_earning(making.campaign, place, made_there=place == making.start)
        self.open_cycles()

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
