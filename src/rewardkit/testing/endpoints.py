"""Registered endpoints without a network: what each would be told, and the answers that a test wants of it."""

from __future__ import annotations

from typing import Any

from rewardkit.core.notices.outcomes import Outcome
from rewardkit.core.requests.commands import (
    Command,
    DefineCampaign,
    DefineOffer,
    DefineReward,
    LaunchCampaign,
    MakeOffer,
)
from rewardkit.core.requests.records import Notice, RegisteredEndpoint
from rewardkit.errors import Refused, UrlRefused
from rewardkit.kit import RewardKit
from rewardkit.ports import Clock, EndpointNotifier, Notifier, Store
from rewardkit.secret import Secret


class KeptWebhooks:
    """Give it to a kit as `webhooks=`; it connects to nobody, and keeps what it was to tell."""

    def __init__(self) -> None:
        self.refusal: UrlRefused | None = None
        """Raised for every URL that is to be registered."""
        self.judged: list[str] = []
        self.answers: dict[str, Any] = {}
        """By the endpoint's name: an outcome, an exception to raise, or a callable that gives either."""
        self.told: list[tuple[str, str, Notice]] = []
        """Tenant, URL and notice of every attempt."""

    def admit(self, url: Secret) -> None:
        """See `rewardkit.ports.EndpointNotifier.admit`."""
        self.judged.append(url.reveal())
        if self.refusal is not None:
            raise self.refusal

    def tell(self, notice: Notice, endpoint: RegisteredEndpoint, tenant: str) -> Outcome | None:
        """See `rewardkit.ports.EndpointNotifier.tell`."""
        self.told.append((tenant, endpoint.url, notice))
        answer = self.answers.get(endpoint.name)
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        outcome: Outcome | None = answer
        return outcome

    def secret(self, endpoint: RegisteredEndpoint, tenant: str) -> Secret:
        """No secret at all: whose it would be, for a test to read."""
        return Secret(f"{tenant}/{endpoint.name}/{endpoint.generation}")

    def kinds_of(self, endpoint: str) -> list[str]:
        """The kinds of what one endpoint was told, attempt by attempt."""
        return [notice.kind for _, _, notice in self.told if notice.endpoint == endpoint]


def endpoint_kit(store: Store, webhooks: EndpointNotifier, clock: Clock, *notifiers: Notifier) -> RewardKit:
    """A kit with the live campaign `c`, whose offer the event `A` earns."""
    kit = RewardKit(store, clock=clock, notifiers=notifiers, webhooks=webhooks, jitter=lambda: 0.5)
    kit.run(DefineReward("disc"))
    kit.run(DefineOffer("o", "disc", "A"))
    kit.run(DefineCampaign("c", "o", user_cap=1_000))
    kit.run(LaunchCampaign("c"))
    return kit


def happen(kit: RewardKit, times: int = 1) -> None:
    """So many notices of the kind `offer.made`."""
    for _ in range(times):
        kit.run(MakeOffer("c", "amanda"))


def refused(kit: RewardKit, command: Command[Any]) -> Refused:
    """The refusal of a command.

    Raises:
        AssertionError: it is answered.
    """
    answer = kit.attempt(command)
    assert isinstance(answer, Refused), f"`{command}` is answered, and was to be refused"
    return answer
