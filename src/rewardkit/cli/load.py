"""`rewardkit load`: the definitions of a TOML file, brought into force."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from rewardkit.cli.options import Commands, add_command, add_store, open_kit
from rewardkit.cli.printing import FINE, moment, note, print_json
from rewardkit.core.campaigns.checks import LaunchChecks
from rewardkit.core.definitions.campaign import CAMPAIGN
from rewardkit.core.definitions.referral_campaign import REFERRAL_CAMPAIGN
from rewardkit.core.requests.answers import CampaignState, Defined, PoolDefined
from rewardkit.kit import RewardKit


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "load",
        run,
        "bring the definitions of a TOML file into force, all of them or none",
        "Loading a file twice changes nothing. What there is to know of changed campaigns goes to stderr.",
    )
    parser.add_argument(
        "file", metavar="FILE", help="pools, rewards, conditions, offers, referral programs, campaigns and promotions"
    )
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Load, and print what each definition came to."""
    with open_kit(arguments) as kit:
        answers = kit.load(arguments.file)
        new = sum(isinstance(answer, Defined | PoolDefined) and answer.new for answer in answers)
        checked = tuple(_checked(kit, answers)) if new else ()
    for answer in answers:
        if arguments.json:
            print_json(_record(answer))
        else:
            print(_sentence(answer))
    for line in checked:
        note(line)
    note(f"{new} new or changed" if new else "nothing has changed")
    return FINE


def _checked(kit: RewardKit, answers: Sequence[object]) -> Iterator[str]:
    """What there is to know of the campaigns that are new or changed."""
    changed = [answer.name for answer in answers if isinstance(answer, Defined) and answer.new]
    for answer in answers:
        if isinstance(answer, Defined) and answer.kind in (CAMPAIGN, REFERRAL_CAMPAIGN) and answer.name in changed:
            for finding in kit.ask(LaunchChecks(answer.name)):
                yield f"campaign {answer.name}: {finding.message} ({finding.code})"


def _record(answer: Defined | PoolDefined | CampaignState) -> dict[str, object]:
    if isinstance(answer, PoolDefined):
        return {"kind": "pool", "name": answer.name, "id": answer.id, "new": answer.new}
    if isinstance(answer, Defined):
        return {"kind": answer.kind, "name": answer.name, "version": answer.version, "new": answer.new}
    return {
        "kind": "launch",
        "name": answer.name,
        "version": answer.version,
        "status": answer.status,
        "start": answer.start,
        "end": answer.end,
    }


def _sentence(answer: Defined | PoolDefined | CampaignState) -> str:
    if isinstance(answer, PoolDefined):
        return f"pool {answer.name}: id {answer.id}{', new or changed' if answer.new else ''}"
    if isinstance(answer, Defined):
        return f"{answer.kind.replace('_', ' ')} {answer.name}: version {answer.version}{', new' if answer.new else ''}"
    start = "" if answer.start is None else f" from {moment(answer.start)}"
    end = "" if answer.end is None else f" up to {moment(answer.end)}"
    return f"campaign {answer.name}: {answer.status}{start}{end}"
