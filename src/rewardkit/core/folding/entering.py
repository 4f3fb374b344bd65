"""One user's way into campaigns: entry conditions, once or in cycles, and the audiences that they are judged by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from rewardkit.core.definitions.audience import Audience, holds
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.campaign_terms import AFTER_EARNING, UNITS, next_period
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.replay import replay
from rewardkit.core.folding import cycle
from rewardkit.core.folding.cycle import Cycle
from rewardkit.core.folding.making import Making
from rewardkit.core.folding.reading import HistoryNeeded, Reading
from rewardkit.core.storing.progress import ENTRIES, ENTRY, audience_key, audience_of, key
from rewardkit.core.storing.rows import MemberRow
from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import IMPOSSIBLE, PENDING, SATISFIED, State
from rewardkit.language.running.state import decided
from rewardkit.language.sets.standing import Decided, Standing


class EntryFold(Reading, ABC):
    """One member row while it is folded, as far as entries go."""

    def __init__(self, catalogue: Catalogue, row: MemberRow, history: Sequence[Event] | None = None) -> None:
        super().__init__(catalogue, row, history)
        self._standing: Standing | None = None
        self._settled = 0
        self._begun: dict[int, tuple[Campaign, Position]] = {}
        """Entry conditions that begin anew after a place, and were not folded yet, by the campaigns' ids."""

    @abstractmethod
    def make(self, campaign: Campaign, start: Position, until: int) -> Making:
        """Make the campaign's offer from a place on."""

    # --- reading on --------------------------------------------------------------------------------

    def hear(self, event: Event) -> bool:
        """Step the entry conditions by an event; whether any listens."""
        conditions = self.catalogue.entry_conditions
        listened = bool(conditions.listening(event.name) & ~self.progress.entered)
        if listened:
            standing = self.standing
            found = conditions.step(standing, event)
            self.progress.time(ENTRIES, standing.wake_at)
            self._keep_decided(found, event.at, event)
        for campaign in self.catalogue.recurring_listeners.to(event.name):
            listened = True
            self._step_cycle(campaign, event)
        return listened

    def open_entries(self) -> None:
        """Begin the entry conditions that hold before anything has happened; no event would begin them."""
        for campaign in self.catalogue.open_at_once:
            known = self.progress.entered >> campaign.id & 1 or self.progress.get(key(campaign.id, ENTRY)) is not None
            if not known:
                self.keep_entry(campaign, campaign.opening, self.position.at, None)

    # --- audiences ---------------------------------------------------------------------------------

    def hear_audiences(self, event: Event) -> bool:
        """Step the audiences by an event, before any entry that it brings about; whether any listens."""
        listeners = self.catalogue.audience_listeners.to(event.name)
        for audience in listeners:
            before = self.audience_state(audience)
            self._keep_audience(audience, before, audience.program.step(before, event))
        return bool(listeners)

    def wake_audience(self, slot: int, until: int) -> None:
        """Let time pass over an audience."""
        audience = self.catalogue.audiences_by_number[audience_of(slot)]
        before = self.audience_state(audience)
        self._keep_audience(audience, before, audience.program.advance(before, until))

    def recount_audiences(self) -> None:
        """Fold the audiences anew, from all that has been read."""
        for audience in self.catalogue.audiences.values():
            state = audience.fold(self.history or (), self.position.at)
            self._keep_audience(audience, self.audience_state(audience), state)

    def audience_state(self, audience: Audience) -> State:
        """How far it is for the user, as of what was read last."""
        payload = self.progress.get(audience_key(audience.number))
        return audience.opening if payload is None else audience.program.unpack(payload)

    def _keep_audience(self, audience: Audience, before: State, after: State) -> None:
        if after != before:
            self.progress.put(audience_key(audience.number), audience.program.pack(after), after.wake_at)

    def admits(self, campaign: Campaign, place: Position, *, direct: bool = False) -> bool:
        """Whether the user is in the campaign's audience at a place; directly, all events of its instant count.

        Raises:
            HistoryNeeded: something was read after it.
        """
        if campaign.audience is None:
            return True
        audience = self.catalogue.audiences[campaign.audience, campaign.zone]
        if self.history is not None:
            known = [one for one in self.history if one.position <= place or (direct and one.at == place.at)]
            return holds(audience.fold(known, place.at))
        if (place.at < self.position.at) if direct else (place < self.position):
            raise HistoryNeeded
        return holds(self.audience_state(audience))

    # --- entry conditions that begin anew -----------------------------------------------------------

    def _step_cycle(self, campaign: Campaign, event: Event) -> None:
        if self.progress.entered >> campaign.id & 1 or (campaign.end is not None and campaign.end <= event.at):
            return
        known = cycle.unpack(self.progress.get(key(campaign.id, ENTRY)))
        if known.after is not None and event.position <= known.after:
            return
        before = self._cycle_state(campaign, known)
        after = campaign.program.step(before, event)
        if after is not before:
            self._keep_cycle(campaign, known.after, after, event.at, event)

    def _cycle_state(self, campaign: Campaign, known: Cycle) -> State:
        if known.state:
            return campaign.program.unpack(known.state)
        return campaign.opening if known.after is None else campaign.program.start(known.after.at)

    def _keep_cycle(
        self, campaign: Campaign, after: Position | None, state: State, until: int, event: Event | None
    ) -> None:
        """Keep how far a cycle is; where it is decided, see `keep_entry`."""
        if state.status == PENDING:
            packed = Cycle(after, campaign.program.pack(state)).pack()
            self.progress.put(key(campaign.id, ENTRY), packed, state.wake_at)
        else:
            self.keep_entry(campaign, state, until, event, after)

    def wake_cycle(self, campaign: Campaign, payload: bytes, until: int) -> None:
        """Let time pass over a cycle; none is read at its campaign's end or after it."""
        known = cycle.unpack(payload)
        if campaign.end is not None and campaign.end <= until:
            self.progress.time(key(campaign.id, ENTRY), None)
            return
        state = campaign.program.advance(self._cycle_state(campaign, known), until)
        self._keep_cycle(campaign, known.after, state, until, None)

    def refold_cycle(self, campaign: Campaign) -> None:
        """Fold the cycle that is open anew, from all that has been read; what is over stays as it is."""
        if self.progress.entered >> campaign.id & 1:
            return
        known = cycle.unpack(self.progress.get(key(campaign.id, ENTRY)))
        self.progress.drop(key(campaign.id, ENTRY))
        self._replay_cycle(campaign, known.after)

    def failed_cycle(self, campaign: Campaign) -> Cycle | None:
        """The cycle that is open, where its condition has become impossible."""
        known = cycle.unpack(self.progress.get(key(campaign.id, ENTRY)))
        return known if known.state and campaign.program.unpack(known.state).status == IMPOSSIBLE else None

    def _replay_cycle(self, campaign: Campaign, after: Position | None) -> None:
        if campaign.entry is None or (after is not None and self.position < after):
            # It was taken away, perhaps: whatever comes in its stead begins there.
            self.progress.put(key(campaign.id, ENTRY), Cycle(after).pack())
            return
        if self.history is None:
            if after is None or after < self.position:
                raise HistoryNeeded
            state, event_id = campaign.program.start(after.at), ""
        else:
            until = self.position.at if campaign.end is None else min(self.position.at, campaign.end - 1)
            known = [event for event in self.history if event.at <= until]
            state, event_id = replay(campaign.program, after, None, known, max(until, after.at if after else 0))
        decisive = next((event for event in self.history or () if event.id == event_id), None)
        self._keep_cycle(campaign, after, state, self.position.at, decisive)

    def begin_anew(self, campaign: Campaign, after: Position) -> None:
        """Have the entry condition begin anew after a place, once everything up to it is folded.

        Of several places the first: one event may earn two offers, and still begins one cycle.
        """
        _, known = self._begun.get(campaign.id, (campaign, after))
        self._begun[campaign.id] = campaign, min(known, after)

    def is_idle_at(self, campaign: Campaign, place: Position, *, made_there: bool) -> bool:
        """Whether no cycle is open at a place, since the user entered before it.

        Args:
            campaign: whose.
            place: where an offer was earned.
            made_there: whether it was made at this very place; another was earned before an entry that is there.
        """
        entered = cycle.unpack(self.progress.get(key(campaign.id, ENTRY))).after
        idle = entered is None or entered < place or (made_there and entered == place)
        return bool(self.progress.entered >> campaign.id & 1) and idle

    def open_cycles(self) -> None:
        """Fold the cycles that have begun."""
        while self._begun:
            campaign, after = self._begun.pop(next(iter(self._begun)))
            self.progress.enter(campaign.id, decided=True)
            self.progress.enter(campaign.id, decided=False)
            self._replay_cycle(campaign, after)

    def _enter_again(self, campaign: Campaign, start: Position, until: int) -> None:
        """What a cycle that is fulfilled comes to: an entry, where she may enter, and the next cycle."""
        reopens_at = self.progress.reopens_at(campaign.id)
        if campaign.reentry in UNITS and start.at < reopens_at:
            self._sleep(campaign, reopens_at)
            return
        if not self.admits(campaign, start):
            self.begin_anew(campaign, start)
            return
        self.progress.enter(campaign.id, decided=True)
        if campaign.reentry == AFTER_EARNING:
            self.progress.put(key(campaign.id, ENTRY), Cycle(start).pack())
        _, taken = self.progress.counts(campaign.id)
        if taken < campaign.user_cap:
            self.make(campaign, start, until)
        if campaign.reentry in UNITS:
            self._sleep(campaign, next_period(start.at, campaign.reentry, campaign.zone))

    def _sleep(self, campaign: Campaign, until: int) -> None:
        """Have the next cycle begin at an instant that is yet to come."""
        self.begin_anew(campaign, Position(until))

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

    # --- what entry conditions come to -------------------------------------------------------------

    def keep_entry(
        self, campaign: Campaign, state: State, until: int, event: Event | None, after: Position | None = None
    ) -> None:
        """Keep what an entry condition came to as read at `until`; make the offer where the campaign is open.

        The entry instant is the later of the campaign's start and the reading at which the condition first held
        (after `event`, where that decided), so it does not depend on when this was noticed.
        A reading at or after the campaign's end decides nothing: an event before the end may come out of order.
        """
        if state.status == PENDING:
            return
        slot = key(campaign.id, ENTRY)
        opens_at = campaign.opens_at
        decided_at = opens_at - 1 if state.decided_at is None else state.decided_at
        if campaign.end is not None and decided_at >= campaign.end:
            self.progress.drop(slot)
            return
        if state.status != SATISFIED:
            self._fail_entry(campaign, state, decided_at, after)
            return
        start_at = campaign.opens_after(decided_at)
        over = start_at is not None and campaign.end is not None and start_at >= campaign.end
        if start_at is None or start_at > until or over:
            waiting = campaign.program.pack(decided(SATISFIED, decided_at, 0))
            if campaign.recurs:
                self.progress.put(slot, Cycle(after, waiting).pack(), None if over else start_at)
            elif over:
                self.progress.drop(slot)
            else:
                self.progress.put(slot, waiting, start_at)
            return
        start = event.position if event is not None and event.at == start_at else Position(start_at)
        if campaign.recurs:
            self._enter_again(campaign, start, until)
            return
        self.progress.enter(campaign.id, decided=True)
        _, taken = self.progress.counts(campaign.id)
        if taken < campaign.user_cap:
            self.make(campaign, start, until)

    def _fail_entry(self, campaign: Campaign, state: State, at: int, after: Position | None) -> None:
        if not campaign.recurs:
            self.progress.enter(campaign.id, decided=True)
        elif campaign.reentry in UNITS:
            self._sleep(campaign, next_period(at, campaign.reentry, campaign.zone))
        else:
            # The place where it began is kept: another condition may be put in its stead.
            self.progress.put(key(campaign.id, ENTRY), Cycle(after, campaign.program.pack(state)).pack())
