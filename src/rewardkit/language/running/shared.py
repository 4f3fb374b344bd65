"""The segments that a whole program shares: what `ever` looks at, and what `satisfied` waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import attrs

from rewardkit.language.event import Event, Instant
from rewardkit.language.running.chain import FALSE, FIRED, FOREVER, TRUE, VALUE, Evers, Part
from rewardkit.language.running.dominance import Thread
from rewardkit.language.running.state import IMPOSSIBLE, SATISFIED

_SATISFIED: Thread = (SATISFIED,)
_IMPOSSIBLE: Thread = (IMPOSSIBLE,)


class Shared(Protocol):
    """One of them at run time."""

    @property
    def initial(self) -> Thread: ...

    def run(
        self, thread: Thread, event: Event | None, at: Instant, end: Instant, evers: Evers
    ) -> tuple[Thread, int]: ...

    def due(self, thread: Thread, end: Instant, evers: Evers) -> Instant: ...


@attrs.frozen(eq=False)
class Derived:
    """The body of a `satisfied`: it is judged until it is decided, and fires where it becomes satisfied."""

    part: Part
    widened: bool
    """Whether it is judged over all known history, and not from the start of the scope."""

    @property
    def initial(self) -> Thread:
        return self.part.initial

    def run(self, thread: Thread, event: Event | None, at: Instant, end: Instant, evers: Evers) -> tuple[Thread, int]:
        if len(thread) == 1:
            return thread, VALUE | TRUE if thread == _SATISFIED else FALSE
        after, known = self.part.run(thread, event, at, end, evers)
        if known & VALUE:
            return _SATISFIED, VALUE | TRUE | FIRED
        return (_IMPOSSIBLE, FALSE) if known & FALSE else (after, 0)

    def due(self, thread: Thread, end: Instant, evers: Evers) -> Instant:
        return FOREVER if len(thread) == 1 else self.part.due(thread, end, evers)


def opened(parts: Sequence[Shared], start: Instant) -> tuple[Thread, ...]:
    """The threads of shared segments before anything is read."""
    return tuple((start if isinstance(part, Derived) and not part.widened else 0, *part.initial[1:]) for part in parts)


def due(
    parts: Sequence[Shared], threads: tuple[Thread, ...], end: Instant, known: Evers, *, before: bool = False
) -> Instant:
    """The earliest instant at which time alone may change a thread; `before` the scope, of what is read there."""
    return min(
        (
            part.due(thread, end, known)
            for part, thread in zip(parts, threads, strict=True)
            if not (before and _own(part))
        ),
        default=FOREVER,
    )


def _own(part: Shared) -> bool:
    """Whether it belongs to the scope, and is not read before it."""
    return isinstance(part, Derived) and not part.widened


def read(
    parts: Sequence[Shared],
    threads: tuple[Thread, ...],
    event: Event | None,
    at: Instant,
    end: Instant,
    *,
    scope: Literal["before", "opening", "inside"] = "inside",
) -> tuple[tuple[Thread, ...], Evers]:
    """One reading of all shared segments: their threads, the very same ones where nothing changed, and their bits.

    `scope` says where the reading stands to the scope's start: what belongs to the scope is not read before it, and
    fires in no scope that opens at the very place.
    """
    known: Evers = ()
    after = []
    for part, thread in zip(parts, threads, strict=True):
        own = _own(part)
        if own and scope == "before":
            folded, bits = thread, 0
        else:
            folded, bits = part.run(thread, event, at, end, known)
        after.append(folded)
        known = (*known, bits & ~FIRED if own and scope == "opening" else bits)
    if any(new is not old for new, old in zip(after, threads, strict=True)):
        threads = tuple(after)
    return threads, known
