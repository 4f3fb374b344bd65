"""`rewardkit endpoints`: who is registered to be told notices, and a test notice to one of them."""

from __future__ import annotations

import argparse
from urllib.parse import urlsplit

from rewardkit.cli.options import Commands, add_command, add_store, open_kit
from rewardkit.cli.printing import FINDINGS, FINE, complain, moment, note, print_columns, print_json
from rewardkit.core.notices.addressed import SendTestNotice
from rewardkit.core.notices.registered_endpoints import RegisteredEndpoints
from rewardkit.core.requests.records import RegisteredEndpoint
from rewardkit.errors import Refused
from rewardkit.kit import RewardKit

COLUMNS = ("name", "status", "since", "kinds", "host", "reason")


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "endpoints",
        run,
        "list the endpoints that a tenant has registered, or test one of them",
        "Of a URL its host is shown: what comes after may be a token.",
    )
    parser.add_argument(
        "--test",
        metavar="ENDPOINT",
        help="write a notice of the kind `test` to one endpoint alone; whoever delivers to endpoints delivers it",
    )
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """List, or test; an endpoint that is gone is a finding."""
    with open_kit(arguments) as kit:
        if arguments.test is not None:
            return _test(kit, arguments.test, as_json=arguments.json)
        return _print_all(kit, as_json=arguments.json)


def _test(kit: RewardKit, endpoint: str, *, as_json: bool) -> int:
    answer = kit.attempt(SendTestNotice(endpoint))
    if isinstance(answer, Refused):
        complain(str(answer))
        return FINDINGS
    if as_json:
        print_json({"id": answer.id, "kind": answer.kind, "endpoint": answer.endpoint, "status": answer.status})
    else:
        print(answer.id)
    note(f"written to the outbox for `{answer.endpoint}`")
    return FINE


def _print_all(kit: RewardKit, *, as_json: bool) -> int:
    found = kit.ask(RegisteredEndpoints())
    if as_json:
        for endpoint in found:
            print_json(
                {
                    "name": endpoint.name,
                    "status": endpoint.status,
                    "since": endpoint.since,
                    "reason": endpoint.reason,
                    "kinds": endpoint.kinds,
                    "host": _host(endpoint),
                    "registered_at": endpoint.registered_at,
                    "generation": endpoint.generation,
                    "rotated_at": endpoint.rotated_at,
                    "previous_until": endpoint.previous_until,
                }
            )
    elif found:
        print_columns(COLUMNS, [_row(endpoint) for endpoint in found])
    gone = sum(endpoint.status == "gone" for endpoint in found)
    note(f"{len(found)} registered, {gone} gone")
    return FINDINGS if gone else FINE


def _row(endpoint: RegisteredEndpoint) -> tuple[str, ...]:
    kinds = "all" if endpoint.kinds is None else ", ".join(endpoint.kinds)
    return endpoint.name, endpoint.status, moment(endpoint.since), kinds, _host(endpoint), endpoint.reason or "-"


def _host(endpoint: RegisteredEndpoint) -> str:
    return urlsplit(endpoint.url).netloc
