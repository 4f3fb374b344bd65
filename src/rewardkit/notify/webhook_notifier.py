"""Notices as webhooks: signed, to an address that was judged, within seconds, and never anywhere else."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterable
from typing import Final

from rewardkit.core.outcomes import Delivered, EndpointGone, Outcome, RetryLater
from rewardkit.core.records import Notice
from rewardkit.errors import UrlRefused, ValidationError
from rewardkit.language.event import instant, moment
from rewardkit.notify.deadline import Deadline, timeout
from rewardkit.notify.naming import endpoint_name, kinds_of
from rewardkit.notify.pinned_connection import connect, post
from rewardkit.notify.retry_after import retry_after_seconds
from rewardkit.notify.trust import trust
from rewardkit.notify.url_guard import UrlGuard
from rewardkit.ports import Clock
from rewardkit.secret import Secret, secrets_of
from rewardkit.webhooks import check_signing, sign

TIMEOUT_SECONDS: Final = 15
"""For all of one attempt: name, connection, TLS, request and answer."""

SECRETS: Final = 2
"""Of one endpoint: the second is there while one takes the other's place."""

_MICROSECONDS = 1_000_000


def _system_clock() -> int:
    return time.time_ns() // 1_000


class WebhookNotifier:
    """Posts each notice's body to one URL, with the headers of Standard Webhooks.

    Any 2xx is `Delivered`, 410 is `EndpointGone`, anything else is `RetryLater`; redirects are not followed.
    Id and body are the same on every attempt; the timestamp, and so the signature, is the attempt's.

    Args:
        url: where to; what comes after its host may be a token, and is shown nowhere.
        secrets: one that signs, or two while one takes the other's place; `rewardkit.webhooks.generate_secret()`.
        kinds: of notices that are posted; default is all.
        guard: what may be connected to, judged now by the URL's text and at every attempt by its host's addresses.
        endpoint: a name under which is remembered what it was told; default is made from the URL.
        clock: for the timestamps.
        timeout_seconds: for all of one attempt, at most 20.
        tls: in place of the system's trust, such as for an authority of your own.

    Raises:
        UrlRefused: the guard refuses the URL.
        ValidationError: another argument cannot be meant.
    """

    _shown = "…"
    """The URL without path and query; a refused notifier has none, and may still be looked at in a traceback."""

    def __init__(
        self,
        url: str | Secret,
        secrets: Secret | str | Iterable[Secret | str],
        *,
        kinds: Iterable[str] | None = None,
        guard: UrlGuard | None = None,
        endpoint: str | None = None,
        clock: Clock = _system_clock,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        # Wrapped at once, so that no traceback from here on shows them.
        url = Secret(url) if isinstance(url, str) and url else url
        self._secrets = secrets = secrets_of(secrets, "signing secrets")
        check_signing(secrets)
        if len(secrets) > SECRETS:
            raise ValidationError(f"an endpoint has {SECRETS} secrets at most: a new one, and the one it replaces")
        self._guard = UrlGuard() if guard is None else guard
        self._destination = self._guard.read(url)
        self._shown = self._destination.shown
        self.endpoint = endpoint_name(endpoint, "webhook", self._shown, self._shown, self._destination.target)
        self.kinds = kinds_of(kinds)
        self._clock = clock
        self._timeout_seconds = timeout(timeout_seconds)
        self._tls = trust(tls) if self._destination.scheme == "https" else None

    def __repr__(self) -> str:
        return f"WebhookNotifier({self._shown!r})"

    def __call__(self, notice: Notice) -> Outcome:
        """Post it, and say what came of it."""
        now = instant(self._clock())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "rewardkit",
            **sign(notice.body, id=notice.id, timestamp=now // _MICROSECONDS, secrets=self._secrets),
        }
        answer = self._post(notice.body, headers)
        if isinstance(answer, RetryLater):
            return answer
        status, retry_after = answer
        if 200 <= status < 300:
            return Delivered()
        if status == http.client.GONE:
            return EndpointGone(f"`{self._shown}` answered 410: it wants nothing more")
        hint = "; redirects are not followed, register where it leads" if 300 <= status < 400 else ""
        return RetryLater(
            f"`{self._shown}` answered {status}{hint}", retry_after_seconds(retry_after, moment(now)) or 0
        )

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str | None] | RetryLater:
        """Status and `Retry-After` of the answer, or why there was none."""
        deadline = Deadline(self._timeout_seconds)
        try:
            addresses = self._guard.addresses(self._destination, deadline)
            line = connect(self._destination, addresses, self._tls, deadline)
            try:
                return post(line, self._destination, body, headers)
            finally:
                line.hang_up()
        except UrlRefused as error:
            reason = str(error)
        except TimeoutError:
            reason = f"`{self._shown}` did not answer within {self._timeout_seconds:g} seconds"
        except ssl.SSLCertVerificationError as error:
            reason = f"`{self._shown}` did not prove who it is: {error.verify_message}"
        except OSError as error:
            reason = f"the connection to `{self._shown}` failed: {error.strerror or type(error).__name__}"
        except http.client.HTTPException as error:
            reason = f"`{self._shown}` did not answer in HTTP ({type(error).__name__})"
        return RetryLater(reason)
