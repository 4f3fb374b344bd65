"""Folding a recipient's open referrals: their part of her fold."""

from __future__ import annotations

import attrs

from rewardkit.core.definitions.replay import replay
from rewardkit.core.folding.making import Outcome, outcome_of
from rewardkit.core.folding.open_referral import OpenReferral, unpack
from rewardkit.core.folding.reading import Reading
from rewardkit.errors import InvariantError
from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import State


@attrs.define
class Side:
    """The reward of one of the two, where it was earned."""

    funded: bool = True
    """Whether the campaign's budget covers it."""


@attrs.define
class Closing:
    """How a referral ended in a fold; `earned` is said of the recipient, and her sender's caps are asked later."""

    referral: OpenReferral
    outcome: Outcome
    capped: bool = False
    """Whether the sender has had all that she may have."""
    period: str = ""
    """Under whose cap the sender's reward took a place."""
    sender: Side = attrs.field(factory=Side)
    recipient: Side = attrs.field(factory=Side)


@attrs.frozen
class Opening:
    """A referral made in a fold; with its closing, where what is known already decides it."""

    referral: OpenReferral
    at: int
    ends_at: int | None
    closing: Closing | None
    held_out: str = ""
    """The campaign that its sender was held out of."""


class ReferralFold:
    """What happens to one user's open referrals, in which she is the recipient."""

    def __init__(self, fold: Reading) -> None:
        self._fold = fold
        self.openings: list[Opening] = []
        self.closings: list[Closing] = []
        """Of referrals that were made before."""

    def step(self, slot: int, event: Event) -> None:
        """Fold an event that the slot's program listens to."""
        referral, before = self._read(slot)
        after = referral.program.folding.step(before, event)
        if after is not before:
            self._keep(slot, referral, after, event.id)

    def wake(self, slot: int, until: int) -> None:
        """Let time pass."""
        if self._fold.progress.get(slot) is not None:
            referral, before = self._read(slot)
            self._keep(slot, referral, referral.program.folding.advance(before, until), "")

    def open(self, referral: OpenReferral, at: int, until: int, held_out: str = "") -> Opening:
        """Open a referral, and fold what is known from an instant on, up to the reading at `until`.

        Raises:
            InvariantError: one of its program is open already.
        """
        fold, program = self._fold, referral.program.folding
        if fold.progress.get(referral.program.slot) is not None:
            raise InvariantError(f"user `{referral.recipient}` has an open referral of `{referral.program.name}`")
        start = Position(at)
        fold.require_history(program, start)
        fold.position = max(fold.position, start)
        ends_at = None if referral.program.expires_after is None else at + referral.program.expires_after
        state, event_id = replay(program, start, ends_at, fold.history or (), until)
        outcome = outcome_of(program, state, event_id)
        closing = None if outcome is None else Closing(referral, outcome)
        opening = Opening(referral, at, ends_at, closing, held_out)
        self.openings.append(opening)
        if outcome is None:
            fold.progress.put(referral.program.slot, referral.pack(program.pack(state)), state.wake_at)
        return opening

    def void(self, referral: OpenReferral, at: int, reason: str) -> bool:
        """End an open referral by somebody's will; whether it was open."""
        slot = referral.program.slot
        if self._fold.progress.get(slot) is None:
            return False
        self._fold.progress.drop(slot)
        self.closings.append(Closing(referral, Outcome("voided", at, "", reason)))
        return True

    def replace(self, referral: OpenReferral, state: State, event_id: str) -> None:
        """Put a state that was folded anew in the place of an open referral's."""
        if self._fold.progress.get(referral.program.slot) is not None:
            self._keep(referral.program.slot, referral, state, event_id)

    def _read(self, slot: int) -> tuple[OpenReferral, State]:
        fold = self._fold
        payload = fold.progress.get(slot) or b""
        referral, state = unpack(payload, fold.row.user, fold.catalogue.referrals.programs_by_number)
        return referral, referral.program.folding.unpack(state)

    def _keep(self, slot: int, referral: OpenReferral, state: State, event_id: str) -> None:
        program = referral.program.folding
        outcome = outcome_of(program, state, event_id)
        if outcome is None:
            self._fold.progress.put(slot, referral.pack(program.pack(state)), state.wake_at)
        else:
            self._fold.progress.drop(slot)
            self.closings.append(Closing(referral, outcome))
