"""A small shop whose sender offers a referral campaign with caps or a budget, and a fallback beside it."""

from __future__ import annotations

from typing import Any, Final

import rewardkit as rk
from rewardkit.testing.clock import FakeClock

QUEUE: Final[dict[str, Any]] = {"at_exhaustion": "queue"}
"""Of a budget that lets everybody enter."""


class LimitedShop:
    """A kit, and a sender who offers the campaign `double` while its limits leave a place, else `normal`.

    A referral of `double` costs 15.00: 10.00 of the sender's reward, and 5.00 of the recipient's.

    Args:
        store: migrated, and empty.
    """

    def __init__(self, store: rk.Store) -> None:
        self.clock = FakeClock("2026-03-10T12:00:00Z")
        self.kit = kit = rk.RewardKit(store, clock=self.clock)
        for name, amount in (("five", "5.00"), ("ten", "10.00")):
            kit.run(rk.DefineReward(name, {"amount": amount}))
        kit.run(rk.DefineReferralProgram("normal", "five", "five", "A"))
        self.program()
        self.campaign("normal")
        self.code = kit.run(rk.GiveReferralCode("sue")).code

    def program(self, sender: str = "ten", **terms: Any) -> None:
        """Define the program of `double` anew."""
        self.kit.run(rk.DefineReferralProgram("double", sender, "five", "A", expires_after="10d", **terms))

    def campaign(self, name: str, **terms: Any) -> None:
        """Define a campaign and launch it; its program has its name, unless another is given."""
        program = terms.pop("program", name)
        self.kit.run(rk.DefineCampaign(name, program=program, **terms))
        self.kit.run(rk.LaunchCampaign(name, acknowledge="budget_covers_nothing"))

    def enter(self, *recipients: str) -> list[str]:
        """Enter the sender's code; the campaigns that the recipients came into."""
        return [self.kit.run(rk.EnterReferralCode(self.code, one)).campaign for one in recipients]

    def complete(self, *recipients: str) -> None:
        """Fulfil the condition, one after the other, a second apart."""
        for recipient in recipients:
            self.clock.set(self.clock() + 1_000_000)
            self.kit.emit("A", user=recipient)

    def void(self, recipient: str) -> None:
        """Void a recipient's referral."""
        self.kit.run(rk.VoidReferral(self.kit.ask(rk.Referrals(recipient=recipient)).items[0].id, reason="by mistake"))

    def refusal(self, command: rk.Command[Any]) -> rk.Refused:
        """Of a command that is refused."""
        answer = self.kit.attempt(command)
        if isinstance(answer, rk.Refused):
            return answer
        raise AssertionError(f"not refused: {answer}")

    def uses(self) -> list[tuple[str, int, int]]:
        """Unit, cap and what is taken, as the report says."""
        return [(use.unit, use.cap, use.taken) for use in self.kit.ask(rk.ReferralReport(campaign="double")).caps]

    @property
    def use(self) -> rk.BudgetUse:
        """Of the campaign's budget."""
        use = self.kit.ask(rk.ReferralReport(campaign="double")).budget
        if use is None:
            raise AssertionError("the campaign has no budget")
        return use

    def money(self) -> tuple[int, int, int]:
        """Of the campaign's budget: spent, committed and left, in whole units."""
        return int(self.use.spent), int(self.use.committed), int(self.use.left)

    def grants(self, status: str) -> list[tuple[str, str]]:
        """Who waits for the budget, or has passed it, in the order of earning: user and reward."""
        held_for = "budget" if status == "held" else None
        return [(one.user, one.reward.name) for one in self.kit.ask(rk.Grants(status=status, held_for=held_for)).items]
