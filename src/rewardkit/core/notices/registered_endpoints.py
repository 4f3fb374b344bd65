"""Endpoints that tenants register while the application runs: where they are, what they want, which secret signs.

They have names of their own: a tenant's endpoint may be called as a notifier of the host's is, and is another one.
The store holds no secret, only its generation: whoever holds the master secret derives it from tenant, name and
generation.
A removed endpoint leaves its name and generation behind, so that registering the name again makes a new secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.notices.notice import kind_of_notices
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.queries import Query
from rewardkit.core.requests.records import RegisteredEndpoint
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.needs import ListRegisteredEndpoints, Published, RegisteredEndpointsOf, ask
from rewardkit.core.storing.rows import RegisteredEndpointRow
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import Refused, UrlRefused, ValidationError
from rewardkit.language.event import moment

SECOND: Final = 1_000_000
OVERLAP_SECONDS_MOST: Final = 30 * 86_400


def _kinds(given: Iterable[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    return (given,) if isinstance(given, str) else tuple(given)


@attrs.frozen
class RegisterEndpoint(Command[RegisteredEndpoint]):
    """Register an endpoint, or change URL and kinds of one: its secret stays, and one that was gone is enabled.

    The kit's webhooks judge the URL before anything is decided, its host's addresses included.

    Args:
        name: unique among the tenant's registered endpoints.
        url: where to; what comes after its host may be a token.
        kinds: of notices that it is told, such as `["grant.ready"]`; default is all, those of later versions too.
    """

    name: str
    url: str = attrs.field(repr=False)
    kinds: tuple[str, ...] | None = attrs.field(default=None, converter=_kinds, kw_only=True)


@attrs.frozen
class RotateEndpointSecret(Command[RegisteredEndpoint]):
    """Begin a new secret; for a while the one before signs too, so that the receiver changes over when it likes.

    Args:
        name: of a registered endpoint.
        overlap_seconds: how long both sign, at most 30 days; 0 for a secret that has leaked. Whatever signed besides
            the present one signs no more.
    """

    name: str
    overlap_seconds: int = attrs.field(default=86_400, kw_only=True)


@attrs.frozen
class RemoveEndpoint(Command[RegisteredEndpoint]):
    """Tell an endpoint nothing any more, and forget its URL; what it has not had is dead, and can still be seen."""

    name: str


@attrs.frozen
class RegisteredEndpoints(Query[tuple[RegisteredEndpoint, ...]]):
    """The tenant's registered endpoints, by name, without those that have been removed."""


def register_endpoint(command: RegisterEndpoint, context: Context) -> Deciding[Decision[RegisteredEndpoint]]:
    """Only a URL that has been judged; the tenant's registrations come one after another, so that none is too many."""
    name, kinds = text(command.name, "an endpoint's name"), _written(command.kinds)
    refusal = _refusal(command, context)
    if refusal is not None:
        return Decision(Refused("url_refused", str(refusal), {"reason": refusal.reason}))
    yield from ask(Published())
    rows = yield from ask(RegisteredEndpointsOf((name,)))
    known = rows[0] if rows else None
    if known is not None and known.status != "removed":
        return _changed(known, command.url, kinds, context.at)
    others = len((yield from ask(ListRegisteredEndpoints())))
    if others >= limits.ENDPOINTS:
        sentence = f"{others} endpoints are registered, which is as many as a tenant may have: remove one first"
        return Decision(Refused("endpoints_full", sentence, {"registered": others, "most": limits.ENDPOINTS}))
    at, generation = context.at, 1 if known is None else known.generation + 1
    row = RegisteredEndpointRow(name, command.url, kinds, "enabled", at, "", at, generation, at, 0)
    effect: Effect = Insert((row,)) if known is None else Replace((row,))
    return Decision(registered_endpoint(row), (effect,))


