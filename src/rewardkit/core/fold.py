"""Folding one user's events and the passing of time over what is open for her.

Campaigns do not see each other, so each is folded by itself.
An offer that an entry condition makes is tentative until its campaign's cap has been asked; `deny` takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from rewardkit.core import active
from rewardkit.core.active import Active
from rewardkit.core.catalogue import Catalogue
from rewardkit.core.definitions import Campaign, Offer
from rewardkit.core.progress import ACTIVE, ENTRY, Progress, key
from rewardkit.core.rows import MemberRow
from rewardkit.errors import InvariantError
from rewardkit.language.event import Event, Position
from rewardkit.language.program import PENDING, SATISFIED, Program, State

_NO_EVENTS: tuple[Event, ...] = ()


class HistoryNeeded(Exception):
    """The user's stored events have to be read before her fold can go on."""


@attrs.frozen
class Outcome:
    """How a user offer ended."""

    status: str
    """`earned`, `expired` or `cancelled`."""
    at: int
    event_id: str
    reason: str


@attrs.define
class Making:
    """An offer made to the user in this fold."""

    user: str
    campaign: Campaign
    offer: Offer
    entry: int
    start: Position
    ends_at: int | None
    counted: bool
    outcome: Outcome | None = None
    denied: bool = False


@attrs.frozen
class Ending:
    """A user offer, made earlier, that ended in this fold."""

    campaign: Campaign
    offer: Offer
    active: Active
    outcome: Outcome


class Fold:
    """One member row while it is folded; `makings` and `endings` say what happened."""

    def __init__(self, catalogue: Catalogue, row: MemberRow, history: Sequence[Event] | None = None) -> None:
        self.catalogue = catalogue
        self.row = row
        self.position = Position(row.at, row.order, row.id)
        self.progress = Progress(row.state)
        self.makings: list[Making] = []
        self.endings: list[Ending] = []
        self.history = None if history is None else list(history)
        """All stored events that sort up to `position`, in total order; None where they have not been read."""

    # --- reading on --------------------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Fold an event that sorts after everything read so far."""
        self.advance(event.at)
        if self.history is not None:
            self.history.append(event)
        # An offer that is made later, from an earlier place on, has to find it in the history.
        listened = event.name in self.catalogue.heard
        slots = self.catalogue.offer_listeners.get(event.name, ())
        for slot in self.progress.repeat(slots, event.name, self.catalogue.steps):
            self._step_active(slot, event)
        for campaign in self.catalogue.entry_listeners.get(event.name, ()):
            if not self.progress.entered >> campaign.id & 1:
                listened = True
                self._step_entry(campaign, event)
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

    def _step_entry(self, campaign: Campaign, event: Event) -> None:
        if campaign.end is not None and event.at >= campaign.end:
            return
        payload = self.progress.get(key(campaign.id, ENTRY))
        program = campaign.program
        state = campaign.opening if payload is None else program.unpack(payload)
        after = program.step(state, event)
        if after is not state:
            self.keep_entry(campaign, after, event.at, event)

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

    def keep_entry(self, campaign: Campaign, state: State, until: int, event: Event | None) -> None:
        """Keep an entry condition's state as read at `until`; make the offer when it holds and the campaign is open.

        The entry instant is the later of the campaign's start and the reading at which the condition first held
        (after `event`, where that decided), so it does not depend on when this was noticed.
        """
        if state.status == PENDING:
            self.progress.put(key(campaign.id, ENTRY), campaign.program.pack(state), state.wake_at)
            return
        if state.status == SATISFIED:
            opens_at = campaign.opens_at
            decided_at = opens_at - 1 if state.decided_at is None else state.decided_at
            if decided_at >= opens_at:
                start = event.position if event is not None and event.at == decided_at else Position(decided_at)
            elif opens_at > until:
                self.progress.put(key(campaign.id, ENTRY), campaign.program.pack(state), opens_at)
                return
            else:
                start = Position(opens_at)
            if campaign.end is not None and start.at >= campaign.end:
                # Undecided still: an event before the end may come out of order.
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
        offer = self.catalogue.offers[campaign.offer]
        program = offer.program_in(campaign.zone)
        if self.history is None and (program.uses_history or start < self.position):
            raise HistoryNeeded
        made, taken = self.progress.counts(campaign.id)
        ends_at = None if offer.expires_after is None else start.at + offer.expires_after
        making = Making(self.row.user, campaign, offer, made + 1, start, ends_at, counted=campaign.cap is not None)
        self.makings.append(making)
        self.progress.count(campaign.id, made + 1, taken + 1)
        self.position = max(self.position, start)
        state, event_id = replay(program, start, ends_at, self.history or _NO_EVENTS, until)
        outcome = _outcome(program, state, event_id)
        if outcome is not None:
            making.outcome = outcome
            self._settle(campaign, outcome)
            return making
        payload = self.progress.get(key(campaign.id, ACTIVE))
        offers = active.unpack(payload) if payload else []
        states = [*(self._state(campaign, one) for one in offers), state]
        offers.append(Active(offer.number, making.entry, making.counted, program.pack(state)))
        self._put_active(campaign, offers, states)
        return making

    def _keep_active(
        self, campaign: Campaign, offers: Sequence[Active], states: Sequence[State], event_id: str
    ) -> None:
        still, pending = [], []
        for one, state in zip(offers, states, strict=True):
            program = self._program(campaign, one)
            outcome = _outcome(program, state, event_id)
            if outcome is None:
                still.append(Active(one.offer_number, one.entry, one.counted, program.pack(state)))
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
        offers = active.unpack(self.progress.get(key(campaign.id, ACTIVE)) or b"")
        states = [state if other.entry == one.entry else self._state(campaign, other) for other in offers]
        self._keep_active(campaign, offers, states, event_id)

    def cancel(self, campaign: Campaign, entry: int, at: int) -> bool:
        """End an active user offer by somebody's will; whether it was active."""
        found = self._withdraw(campaign, entry)
        if found is not None:
            outcome = Outcome("cancelled", at, "", "withdrawn")
            self.endings.append(Ending(campaign, self.catalogue.offers_by_number[found.offer_number], found, outcome))
        return found is not None

    def _withdraw(self, campaign: Campaign, entry: int) -> Active | None:
        """Take an active user offer away and free its place; None where it is not active."""
        offers = active.unpack(self.progress.get(key(campaign.id, ACTIVE)) or b"")
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
        at, order, event_id = self.position
        epoch = max(self.row.epoch, self.catalogue.epoch)
        return MemberRow(self.row.user, epoch, at, order, event_id, self.progress.wake_at, self.progress.pack())


def replay(
    program: Program, start: Position | None, ends_at: int | None, history: Iterable[Event], until: int
) -> tuple[State, str]:
    """Fold a condition from its start to the reading at `until`; with the id of the event that decided, if one did."""
    known = [event for event in history if event.name in program.names]
    before = [] if start is None else [event for event in known if event.position <= start]
    after = known[len(before) :]
    state = program.start(None if start is None else start.at, end=ends_at, history=before)
    for event in after:
        state = program.advance(state, event.at)
        if state.status == PENDING:
            state = program.step(state, event)
            if state.status != PENDING:
                return state, event.id
    return program.advance(state, until), ""


def _outcome(program: Program, state: State, event_id: str) -> Outcome | None:
    if state.status == PENDING:
        return None
    if state.decided_at is None:
        raise InvariantError("a condition was decided at no instant")
    status = "earned" if state.status == SATISFIED else "expired"
    return Outcome(status, state.decided_at, event_id, program.verdict(state).reason)
