"""What is promised of registered endpoints, and of the notices that are for one of them alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rewardkit.core.notices.notice import TEST, settled_in
from rewardkit.core.storing.rows import NoticeRow, RegisteredEndpointRow
from rewardkit.core.values.identity import derive


def addressed_violations(
    tenant: str, notices: Iterable[NoticeRow], registered: Iterable[RegisteredEndpointRow]
) -> Iterator[str]:
    """D3: a copy is of its notice, under an id of its own. D2: it is settled by its endpoint, and by nobody else."""
    endpoints = {row.name: row for row in registered}
    written = tuple(notices)
    copied = {derive("no", tenant, own.id, name): own for own in written if not own.endpoint for name in endpoints}
    for row in written:
        if not row.endpoint:
            continue
        if row.endpoint not in endpoints:
            yield f"D1: notice `{row.id}` is for endpoint `{row.endpoint}`, which nobody has registered"
        own = copied.get(row.id)
        if row.kind != TEST and (own is None or row.id != derive("no", tenant, own.id, row.endpoint)):
            yield f"D3: notice `{row.id}` to endpoint `{row.endpoint}` is a copy of none"
        elif own is not None and (row.kind, row.user, row.body) != (own.kind, own.user, own.body):
            yield f"D3: notice `{row.id}` to endpoint `{row.endpoint}` does not say what `{own.id}` says"
        if not settled_in(row).keys() <= {row.endpoint}:
            yield f"D2: notice `{row.id}` to endpoint `{row.endpoint}` was settled by others"
    for row_of in endpoints.values():
        yield from _endpoint(row_of)


def _endpoint(row: RegisteredEndpointRow) -> Iterator[str]:
    if row.status not in ("enabled", "gone", "removed") or (row.status == "gone") != bool(row.reason):
        yield f"K6: registered endpoint `{row.name}` is {row.status}, and its reason does not fit that"
    if (row.status == "removed") == bool(row.url):
        yield f"K6: registered endpoint `{row.name}` is {row.status}, and its URL does not fit that"
    if not row.generation >= 1 or row.rotated_at < row.registered_at:
        yield f"K6: the secret of registered endpoint `{row.name}` has generation {row.generation} from before it"
