"""How far one user's events have been read, and what is open for her by then: what every part of her fold works on."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.storing.progress import Progress
from rewardkit.core.storing.rows import MemberRow
from rewardkit.language.event import Event, Position
from rewardkit.language.folding.program import Program


class HistoryNeeded(Exception):
    """The user's stored events have to be read before her fold can go on."""


class Reading:
    """One member row, unpacked."""

    def __init__(self, catalogue: Catalogue, row: MemberRow, history: Sequence[Event] | None = None) -> None:
        self.catalogue = catalogue
        self.row = row
        self.position = Position(row.at, row.order, row.id)
        self.progress = Progress(row.state)
        self.history = None if history is None else list(history)
        """All stored events that sort up to `position`, in total order; None where they have not been read."""

    def require_history(self, program: Program, start: Position) -> None:
        """Go on only where what has been read is enough to begin a condition at a place.

        Raises:
            HistoryNeeded: what is known after it, or its `ever`, needs stored events.
        """
        if self.history is None and (program.uses_history or start < self.position):
            raise HistoryNeeded