def _changed(row: RegisteredEndpointRow, url: str, kinds: str, now: int) -> Decision[RegisteredEndpoint]:
    after = row._replace(url=url, kinds=kinds)
    if row.status == "gone" or row.url != url:
        # What an answer of the old URL said meanwhile is not said of this one.
        after = after._replace(status="enabled", since=now, reason="")
    return Decision(registered_endpoint(after), (Replace((after,)),) if after != row else ())


def rotate_endpoint_secret(command: RotateEndpointSecret, context: Context) -> Deciding[Decision[RegisteredEndpoint]]:
    """The next generation, and how long the present one goes on."""
    overlap = integer(command.overlap_seconds, "overlap_seconds", least=0, most=OVERLAP_SECONDS_MOST)
    row = yield from registered(command.name)
    until = context.at + overlap * SECOND if overlap else 0
    after = row._replace(generation=row.generation + 1, rotated_at=context.at, previous_until=until)
    return Decision(registered_endpoint(after), (Replace((after,)),))


def remove_endpoint(command: RemoveEndpoint, context: Context) -> Deciding[Decision[RegisteredEndpoint]]:
    """What is left has its name, and the generation that no later secret has."""
    row = yield from registered(command.name)
    after = row._replace(url="", kinds="null", status="removed", since=context.at, reason="", previous_until=0)
    return Decision(registered_endpoint(after), (Replace((after,)),))


def registered_endpoints(
    _query: RegisteredEndpoints, _context: Context
) -> Deciding[Decision[tuple[RegisteredEndpoint, ...]]]:
    """All that may be told something."""
    return Decision(tuple(map(registered_endpoint, (yield from ask(ListRegisteredEndpoints())))))


def registered(name: str) -> Deciding[RegisteredEndpointRow]:
    """A registered endpoint, locked.

    Raises:
        Refused: there is none of this name.
    """
    rows = yield from ask(RegisteredEndpointsOf((text(name, "an endpoint's name"),)))
    if not rows or rows[0].status == "removed":
        raise Refused("endpoint_unknown", f"no endpoint `{show(name)}` is registered", {})
    return rows[0]


def registered_gone(said: Mapping[str, tuple[int, str]], context: Context) -> Deciding[tuple[Effect, ...]]:
    """Registered endpoints that want nothing any more: by name, since when they were what was told, and the reason.

    One that has been registered anew since, elsewhere, has not said so.
    """
    rows = yield from ask(RegisteredEndpointsOf(tuple(sorted(said))))
    after = tuple(
        row._replace(status="gone", since=context.at, reason=said[row.name][1])
        for row in rows
        if row.status == "enabled" and row.since == said[row.name][0]
    )
    return (Replace(after),) if after else ()


def registered_endpoint(row: RegisteredEndpointRow) -> RegisteredEndpoint:
    """The public record of a registered endpoint."""
    return RegisteredEndpoint(
        row.name,
        row.url,
        kinds_in(row),
        row.status,
        moment(row.since),
        row.reason,
        moment(row.registered_at),
        row.generation,
        moment(row.rotated_at),
        moment(row.previous_until) if row.previous_until else None,
    )


def kinds_in(row: RegisteredEndpointRow) -> tuple[str, ...] | None:
    """The kinds that an endpoint wants; None is all."""
    kinds = json.loads(row.kinds)
    return None if kinds is None else tuple(kinds)


def _refusal(command: RegisterEndpoint, context: Context) -> UrlRefused | None:
    judgement = context.judgement
    if judgement is None or judgement.url != command.url:
        raise ValidationError("an endpoint is registered with a kit that has `webhooks`, which judge its URL")
    return judgement.refusal


def _written(kinds: tuple[str, ...] | None) -> str:
    """Kinds as they are kept: sorted, each once.

    Raises:
        ValidationError: there is none, or one that no notice has.
    """
    if kinds is None:
        return "null"
    if not kinds:
        raise ValidationError("an endpoint that wants no kind of notices is told nothing: leave `kinds` out for all")
    return json.dumps(sorted({kind_of_notices(kind) for kind in kinds}))
