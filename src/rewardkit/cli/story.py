"""The stories that the demonstration plays, and how one is played."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from rewardkit.cli.controlled_clock import ControlledClock
from rewardkit.core.requests.answers import Earned, Expired, Progressed, Recorded
from rewardkit.core.requests.commands import DefineCampaign, DefineOffer, DefineReward, LaunchCampaign, MakeOffer
from rewardkit.core.requests.queries import Explained
from rewardkit.kit import RewardKit
from rewardkit.language.event import moment
from rewardkit.language.syntax.literal import read_elapsed


@attrs.frozen
class Scene:
    """Some time later, a user does something; or, with no event, time alone passes."""

    after: str
    user: str = ""
    event: str = ""


@attrs.frozen
class Story:
    """One campaign and what happens to its users."""

    title: str
    reward: Mapping[str, Any]
    condition: str
    scenes: tuple[Scene, ...]
    entry: str | None = None
    users: tuple[str, ...] = ()
    """To whom the offer is made directly."""


STORIES: Final = (
    Story(
        "Five dollars: entered by signing up, earned by activating",
        {"amount": "5.00", "currency": "USD"},
        '"User Activated"',
        (Scene("1m", "amanda", "User Signed Up"), Scene("1h", "amanda", "User Activated")),
        entry='"User Signed Up"',
    ),
    Story(
        "Two branches and a guard: two A or one B, and no C before that",
        {"badge": "first-steps"},
        "(A*2 | B) & !C",
        (
            Scene("1m", "ann", "A"),
            Scene("1m", "bob", "B"),
            Scene("1m", "cleo", "C"),
            Scene("1m", "ann", "A"),
            Scene("1m", "cleo", "B"),
        ),
        users=("ann", "bob", "cleo"),
    ),
    Story(
        "No refund for 14 days: time decides",
        {"points": 100},
        "purchase then no refund within 14d",
        (
            Scene("1h", "dora", "purchase"),
            Scene("1h", "emil", "purchase"),
            Scene("3d", "emil", "refund"),
            Scene("11d"),
        ),
        users=("dora", "emil"),
    ),
)


@attrs.define
class Telling:
    """What happened in a story."""

    lines: list[tuple[datetime, str]] = attrs.field(factory=list)
    rewards: list[Explained] = attrs.field(factory=list)
    unearned: list[Expired] = attrs.field(factory=list)


def tell(kit: RewardKit, clock: ControlledClock, story: Story) -> Telling:
    """Play a story on a kit that holds nothing yet."""
    kit.run(DefineReward("reward", properties=story.reward))
    kit.run(DefineOffer("offer", reward="reward", condition=story.condition))
    kit.run(DefineCampaign("story", offer="offer", entry=story.entry))
    kit.run(LaunchCampaign("story"))
    telling = Telling()
    for user in story.users:
        kit.run(MakeOffer("story", user))
        telling.lines.append((moment(clock.at), f"{user} is made the offer"))
    for number, scene in enumerate(story.scenes, 1):
        clock.move_to(clock.at + read_elapsed(scene.after).microseconds)
        if scene.event:
            telling.lines.append((moment(clock.at), f"{scene.user}: {scene.event}"))
            _hear(kit, telling, kit.emit(scene.event, user=scene.user, id=f"e{number}"))
        else:
            telling.lines.append((moment(clock.at), f"nobody does anything for {scene.after}; what is due is decided"))
            _hear(kit, telling, kit.run_due())
    return telling


def _hear(kit: RewardKit, telling: Telling, happened: Recorded | Progressed) -> None:
    telling.lines += [(entered.made_at, f"   {entered.user} is made the offer") for entered in happened.entered]
    for earned in happened.earned:
        _explain(kit, telling, earned)
    for expired in happened.expired:
        telling.unearned.append(expired)
        telling.lines.append((expired.ended_at, f"   {expired.user} can no longer earn it: {expired.reason}"))


def _explain(kit: RewardKit, telling: Telling, earned: Earned) -> None:
    explained = kit.explain(earned.grant)
    telling.rewards.append(explained)
    telling.lines.append((earned.earned_at, f"   {earned.user} earned {dict(explained.grant.reward.properties)}"))
    telling.lines += [(earned.earned_at, f"      because {sentence}") for sentence in explained.sentences]
