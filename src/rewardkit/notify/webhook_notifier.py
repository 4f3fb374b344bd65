"""Notices as webhooks: signed, to an address that was judged, within seconds, and never anywhere else."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Final

from rewardkit.core.notices.outcomes import Outcome
from rewardkit.core.requests.records import Notice
from rewardkit.errors import ValidationError
from rewardkit.language.event import instant
from rewardkit.notify.deadline import timeout
from rewardkit.notify.naming import endpoint_name, kinds_of
from rewardkit.notify.posting import TIMEOUT_SECONDS, post_notice, system_clock
from rewardkit.notify.trust import trust
from rewardkit.notify.url_guard import UrlGuard
from rewardkit.ports import Clock
from rewardkit.secret import Secret, secrets_of
from rewardkit.webhooks import check_signing

SECRETS: Final = 2
"""Of one endpoint: the second is there while one takes the other's place."""


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
        clock: Clock = system_clock,
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
        return post_notice(
            notice,
            self._destination,
            self._secrets,
            guard=self._guard,
            now=instant(self._clock()),
            timeout_seconds=self._timeout_seconds,
            tls=self._tls,
        )
