"""Endpoints that are told notices, by the names that their notifiers give them: only what went wrong is kept."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.queries import Query
from rewardkit.core.requests.records import EndpointState
from rewardkit.core.storing.effects import Effect, Replace
from rewardkit.core.storing.needs import ListEndpoints, TakeEndpoints, ask
from rewardkit.core.storing.rows import EndpointRow
from rewardkit.core.values.input import show, text
from rewardkit.errors import Refused
from rewardkit.language.event import moment


@attrs.frozen
class Endpoints(Query[tuple[EndpointState, ...]]):
    """Endpoints that have ever been gone, by name; all others are enabled."""


@attrs.frozen
class EnableEndpoint(Command[EndpointState]):
    """Tell an endpoint notices again that was gone. What was not told meanwhile is dead, and can be replayed."""

    endpoint: str


def gone(reasons: Mapping[str, str], context: Context) -> Deciding[tuple[Effect, ...]]:
    """Endpoints that want nothing any more, each with its reason; one that is known as gone keeps its first."""
    rows = yield from ask(TakeEndpoints(tuple(sorted(reasons))))
    after = tuple(
        row._replace(status="gone", since=context.at, reason=reasons[row.name]) for row in rows if row.status != "gone"
    )
    return (Replace(after),) if after else ()


def enable_endpoint(command: EnableEndpoint, context: Context) -> Deciding[Decision[EndpointState]]:
    """Enabling one that is enabled changes nothing."""
    name = text(command.endpoint, "an endpoint's name")
    known = {row.name for row in (yield from ask(ListEndpoints()))}
    if name not in known:
        sentence = f"endpoint `{show(name)}` has never been gone"
        return Decision(Refused("endpoint_unknown", sentence, {}))
    (row,) = yield from ask(TakeEndpoints((name,)))
    if row.status == "enabled":
        return Decision(endpoint_state(row))
    after = row._replace(status="enabled", since=context.at, reason="")
    return Decision(endpoint_state(after), (Replace((after,)),))


def endpoints(_query: Endpoints, _context: Context) -> Deciding[Decision[tuple[EndpointState, ...]]]:
    """All that something is known of."""
    return Decision(tuple(map(endpoint_state, (yield from ask(ListEndpoints())))))


def endpoint_state(row: EndpointRow) -> EndpointState:
    """The public record of an endpoint."""
    return EndpointState(row.name, row.status, moment(row.since), row.reason)
