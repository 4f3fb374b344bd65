"""The e-mail about a pool that runs low: to the pool's own address, in words.

EmailNotifier(host, sender="shop@example.com", to=pool_address, write=pool_letter, kinds=["pool.low"])
"""

from __future__ import annotations

from typing import Any

from rewardkit.core.notices.notice import POOL_LOW
from rewardkit.core.requests.records import Notice
from rewardkit.core.values import payload
from rewardkit.notify.letter import Letter

_NAME_CHARACTERS = 100
"""Of a pool's name in a subject, which is one line."""


def pool_address(notice: Notice) -> tuple[str, ...]:
    """Whom a notice about a pool is for: nobody where the pool has no address, or where it is about something else."""
    address = _body(notice).get("notification_email_address") if notice.kind == POOL_LOW else ""
    return (str(address),) if address else ()


def pool_letter(notice: Notice) -> Letter:
    """What remains in which pool."""
    body = _body(notice)
    name, remaining, threshold = body.get("name", ""), body.get("remaining"), body.get("low_threshold")
    shown = str(name)[:_NAME_CHARACTERS].encode("ascii", "replace").decode()
    return Letter(
        f"{remaining} codes remain in pool {body.get('pool')}: {shown}".replace("=?", "= ?"),
        f"The pool `{name}` has fallen to its low threshold of {threshold} codes: {remaining} remain.\n"
        "You hear of it again when it has been replenished and has fallen once more.\n",
    )


def _body(notice: Notice) -> dict[str, Any]:
    body: dict[str, Any] = payload.read(notice.body, "a notice", most=len(notice.body))
    return body
