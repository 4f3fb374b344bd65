"""What no step may do, whatever is asked: what was accepted, earned or decided stands.

`violations` looks at one place in time; this looks at what lies between two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rewardkit.core.grants.reversing import ReverseGrant
from rewardkit.core.grants.reviewing import DenyGrant
from rewardkit.core.requests.answers import Recorded
from rewardkit.core.requests.commands import Emit
from rewardkit.core.storing.rows import EventRow
from rewardkit.errors import Conflict
from rewardkit.testing.deed import Deed

_ENDS = {"denied": DenyGrant, "reversed": ReverseGrant}


def step_violations(deed: Deed) -> Iterator[str]:
    """What is broken by a step, in sentences that begin with the invariant's letters."""
    yield from _accepted(deed)
    yield from _repeated(deed)
    yield from _earned(deed)
    yield from _codes(deed)


def _accepted(deed: Deed) -> Iterator[str]:
    """E2: an accepted event is never lost, and none comes from nowhere."""
    before, after = _events(deed.before.events), _events(deed.after.events)
    for place, row in before.items():
        if after.get(place) != row:
            yield f"E2: event {place} was {row}, and is {after.get(place)}"
    emitted: set[tuple[str, str]] = set()
    if isinstance(deed.command, Emit) and isinstance(deed.answer, Recorded):
        emitted = {(event.user, event.id) for event in deed.command.events}
        yield from (f"E2: event {place} was accepted and is not there" for place in sorted(emitted - after.keys()))
    yield from (f"E2: nobody emitted event {place}" for place in sorted(after.keys() - before.keys() - emitted))


def _repeated(deed: Deed) -> Iterator[str]:
    """E1: the same event changes nothing, and another one under its id is an error."""
    if not isinstance(deed.command, Emit):
        return
    before = _events(deed.before.events)
    events = deed.command.events
    known = [event for event in events if (event.user, event.id) in before]
    if isinstance(deed.answer, Recorded):
        if sorted(deed.answer.duplicate) != sorted(event.id for event in known):
            yield f"E1: {deed.answer.duplicate} are told to be known, and {[event.id for event in known]} are"
        if len(known) == len(events) and deed.after != deed.before:
            yield f"E1: {[event.id for event in known]} were known, and something has changed"
        for event in known:
            row = before[event.user, event.id]
            if (row.name, row.at) != (event.name, event.at):
                yield f"E1: event `{event.id}` came with another body, and was taken for the same"
    elif isinstance(deed.answer, Conflict) and not known:
        yield f"E1: none of {[event.id for event in events]} was known, and one is told to be: {deed.answer}"


def _events(rows: tuple[EventRow, ...]) -> Mapping[tuple[str, str], EventRow]:
    return {(row.user, row.id): row for row in rows}


def _earned(deed: Deed) -> Iterator[str]:
    """O4: what was earned or decided stands; a grant ends as denied or reversed by such a command alone."""
    grants = {row.id: row for row in deed.after.grants}
    for row in deed.before.grants:
        now = grants.get(row.id)
        if now is None:
            yield f"O4: grant `{row.id}` is gone"
            continue
        if (row.user, row.offer, row.reward, row.earned_at) != (now.user, now.offer, now.reward, now.earned_at):
            yield f"O4: grant {now} was {row}"
        ended = _ENDS.get(now.status)
        if row.status != now.status and ended is not None and not _names(deed, ended, row.id):
            yield f"O4: grant `{row.id}` is {now.status}, and nobody asked for that"
    tables: tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...]
    tables = (
        (deed.before.user_offers, deed.after.user_offers),
        (deed.before.referrals, deed.after.referrals),
    )
    for old, new in tables:
        found = {row.id: row for row in new}
        for one in old:
            stays = one.status not in ("active", "held_out", "open")
            if one.id not in found or (stays and found[one.id] != one):
                yield f"O4: {one} was decided, and is {found.get(one.id)}"


def _names(deed: Deed, command: type[Any], grant: str) -> bool:
    return isinstance(deed.command, command) and not deed.failed and deed.command.grant == grant


def _codes(deed: Deed) -> Iterator[str]:
    """R4: a sender's code stays hers."""
    found = {row.user: row for row in deed.after.referral_codes}
    for row in deed.before.referral_codes:
        if found.get(row.user) != row:
            yield f"R4: the code of user `{row.user}` was {row}, and is {found.get(row.user)}"
