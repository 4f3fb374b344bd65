"""`rewardkit demo`: three short stories, played in a store of their own."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from rewardkit.cli.controlled_clock import ControlledClock
from rewardkit.cli.options import Commands, add_command
from rewardkit.cli.printing import FINE, heading, moment, print_json
from rewardkit.cli.story import STORIES, Story, Telling, tell
from rewardkit.kit import RewardKit
from rewardkit.language.event import instant

BEGINNING = "2026-03-02T09:00:00Z"


def add_to(commands: Commands) -> None:
    """Declare the command."""
    add_command(
        commands, "demo", run, "play three short stories in an embedded store", "It takes a second and leaves nothing."
    )


def run(arguments: argparse.Namespace) -> int:
    """Play each story on a SQLite file that is thrown away, by a clock that the story moves."""
    for number, story in enumerate(STORIES, 1):
        with TemporaryDirectory(prefix="rewardkit-demo-") as folder:
            clock = ControlledClock(instant(BEGINNING))
            store = f"sqlite:///{Path(folder, 'demo.db')}"
            with RewardKit(store, clock=clock) as kit:
                telling = tell(kit, clock, story)
        if arguments.json:
            _print_json(number, story, telling)
        else:
            _print_text(number, story, telling)
    return FINE


def _print_text(number: int, story: Story, telling: Telling) -> None:
    print(heading(f"{number}. {story.title}"))
    if story.entry is not None:
        print(f"   entry      {story.entry}")
    print(f"   condition  {story.condition}")
    for at, what in telling.lines:
        print(f"   {moment(at)}  {what}")
    print()


def _print_json(number: int, story: Story, telling: Telling) -> None:
    for reward in telling.rewards:
        print_json(
            {
                "story": number,
                "title": story.title,
                "condition": story.condition,
                "user": reward.grant.user,
                "reward": reward.grant.reward.name,
                "properties": reward.grant.reward.properties,
                "earned_at": reward.grant.earned_at,
                "event_ids": reward.event_ids,
                "why": reward.sentences,
            }
        )
    for refusal in telling.unearned:
        print_json(
            {
                "story": number,
                "title": story.title,
                "condition": story.condition,
                "user": refusal.user,
                "reward": None,
                "ended_at": refusal.ended_at,
                "why": [refusal.reason],
            }
        )
