"""Posting one notice to one place, signed, and what its answer means."""

from __future__ import annotations

import http.client
import ssl
import time
from typing import Final

from rewardkit.core.notices.outcomes import Delivered, EndpointGone, Outcome, RetryLater
from rewardkit.core.requests.records import Notice
from rewardkit.errors import UrlRefused
from rewardkit.language.event import Instant, moment
from rewardkit.notify.deadline import Deadline
from rewardkit.notify.pinned_connection import connect, post
from rewardkit.notify.retry_after import retry_after_seconds
from rewardkit.notify.url_guard import Destination, UrlGuard
from rewardkit.secret import Secret
from rewardkit.webhooks import sign

TIMEOUT_SECONDS: Final = 15
"""For all of one attempt: name, connection, TLS, request and answer."""

_MICROSECONDS = 1_000_000


def system_clock() -> int:
    """Microseconds since 1970 UTC, by this machine."""
    return time.time_ns() // 1_000


def post_notice(
    notice: Notice,
    destination: Destination,
    secrets: tuple[Secret, ...],
    *,
    guard: UrlGuard,
    now: Instant,
    timeout_seconds: float,
    tls: ssl.SSLContext | None,
) -> Outcome:
    """Post a notice's body, and say what came of it.

    Any 2xx is `Delivered`, 410 is `EndpointGone`, anything else is `RetryLater`; redirects are not followed.
    Id and body are the same on every attempt; the timestamp, and so the signature, is the attempt's.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "rewardkit",
        **sign(notice.body, id=notice.id, timestamp=now // _MICROSECONDS, secrets=secrets),
    }
    answer = _answer(notice.body, headers, destination, guard, Deadline(timeout_seconds), tls)
    if isinstance(answer, RetryLater):
        return answer
    status, retry_after = answer
    if 200 <= status < 300:
        return Delivered()
    if status == http.client.GONE:
        return EndpointGone(f"`{destination.shown}` answered 410: it wants nothing more")
    hint = "; redirects are not followed, register where it leads" if 300 <= status < 400 else ""
    return RetryLater(
        f"`{destination.shown}` answered {status}{hint}", retry_after_seconds(retry_after, moment(now)) or 0
    )


def _answer(
    body: bytes,
    headers: dict[str, str],
    destination: Destination,
    guard: UrlGuard,
    deadline: Deadline,
    tls: ssl.SSLContext | None,
) -> tuple[int, str | None] | RetryLater:
    """Status and `Retry-After` of the answer, or why there was none."""
    shown = destination.shown
    try:
        addresses = guard.addresses(destination, deadline)
        line = connect(destination, addresses, tls if destination.scheme == "https" else None, deadline)
        try:
            return post(line, destination, body, headers)
        finally:
            line.hang_up()
    except UrlRefused as error:
        reason = str(error)
    except TimeoutError:
        reason = f"`{shown}` did not answer within {deadline.seconds:g} seconds"
    except ssl.SSLCertVerificationError as error:
        reason = f"`{shown}` did not prove who it is: {error.verify_message}"
    except OSError as error:
        reason = f"the connection to `{shown}` failed: {error.strerror or type(error).__name__}"
    except http.client.HTTPException as error:
        reason = f"`{shown}` did not answer in HTTP ({type(error).__name__})"
    return RetryLater(reason)
