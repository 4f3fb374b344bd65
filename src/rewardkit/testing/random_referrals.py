"""Random histories of referrals, quickly and from a seed: few users, few seconds, so that everything meets."""

from __future__ import annotations

import random
from typing import Any

from rewardkit.core.referrals.commands import DefineReferralProgram
from rewardkit.core.requests.commands import DefineCampaign
from rewardkit.core.requests.variant import Variant
from rewardkit.testing.random_commands import COMPLETIONS, LINTS, SECOND

USERS = ("ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal")
PROGRAMS = ("one", "two")
SENDERS = (None, "P", "P in last 5s", "P*2 in last 9s", "!Q", "P & !Q", "P then no Q within 4s")
NAMES = ("A", "A", "A", "B", "B", "C", "P", "P", "Q")


class RandomReferrals:
    """Draws what is done next.

    Args:
        seed: of all chances.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a seed is wanted

    def program(self, name: str) -> DefineReferralProgram:
        """A program, or another version of one; its cap counts by days."""
        chance = self.chance
        return DefineReferralProgram(
            name,
            "ten",
            "five",
            chance.choice(COMPLETIONS if chance.random() < 0.5 else ("A", "A | B", "B*2")),
            expires_after=chance.choice((None, None, None, "4s", "9s")),
            sender_cap=chance.choice((None, 1, 1, 2)),
            period_cap=chance.choice((None, None, 1)),
            period="day",
            acknowledge=LINTS,
        )

    def campaign(self, name: str, now: int) -> DefineCampaign:
        """A campaign that is no fallback."""
        chance = self.chance
        start = now + chance.randint(-3, 6) * SECOND
        return DefineCampaign(
            name,
            **self.programs(),
            sender=chance.choice(SENDERS),
            start=start,  # type: ignore[arg-type]  # an instant as a number is an instant, too
            end=start + chance.randint(1, 30) * SECOND,  # type: ignore[arg-type]
            priority=chance.choice((0, 0, 1)),
            cap=chance.choice((None, None, 1, 2)),
            caps_per=chance.choice(({}, {}, {"day": 1})),
            acknowledge=LINTS,
        )

    def programs(self) -> dict[str, Any]:
        """What senders offer by a campaign: a program, or variants of them."""
        chance = self.chance
        if chance.random() < 0.6:
            return {"program": chance.choice(PROGRAMS)}
        # One more, so that there is a weight.
        made = [Variant(letter, program=chance.choice(PROGRAMS), weight=chance.randint(0, 2)) for letter in "pqr"]
        last = Variant("s", program=chance.choice(PROGRAMS))
        return {"variants": (*chance.sample(made, chance.randint(1, 3)), last)}

    def pair(self) -> tuple[str, str]:
        """A sender, mostly one of two, and a recipient, who may be the same."""
        senders = USERS[:2] if self.chance.random() < 0.7 else USERS
        return self.chance.choice(senders), self.chance.choice(USERS)

    def wait(self) -> int:
        """Microseconds: seconds mostly, and a day now and then."""
        return self.chance.choice((1, 1, 2, 3, 5, 86_400)) * SECOND
