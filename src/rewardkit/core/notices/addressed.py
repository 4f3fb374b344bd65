"""Notices that are for one registered endpoint alone, each with an id, a schedule and an end of its own.

A notice is written once, in the transaction that it tells of, whoever may be registered.
Whichever worker leases it first also writes, in the transaction of that lease, a copy for each registered endpoint
that wants its kind: so each endpoint has every notice once, and what one of them answers changes nothing for another.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.notices.notice import TEST, notice_of
from rewardkit.core.notices.registered_endpoints import kinds_in, registered
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.records import Notice
from rewardkit.core.storing.effects import Insert
from rewardkit.core.storing.rows import NoticeRow, RegisteredEndpointRow
from rewardkit.core.values import payload
from rewardkit.core.values.identity import derive
from rewardkit.errors import Refused
from rewardkit.language.event import rfc3339


@attrs.frozen
class SendTestNotice(Command[Notice]):
    """Write a notice of the kind `test` to one registered endpoint, whatever kinds it wants; it leaves like any other.

    Its body has the same names as others', an empty `user`, the endpoint's name as `subject`, and `sent_at`.
    """

    endpoint: str


def copies(
    leased: Iterable[NoticeRow], endpoints: Iterable[RegisteredEndpointRow], context: Context
) -> tuple[NoticeRow, ...]:
    """What registered endpoints are to be told of notices that nobody has leased before."""
    wanted = [(endpoint.name, kinds_in(endpoint)) for endpoint in endpoints]
    return tuple(
        row._replace(id=derive("no", context.tenant, row.id, name), attempt_at=context.at, lease=0, endpoint=name)
        for row in leased
        if row.lease == 1 and not row.endpoint
        for name, kinds in wanted
        if kinds is None or row.kind in kinds
    )


def send_test_notice(command: SendTestNotice, context: Context) -> Deciding[Decision[Notice]]:
    """One that is gone would not be told."""
    endpoint = yield from registered(command.endpoint)
    if endpoint.status == "gone":
        sentence = f"endpoint `{endpoint.name}` is gone ({endpoint.reason}): register it again to have it told"
        return Decision(Refused("endpoint_gone", sentence, {"since": rfc3339(endpoint.since)}))
    at = context.at
    body = {"kind": TEST, "tenant": context.tenant, "user": "", "subject": endpoint.name, "sent_at": rfc3339(at)}
    notice_id = derive("no", context.tenant, TEST, endpoint.name, context.nonce)
    content = payload.write(body).encode()
    row = NoticeRow(notice_id, TEST, "", content, "pending", at, at, 0, 0, "", "{}", endpoint.name)
    return Decision(notice_of(row), (Insert((row,)),))
