"""Recording events and folding them: the path that matters."""

from __future__ import annotations

from collections.abc import Iterable

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import current
from rewardkit.core.folding.members import fold_members
from rewardkit.core.requests.answers import Recorded
from rewardkit.core.requests.commands import Emit
from rewardkit.core.settling.settle import settle
from rewardkit.core.storing.needs import Accept, Accepted, Digests, Members, ask
from rewardkit.core.storing.rows import EventRow
from rewardkit.core.values import limits, payload
from rewardkit.core.values.identity import digest
from rewardkit.core.values.input import integer, mapping, show, text
from rewardkit.errors import Conflict, ValidationError
from rewardkit.language.event import UNTIMED, Event, instant, rfc3339

_ORDER = 2**31


def emit(command: Emit, context: Context) -> Deciding[Decision[Recorded]]:
    """Record the events that are new, fold them over their users' progress, and settle what was made and earned."""
    if not isinstance(command.events, tuple | list):
        raise ValidationError(f"events come as a tuple, not as `{type(command.events).__name__}`")
    if len(command.events) > limits.BATCH_EVENTS:
        raise ValidationError(
            f"{len(command.events)} events in one call: at most {limits.BATCH_EVENTS} commit together"
        )
    events, rows, repeated = _normal(command.events, context)
    users = tuple(sorted({user for user, _ in rows}))
    accepted = yield from ask(Accept(tuple(rows[key] for key in sorted(rows)), users))
    repeated += yield from _known(rows, events, accepted)
    ids = tuple(event.id for event in events)
    fresh: dict[str, list[Event]] = {}
    for event in events:
        if (event.user, event.id) in accepted.fresh:
            fresh.setdefault(event.user, []).append(event)
    if not fresh:
        return Decision(Recorded(event_ids=ids, duplicate=tuple(repeated)))
    for mine in fresh.values():
        if len(mine) > 1:
            mine.sort(key=_place)
            _drop_repeats(mine)
    members = yield from ask(Members(tuple(sorted(fresh))))
    catalogue = yield from current(context, accepted, members)
    folded = yield from fold_members(catalogue, members, fresh)
    settled = yield from settle(context, catalogue, folded.folds)
    answer = Recorded(
        event_ids=ids,
        duplicate=tuple(repeated),
        entered=tuple(settled.entered),
        capped=tuple(settled.capped),
        earned=tuple(settled.earned),
        expired=tuple(settled.expired),
        late=folded.late,
        referrals=tuple(settled.referrals),
    )
    return Decision(answer, settled.effects(folded.folds), catalogue)


def _place(event: Event) -> tuple[int, int, str]:
    return event.at, event.order, event.id


def _drop_repeats(events: list[Event]) -> None:
    events[:] = [event for index, event in enumerate(events) if not index or events[index - 1].id != event.id]


def _normal(given: Iterable[Event], context: Context) -> tuple[list[Event], dict[tuple[str, str], EventRow], list[str]]:
    """The events in normal form, their rows by key, and the ids that the call itself repeats."""
    events: list[Event] = []
    rows: dict[tuple[str, str], EventRow] = {}
    repeated: list[str] = []
    for index, event in enumerate(given):
        try:
            normal, row = _event(event, index, context)
        except ValidationError as error:
            raise ValidationError(f"event {index}: {error}") from None
        known = rows.setdefault((row.user, row.id), row)
        if known is not row:
            if known.digest != row.digest:
                raise Conflict(f"event {index}: id `{show(row.id)}` is in this call already, with another body")
            repeated.append(row.id)
        events.append(normal)
    return events, rows, repeated


def _event(event: object, index: int, context: Context) -> tuple[Event, EventRow]:
    if not isinstance(event, Event):
        raise ValidationError(f"pass an `Event`, not `{type(event).__name__}`")
    name = text(event.name, "an event's name")
    user = text(event.user, "an event's user")
    event_id = text(event.id, "an event's id") if event.id != "" else f"ev_{context.nonce}_{index:05d}"
    order = integer(event.order, "an event's order", least=-_ORDER, most=_ORDER)
    at = context.at if event.at == UNTIMED else instant(event.at)
    if at > context.at + limits.SKEW_MICROSECONDS:
        raise ValidationError(f"`at` is `{rfc3339(at)}`, more than five minutes after now, `{rfc3339(context.at)}`")
    properties = payload.write(mapping(event.properties, "properties"))
    body = digest(name, str(event.at), str(order), properties)
    row = EventRow(user, event_id, at, order, name, properties, body)
    plain = payload.is_plain(event.properties)
    if plain and (name, at, event_id, user) == (event.name, event.at, event.id, event.user):
        return event, row
    return Event(name, at, event_id, user, order, event.properties if plain else payload.read(properties)), row


def _known(rows: dict[tuple[str, str], EventRow], events: Iterable[Event], accepted: Accepted) -> Deciding[list[str]]:
    """Ids of events that had been recorded before.

    Raises:
        Conflict: one of them with another body.
    """
    known = tuple(key for key in sorted(rows) if key not in accepted.fresh)
    if not known:
        return []
    digests = yield from ask(Digests(known))
    for index, event in enumerate(events):
        place = event.user, event.id
        if place in digests and digests[place] != rows[place].digest:
            raise Conflict(
                f"event {index}: id `{show(event.id)}` of user `{show(event.user)}` was recorded before"
                " with another body: give each event an id of its own"
            )
    return [event_id for _, event_id in known]
