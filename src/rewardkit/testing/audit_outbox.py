"""What is promised of the rows of the outbox, whatever has become of their notices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rewardkit.core.notices.notice import settled_in
from rewardkit.core.notices.outbox import SCHEDULE_SECONDS
from rewardkit.core.storing.rows import EndpointRow, NoticeRow


def outbox_violations(notices: Iterable[NoticeRow], endpoints: Iterable[EndpointRow]) -> Iterator[str]:
    """D2: what is not pending was had by every endpoint, or says why not. D7: no attempt beyond the schedule."""
    for row in notices:
        refused = [name for name, reason in settled_in(row).items() if reason]
        if row.status not in ("pending", "delivered", "dead"):
            yield f"K6: notice `{row.id}` has the status `{row.status}`, which there is not"
        if row.status == "delivered" and (refused or row.error):
            yield f"D2: notice `{row.id}` counts as delivered, and was not: {row.error or ', '.join(refused)}"
        if row.status == "dead" and not row.error:
            yield f"D2: notice `{row.id}` is dead for no reason"
        if row.status != "pending" and not row.attempts:
            yield f"D2: notice `{row.id}` is {row.status}, and was never attempted"
        if row.attempts > len(SCHEDULE_SECONDS) + (row.status != "pending"):
            yield f"D7: notice `{row.id}` is {row.status} after {row.attempts} attempts"
    for endpoint in endpoints:
        if endpoint.status not in ("enabled", "gone") or (endpoint.status == "gone") != bool(endpoint.reason):
            yield f"K6: endpoint `{endpoint.name}` is {endpoint.status}, and its reason does not fit that"
