"""`rewardkit campaigns`: all campaigns, of offers and of referrals, as they stand."""

from __future__ import annotations

import argparse

import attrs

from rewardkit.cli.options import Commands, add_command, add_store, open_kit
from rewardkit.cli.printing import FINE, moment, note, print_columns, print_json
from rewardkit.core.requests.queries import OFFERS, REFERRALS, Campaigns, CampaignUse

COLUMNS = ("name", "kind", "status", "open", "start", "end", "taken", "gives")


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "campaigns",
        run,
        "list all campaigns, of offers and of referrals, and what is taken of their caps and budgets",
        "What came of one of them is shown by `rewardkit report`.",
    )
    parser.add_argument("--kind", choices=(OFFERS, REFERRALS), help="list those of one kind alone")
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """List them, by name."""
    with open_kit(arguments) as kit:
        found = kit.ask(Campaigns(arguments.kind))
    if arguments.json:
        for campaign in found:
            print_json(attrs.asdict(campaign, recurse=False))
    elif found:
        print_columns(COLUMNS, [_row(campaign) for campaign in found])
    note(f"{len(found)} campaigns, {sum(campaign.is_open for campaign in found)} open now")
    return FINE


def _row(campaign: CampaignUse) -> tuple[str, ...]:
    return (
        campaign.name,
        campaign.kind,
        campaign.status,
        "yes" if campaign.is_open else "no",
        "-" if campaign.start is None else moment(campaign.start),
        "-" if campaign.end is None else moment(campaign.end),
        _taken(campaign),
        campaign.program or campaign.offer or ", ".join(campaign.variants),
    )


def _taken(campaign: CampaignUse) -> str:
    """Of its cap and of its budget."""
    found = []
    if campaign.cap is not None:
        found.append(f"{campaign.reserved + campaign.confirmed:,} of {campaign.cap:,}")
    if campaign.budget is not None:
        found.append(f"{campaign.spent + campaign.committed:,f} of {campaign.budget:,f}")
    return "; ".join(found) or "-"
