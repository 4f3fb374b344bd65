"""What is asked of one counter, and what becomes of what was reserved there."""

from __future__ import annotations

import attrs


@attrs.define
class Wanted:
    """A claim that is being put together."""

    cap: int = 0
    want: int = 0
    confirm: int = 0
    release: int = 0

    def ask(self, cap: int, amount: int) -> None:
        """So much more, under a cap."""
        self.cap, self.want = cap, self.want + amount

    def settle(self, amount: int, status: str) -> None:
        """What becomes of an amount that was reserved, now that what it was reserved for has ended."""
        if status == "earned":
            self.confirm += amount
        else:
            self.release += amount
