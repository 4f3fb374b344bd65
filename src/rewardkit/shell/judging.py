"""Judging the URL of an endpoint before it is registered: outside any transaction, since it asks the network."""

from __future__ import annotations

from rewardkit.core.deciding.context import Judgement
from rewardkit.core.notices.registered_endpoints import RegisterEndpoint
from rewardkit.errors import UrlRefused, ValidationError
from rewardkit.ports import EndpointNotifier
from rewardkit.secret import Secret


def judgement_of(command: RegisterEndpoint, webhooks: EndpointNotifier | None, *, joined: bool) -> Judgement:
    """What the webhooks say of the URL that is to be registered, now.

    Args:
        command: that registers it.
        webhooks: that would tell it something.
        joined: whether a transaction of the host's is open.

    Raises:
        ValidationError: there is nobody to judge it, or a transaction would be held open meanwhile.
    """
    if webhooks is None:
        raise ValidationError("endpoints are registered by a kit with `webhooks=RegisteredWebhooks(…)`")
    if joined:
        raise ValidationError(
            "registering an endpoint looks its host up, which no transaction should wait for: register it by the kit"
            " that `on` was called on"
        )
    if not isinstance(command.url, str) or not command.url:
        return Judgement(command.url, UrlRefused("a webhook's URL must be text, such as `https://example.com/hook`"))
    try:
        webhooks.admit(Secret(command.url))
    except UrlRefused as refusal:
        return Judgement(command.url, refusal)
    return Judgement(command.url, None)
