"""A shop with one reward and a clock that stands still: short ways to tell a campaign's story in a test."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rewardkit.core.requests.answers import Recorded
from rewardkit.core.requests.commands import DefineCampaign, DefineOffer, DefineReward, LaunchCampaign
from rewardkit.core.requests.queries import Campaigns, UserOffers
from rewardkit.kit import RewardKit
from rewardkit.language.event import Event
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.random_commands import LINTS


class Shop:
    """A kit with a clock, and short ways to say things."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.kit = RewardKit(clock=self.clock)
        self.kit.run(DefineReward("disc", {"sku": "CD-1"}))

    def campaign(
        self,
        condition: str,
        entry: str | None = None,
        *,
        name: str = "c",
        expires_after: str | None = None,
        **terms: Any,
    ) -> None:
        self.kit.run(DefineOffer(name, "disc", condition, expires_after=expires_after, acknowledge=LINTS))
        self.kit.run(DefineCampaign(name, name, entry=entry, acknowledge=LINTS, **terms))
        self.kit.run(LaunchCampaign(name))

    def at(self, second: float) -> None:
        self.clock.set(self.second(second))

    @staticmethod
    def second(second: float) -> datetime:
        return FakeClock().now + timedelta(seconds=second)

    def emit(self, name: str, at: float | None = None, *, user: str = "amanda", **properties: Any) -> Recorded:
        if at is None:
            return self.kit.emit(name, user=user, properties=properties)
        return self.kit.emit(name, user=user, at=self.second(at), properties=properties)

    def offers(self, **wanted: Any) -> list[tuple[str, float]]:
        """Status and second of making, of all user offers."""
        zero = FakeClock().now
        return [(one.status, (one.made_at - zero).total_seconds()) for one in self.kit.ask(UserOffers(**wanted)).items]

    def use(self, name: str = "c") -> tuple[int, int]:
        (found,) = (one for one in self.kit.ask(Campaigns()) if one.name == name)
        return found.reserved, found.confirmed


def event(name: str, second: float, id: str, user: str = "amanda") -> Event:
    return Event(name, Shop.second(second), id, user)
