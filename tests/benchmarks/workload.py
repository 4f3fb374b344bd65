"""The job that every contender does: the same campaigns, the same events.

Every user has signed up, which made her every campaign's offer; the events measured count towards them.
A campaign is earned by a count, a choice or an exclusion of others, as shops write them.
Events have 20 names of Zipf popularity and belong to users drawn at random.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate

import rewardkit as rk

NAMES = [f"event {number:02d}" for number in range(20)]
SIGN_UP = "User Signed Up"
START = 1_767_225_600_000_000  # 2026-01-01
SECOND = 1_000_000


@dataclass(frozen=True)
class Campaign:
    """Entered by signing up; earned by `count` times `main`, or twice as often `other`, unless `never` came."""

    name: str
    main: str
    count: int
    other: str | None
    never: str | None
    entry: str = SIGN_UP

    @property
    def condition(self) -> str:
        text = f'"{self.main}"*{self.count}'
        if self.other is not None:
            text = f'({text} | "{self.other}"*{2 * self.count})'
        return text if self.never is None else f'{text} & !"{self.never}"'


def campaigns(number: int, *, silent: int = 0) -> list[Campaign]:
    """`number` campaigns over the events' names, and `silent` more that listen to none of them."""
    chance = random.Random(number)
    made = []
    for index in range(number):
        main, other, never = chance.sample(NAMES, 3)
        count = chance.choice((5, 10, 20, 50))
        made.append(
            Campaign(
                f"campaign {index}", main, count, other if index % 4 == 1 else None, never if index % 10 == 2 else None
            )
        )
    made += [
        Campaign(f"silent {index}", f"nothing {index}", 2, None, None, entry=f"never {index}")
        for index in range(silent)
    ]
    return made


def sign_ups(users: int) -> list[rk.Event]:
    """One event a user, a second before all others."""
    return [rk.Event(SIGN_UP, at=START - SECOND, id=f"s{user:08d}", user=f"user {user:06d}") for user in range(users)]


def events(number: int, users: int, *, seed: int = 1) -> list[rk.Event]:
    """Events in the order of time, one a second."""
    chance = random.Random(seed)
    weights = list(accumulate(1 / rank for rank in range(1, len(NAMES) + 1)))
    return [
        rk.Event(
            chance.choices(NAMES, cum_weights=weights)[0],
            at=START + index * SECOND,
            id=f"{seed:02d}{index:08d}",
            user=f"user {chance.randrange(users):06d}",
            properties={"amount": chance.randrange(1, 200), "country": "FR"},
        )
        for index in range(number)
    ]


def prepare(kit: rk.RewardKit, made: list[Campaign]) -> None:
    """Define and launch the campaigns."""
    kit.run(rk.DefineReward("points", properties={"points": 10}))
    for campaign in made:
        kit.run(rk.DefineOffer(campaign.name, "points", campaign.condition))
        kit.run(rk.DefineCampaign(campaign.name, campaign.name, entry=f'"{campaign.entry}"', start="2025-01-01"))
        kit.run(rk.LaunchCampaign(campaign.name))
