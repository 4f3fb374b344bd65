"""A shop where friends refer friends: short ways to tell a referral's story in a test."""

from __future__ import annotations

from typing import Any

from rewardkit.core.referrals.commands import DefineReferralProgram, MakeReferral
from rewardkit.core.referrals.queries import Referrals, SenderTerms
from rewardkit.core.requests.commands import Command, DefineCampaign, DefineReward, LaunchCampaign
from rewardkit.core.requests.queries import Grants
from rewardkit.core.requests.referral_records import Referral
from rewardkit.errors import Refused
from rewardkit.kit import RewardKit
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.shop import Shop


class Friends(Shop):
    """A shop with a reward for senders and one for recipients."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.kit = RewardKit(self.store, clock=self.clock)
        self.kit.run(DefineReward("disc", {"sku": "CD-1"}))
        self.kit.run(DefineReward("five", {"amount": "5.00"}))
        self.kit.run(DefineReward("ten", {"amount": "10.00"}))

    def program(self, condition: str = "A", *, name: str = "friends", **terms: Any) -> None:
        self.kit.run(DefineReferralProgram(name, "ten", "five", condition, **terms))

    def referral_campaign(self, name: str, program: str | None = None, **terms: Any) -> None:
        """Launch a campaign for a program, by default the one of its own name."""
        self.kit.run(DefineCampaign(name, program=program or name, **terms))
        self.kit.run(LaunchCampaign(name))

    def offered(self, second: float | None = None, sender: str = "sue") -> str:
        """The campaign that a sender offers, at a second or now."""
        if second is not None:
            self.at(second)
        return self.kit.ask(SenderTerms(sender)).campaign

    def refer(self, recipient: str = "rob", *, sender: str = "sue", program: str = "friends") -> Referral:
        return self.kit.run(MakeReferral(program, sender, recipient))

    def broken(self) -> tuple[str, ...]:
        """The promises that what is kept does not hold; there should be none."""
        return violations(snapshot_of(self.store, "default"))

    def refused(self, command: Command[Any]) -> str:
        """The code of a command's refusal."""
        try:
            self.kit.run(command)
        except Refused as refused:
            return refused.code
        raise AssertionError(f"`{type(command).__name__}` was not refused")

    def earned(self) -> list[tuple[str, str, str]]:
        """User, reward and side of all grants."""
        found = [(one.user, one.reward.name, one.side) for one in self.kit.ask(Grants(limit=1_000)).items]
        return sorted(found)

    def statuses(self, **wanted: Any) -> list[tuple[str, str, str]]:
        """Recipient, status and what became of the sender's reward, by recipient."""
        found = self.kit.ask(Referrals(**wanted)).items
        return sorted((one.recipient, one.status, one.sender_reward) for one in found)
