"""The life of a grant, as one table.

Theory of operation
===================

A grant begins when a user has earned a reward, and it never vanishes: whatever becomes of it, its row says so, and
every change after the earning is a step that is kept, numbered, with who, when and why.

Between the earning and the paying lie four gates, always passed in this order:

    budget   the campaign's money has to cover it
    review   nothing has flagged it, or somebody approved it
    hold     its hold period is over
    pool     there is something to give, such as a code

A grant that cannot pass a gate is `held` there, and says which gate it waits at. Whatever opens a gate moves it on to
the next one that is closed; past the last it is `ready`. A hold period is counted from the earning, not from the gate
before it, so that a slow review does not make it longer; one that is over by then is no gate at all.

`ready` is the only status in which anybody pays. Whoever pays leases the grant, so that nobody else pays meanwhile, and
says what came of it: `FulfilGrant`, or `FailGrant` with a reason. That a webhook was answered with 2xx says nothing
about a payment: a grant stays ready, and listed, until somebody has fulfilled it. A lease is a number that grows with
each lease and each failure. Whoever names an old number is refused, because somebody else may be paying.
A failure makes the grant claimable again after a while; the last one makes it `undeliverable`, which is no end:
`RetryGrant` puts it back.

`denied`, `reversed` and a `fulfilled` that is not taken back are ends. A grant is reversed in parts or as a whole.
A part changes what is due and not the status; what has been taken back of a fulfilled grant is for the host to collect.

No decision changes a status but by `moved`, which knows the table below and nothing else. What the table does not
have is refused with the status that the grant has, in words and facts.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.rows import GrantRow
from rewardkit.core.values.input import show
from rewardkit.errors import InvariantError, Refused
from rewardkit.language.event import rfc3339

EARNED: Final = "earned"
"""Where a life begins: no status of a row, but of what has just been earned."""

HELD: Final = "held"
READY: Final = "ready"
FULFILLED: Final = "fulfilled"
DENIED: Final = "denied"
REVERSED: Final = "reversed"
UNDELIVERABLE: Final = "undeliverable"

STATUSES: Final = (HELD, READY, FULFILLED, DENIED, REVERSED, UNDELIVERABLE)

BUDGET: Final = "budget"
REVIEW: Final = "review"
HOLD: Final = "hold"
POOL: Final = "pool"

GATES: Final = (BUDGET, REVIEW, HOLD, POOL)
"""In the order in which a grant passes them."""


class Place(NamedTuple):
    """Where a grant is in its life: its status, and the gate that it is held at."""

    status: str
    held_for: str = ""

    def __str__(self) -> str:
        return f"{self.status}({self.held_for})" if self.held_for else self.status


AT: Final = {gate: Place(HELD, gate) for gate in GATES}
"""Held at a gate."""

_BIRTH, _READY = Place(EARNED), Place(READY)
_FULFILLED, _DENIED, _REVERSED, _UNDELIVERABLE = map(Place, (FULFILLED, DENIED, REVERSED, UNDELIVERABLE))


class Move(NamedTuple):
    """One kind of change: its name, where from, and where to."""

    name: str
    before: tuple[Place, ...]
    after: tuple[Place, ...]


def _onward(gate: str) -> tuple[Place, ...]:
    """Every place that lies behind a gate."""
    return (*(AT[after] for after in GATES[GATES.index(gate) + 1 :]), _READY)


_OPEN: Final = (*AT.values(), _READY, _UNDELIVERABLE)

MOVES: Final = (
    Move("earn", (_BIRTH,), (*AT.values(), _READY)),
    Move("fund", (AT[BUDGET],), _onward(BUDGET)),
    Move("check", (AT[REVIEW],), (AT[REVIEW], *_onward(REVIEW))),
    Move("approve", (AT[REVIEW],), _onward(REVIEW)),
    Move("deny", (AT[REVIEW],), (_DENIED,)),
    Move("release", (AT[HOLD],), _onward(HOLD)),
    Move("supply", (AT[POOL],), _onward(POOL)),
    Move("fulfil", (_READY,), (_FULFILLED,)),
    Move("fail", (_READY,), (_READY, _UNDELIVERABLE)),
    Move("retry", (_UNDELIVERABLE,), (_READY,)),
    Move("reduce", (*_OPEN, _FULFILLED), (*_OPEN, _FULFILLED)),
    Move("reverse", (*_OPEN, _FULFILLED), (_REVERSED,)),
)
"""Everything that can happen to a grant. What reduces one takes a part of it back, and leaves it where it is."""

_NAMED: Final = {move.name: move for move in MOVES}


def place_of(row: GrantRow) -> Place:
    """Where a grant is."""
    return Place(row.status, row.held_for)


def allows(row: GrantRow, move: str) -> bool:
    """Whether a grant is where something of this kind can happen to it."""
    return place_of(row) in _NAMED[move].before


class Moved(NamedTuple):
    """A grant after a step, and the step."""

    row: GrantRow
    step: GrantStepRow


def moved(row: GrantRow, move: str, to: Place, at: int, *, by: str = "", reason: str = "", amount: str = "") -> Moved:
    """A grant after a change of the table: the only way from one status to another.

    Args:
        row: as it is now, locked.
        move: the change's name.
        to: where it leads.
        at: now.
        by: who did it, as the caller said.
        reason: why.
        amount: what it takes back, as a decimal.

    Raises:
        InvariantError: the table has no such change.
    """
    before, known = place_of(row), _NAMED[move]
    if before not in known.before or to not in known.after or (move == "reduce" and to != before):
        raise InvariantError(f"grant `{row.id}` cannot go from {before} to {to} by `{move}`")
    number = row.steps + 1
    after = row._replace(status=to.status, held_for=to.held_for, steps=number)
    return Moved(after, GrantStepRow(row.id, number, at, move, to.status, to.held_for, by, reason, amount))


def missing(grant: str) -> Refused:
    """The refusal of an id that no grant has."""
    return Refused("grant_unknown", f"grant `{show(grant)}` does not exist", {})


def refused(row: GrantRow) -> Refused:
    """The refusal of what cannot be done to a grant that is where it is."""
    facts: dict[str, Any] = {"status": row.status}
    match row.status:
        case "held":
            facts["held_for"] = row.held_for
            until = ""
            if row.held_for == HOLD and row.hold_until is not None:
                facts["hold_until"] = rfc3339(row.hold_until)
                until = f" until `{facts['hold_until']}`"
            return Refused("grant_held", f"grant `{row.id}` is held for its {row.held_for}{until}", facts)
        case "ready":
            return Refused("grant_ready", f"grant `{row.id}` is ready to be fulfilled", facts)
        case "fulfilled":
            facts["fulfilled_at"] = rfc3339(row.fulfilled_at or 0)
            return Refused("grant_fulfilled", f"grant `{row.id}` has been fulfilled before", facts)
        case "denied":
            facts["reason"] = row.reason
            return Refused("grant_denied", f"grant `{row.id}` has been denied: {row.reason}", facts)
        case "reversed":
            facts["reason"] = row.reason
            return Refused("grant_reversed", f"grant `{row.id}` has been reversed: {row.reason}", facts)
        case "undeliverable":
            facts |= {"reason": row.reason, "failures": row.failures}
            sentence = f"grant `{row.id}` is undeliverable, put it back with `RetryGrant`: {row.reason}"
            return Refused("grant_undeliverable", sentence, facts)
        case _:
            raise InvariantError(f"grant `{row.id}` has the status `{row.status}`, which there is not")
