"""A desk at which grants are paid: a purchase earns ten euros, on the terms that a test names."""

from __future__ import annotations

from typing import Any

from rewardkit.core.requests.commands import (
    Command,
    DefineCampaign,
    DefineOffer,
    DefineReward,
    LaunchCampaign,
    MakeOffer,
)
from rewardkit.core.requests.queries import Campaigns, GrantHistory, Grants, Notices
from rewardkit.core.requests.records import Grant
from rewardkit.errors import Refused
from rewardkit.kit import RewardKit
from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock


class Desk:
    """A kit in which a purchase earns ten euros, on the terms that a test names."""

    def __init__(self, store: Store | None = None, **terms: Any) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore() if store is None else store
        self.kit = RewardKit(self.store, clock=self.clock)
        self.kit.run(DefineReward("cash", {"amount": "10.00"}))
        self.kit.run(DefineOffer("back", "cash", "Purchase", **terms))
        self.kit.run(DefineCampaign("spring", "back", user_cap=5, cap=9))
        self.kit.run(LaunchCampaign("spring"))

    def earn(self, user: str = "amanda") -> str:
        """The id of a grant that was just earned, a second after what was before."""
        self.clock.advance("1s")
        self.kit.run(MakeOffer("spring", user))
        return self.kit.emit("Purchase", user=user).earned[0].grant

    def grant(self, grant: str) -> Grant:
        """A grant as it is now."""
        (found,) = (one for one in self.kit.ask(Grants()).items if one.id == grant)
        return found

    def refused(self, command: Command[Any]) -> tuple[str, dict[str, Any]]:
        """Code and facts of a refusal that has changed nothing."""
        before = snapshot_of(self.store, "default")
        answer = self.kit.attempt(command)
        assert isinstance(answer, Refused)
        assert snapshot_of(self.store, "default") == before
        return answer.code, dict(answer.facts)

    def held(self) -> dict[str, str]:
        """What is held, and for what."""
        return {one.id: one.held_for for one in self.kit.ask(Grants(status="held")).items}

    def use(self) -> tuple[int, int]:
        """Places that are reserved and confirmed under the campaign's cap."""
        (found,) = self.kit.ask(Campaigns())
        return found.reserved, found.confirmed

    def told(self) -> list[str]:
        """The kinds of all notices of grants, in the order of their making."""
        kinds = [notice.kind for notice in self.kit.ask(Notices(limit=999)).items]
        return [kind for kind in kinds if kind.startswith("grant")]

    def history(self, grant: str) -> list[str]:
        """What has happened to a grant, step by step."""
        return [f"{step.move} {step.status}{step.held_for}" for step in self.kit.ask(GrantHistory(grant))]

    def sound(self) -> None:
        """Hold everything that is kept to what is promised of it."""
        assert violations(snapshot_of(self.store, "default")) == ()
