"""Steps that were taken before: a condition of counters alone is a small automaton, and finds its way by looking it up.

Such a state does not depend on when its scope began, nor on anything of an event but its name, so one user's step is
every user's step. The packed bytes are read, checked and written without being unpacked.
"""

from __future__ import annotations

from rewardkit.language.event import Event
from rewardkit.language.packing import Packing
from rewardkit.language.plan import Counter, Plan
from rewardkit.language.state import PENDING, State

_HEAD = 9
"""Bytes before the counters: the status, and the start in eight."""

_MOST_STEPS = 4_096
"""That one program remembers; a condition with more states than that is stepped the ordinary way beyond them."""


class Memo:
    """The steps of one program between pending states."""

    def __init__(self, plan: Plan, packing: Packing) -> None:
        self._packing = packing
        self._steps: dict[tuple[bytes, str], bytes] = {}
        slots = [slot for slot in plan.root.slots if isinstance(slot, Counter)]
        plain = len(slots) == len(plan.root.slots) and not plan.evers and not plan.root.offsets
        filtered = any(match.where is not None for slot in slots for match in slot.matches)
        self._length = _HEAD + len(slots) + 1 if plain and not filtered else 0

    def find(self, data: bytes, event: Event) -> bytes | None:
        """The packed state after the event, the same bytes object where nothing changes; None where it is not known.

        Raises:
            InvariantError: for bytes that the program did not write.
        """
        if len(data) != self._length or data[0] != PENDING:
            return None
        counts = data[_HEAD:-1]
        after = self._steps.get((counts, event.name))
        if after is None:
            return None
        self._packing.require(data)
        return data if after == counts else self._packing.seal(data[:_HEAD] + after)

    def keep(self, data: bytes, event: Event, state: State, packed: bytes) -> None:
        """Remember a step that was taken, where it leads from such a state to another."""
        alike = len(data) == len(packed) == self._length and data[0] == state.status == PENDING
        if alike and state.wake_at is None and len(self._steps) < _MOST_STEPS:
            self._steps[data[_HEAD:-1], event.name] = packed[_HEAD:-1]
