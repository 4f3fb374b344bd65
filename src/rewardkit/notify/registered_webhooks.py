"""Webhooks to the endpoints that tenants register, each signed with a secret that no database holds."""

from __future__ import annotations

import base64
import hmac
import json
import ssl
from collections.abc import Iterable
from typing import Final

from rewardkit.core.notices.outcomes import Outcome, RetryLater
from rewardkit.core.requests.records import Notice, RegisteredEndpoint
from rewardkit.errors import UrlRefused, ValidationError
from rewardkit.language.event import Instant, instant
from rewardkit.notify.deadline import timeout
from rewardkit.notify.posting import TIMEOUT_SECONDS, post_notice, system_clock
from rewardkit.notify.trust import trust
from rewardkit.notify.url_guard import UrlGuard
from rewardkit.ports import Clock
from rewardkit.secret import Secret, secrets_of
from rewardkit.webhooks import check_signing

MASTERS: Final = 2
"""The second is there while one takes the other's place. Two masters and two generations are four signatures."""

_PURPOSE: Final = "rewardkit registered endpoint 1"
"""Said in every derivation, so that whatever else is derived from the same master is something else."""


class RegisteredWebhooks:
    """Posts notices to registered endpoints, as `WebhookNotifier` does to one: `RewardKit(webhooks=…)`.

    The secret of an endpoint is derived by HMAC with SHA-256 from the master, the tenant, the endpoint's name and the
    generation of its secret: the store holds the last three, and without the master they are worth nothing.

    Args:
        master: made once by `rewardkit.webhooks.generate_secret()`, and kept where the application keeps its secrets;
            or two, of which the first is the new one, while receivers change over.
        guard: what may be registered and connected to, judged by the addresses of the URL's host at each of both.
        clock: for the timestamps, and for how long a rotated secret signs.
        timeout_seconds: for all of one attempt, at most 20.
        tls: in place of the system's trust, such as for an authority of your own.

    Raises:
        ValidationError: an argument cannot be meant.
    """

    def __init__(
        self,
        master: Secret | str | Iterable[Secret | str],
        *,
        guard: UrlGuard | None = None,
        clock: Clock = system_clock,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        # Wrapped at once, so that no traceback from here on shows it.
        self._masters = master = secrets_of(master, "master secrets")
        check_signing(master)
        if len(master) > MASTERS:
            raise ValidationError(f"there are {MASTERS} master secrets at most: a new one, and the one it replaces")
        self._guard = UrlGuard() if guard is None else guard
        self._clock = clock
        self._timeout_seconds = timeout(timeout_seconds)
        self._tls = trust(tls)

    def __repr__(self) -> str:
        return "RegisteredWebhooks()"

    def admit(self, url: Secret) -> None:
        """Judge a URL that is to be registered, by its text and by where its host leads now.

        Raises:
            UrlRefused: it is not allowed, or its host does not resolve.
        """
        self._guard.admit(url)

    def tell(self, notice: Notice, endpoint: RegisteredEndpoint, tenant: str) -> Outcome:
        """Post it to one endpoint, and say what came of it."""
        now = instant(self._clock())
        try:
            destination = self._guard.read(Secret(endpoint.url))
        except UrlRefused as error:
            return RetryLater(str(error))
        secrets = self._signing(endpoint, tenant, now)
        return post_notice(
            notice,
            destination,
            secrets,
            guard=self._guard,
            now=now,
            timeout_seconds=self._timeout_seconds,
            tls=self._tls,
        )

    def secret(self, endpoint: RegisteredEndpoint, tenant: str) -> Secret:
        """What the endpoint's receiver verifies with: of its present generation, by the first master."""
        return derived_secret(self._masters[0], tenant, endpoint.name, endpoint.generation)

    def _signing(self, endpoint: RegisteredEndpoint, tenant: str, now: Instant) -> tuple[Secret, ...]:
        until = endpoint.previous_until
        generations = [endpoint.generation]
        if until is not None and now < instant(until):
            generations.append(endpoint.generation - 1)
        return tuple(
            derived_secret(master, tenant, endpoint.name, generation)
            for generation in generations
            for master in self._masters
        )


def derived_secret(master: Secret, tenant: str, endpoint: str, generation: int) -> Secret:
    """The signing secret of one generation of one endpoint: 32 bytes that tell nothing of the master, nor of others."""
    # As JSON, in which no two lists look alike.
    meaning = json.dumps([_PURPOSE, tenant, endpoint, generation]).encode()
    return Secret("whsec_" + base64.b64encode(hmac.digest(master.reveal().encode(), meaning, "sha256")).decode())
