"""`rewardkit report`: what came of a campaign, or of referrals, as text, as JSON or as a page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import attrs

from rewardkit.cli.options import Commands, add_command, add_store, open_kit, positive
from rewardkit.cli.printing import FINE, note, plain, print_json
from rewardkit.cli.reports.page import campaign_page, referral_page
from rewardkit.cli.reports.sections import campaign_sections, referral_sections
from rewardkit.cli.reports.terminal import print_report, terminal_width
from rewardkit.core.referrals.queries import ReferralPrograms
from rewardkit.core.requests.queries import Campaigns
from rewardkit.core.tracking.figures import CampaignFigures, ReferralFigures
from rewardkit.core.tracking.queries import CampaignReport, ReferralReport
from rewardkit.core.values.input import show
from rewardkit.errors import Refused, ValidationError
from rewardkit.kit import RewardKit


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "report",
        run,
        "show what came of a campaign: what was offered, earned and paid, how quickly, and beside users held out",
        "Of a referral campaign: its referrals, senders and chains. The store counts; nothing is changed.",
    )
    parser.add_argument("name", metavar="CAMPAIGN", help="a campaign of offers or of referrals; or see --program")
    parser.add_argument("--program", action="store_true", help="the name is that of a referral program")
    parser.add_argument("--top", type=positive, default=10, metavar="N", help="senders to list, at most 100")
    parser.add_argument("--html", metavar="FILE", help="write a page with plots, which needs nothing but this file")
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and show."""
    with open_kit(arguments) as kit:
        figures = _figures(kit, arguments)
    title = _title(figures)
    sections = campaign_sections(figures) if isinstance(figures, CampaignFigures) else referral_sections(figures)
    if arguments.html is not None:
        page = (
            campaign_page(title, figures, sections)
            if isinstance(figures, CampaignFigures)
            else referral_page(title, figures, sections)
        )
        _write(arguments.html, page)
    if arguments.json:
        print_json(_record(figures))
    elif arguments.html is None:
        print_report(title, sections, figures.cautions, terminal_width())
    return FINE


def _figures(kit: RewardKit, arguments: argparse.Namespace) -> CampaignFigures | ReferralFigures:
    if arguments.program:
        if arguments.name not in _programs(kit) and arguments.name in {one.name for one in kit.ask(Campaigns())}:
            name = show(arguments.name)
            raise ValidationError(f"`{name}` is a campaign and no referral program: leave `--program` out")
        return kit.ask(ReferralReport(arguments.name, top=arguments.top))
    try:
        return kit.ask(CampaignReport(arguments.name))
    except Refused as refused:
        if refused.code == "campaign_unknown" and arguments.name in _programs(kit):
            name = show(arguments.name)
            raise ValidationError(f"`{name}` is a referral program and no campaign: add `--program`") from None
        if refused.code != "campaign_of_other_kind":
            raise
    return kit.ask(ReferralReport(campaign=arguments.name, top=arguments.top))


def _programs(kit: RewardKit) -> set[str]:
    return {program.name for program in kit.ask(ReferralPrograms())}


def _title(figures: CampaignFigures | ReferralFigures) -> str:
    if isinstance(figures, CampaignFigures):
        return f"campaign {figures.campaign}, {figures.use.status}"
    if figures.program:
        return f"referral program {figures.program}"
    return f"referral campaign {figures.campaign}, {figures.status}"


def _write(name: str, page: str) -> None:
    try:
        Path(name).write_text(page, encoding="utf-8")
    except OSError as error:
        raise ValidationError(f"--html `{name}` cannot be written: {error.strerror or error}") from None
    note(f"wrote {name}")


def _record(found: Any) -> Any:
    """A record with what it says of itself: its rates and totals beside its fields."""
    if isinstance(found, tuple):
        return [_record(one) for one in found]
    if not attrs.has(type(found)):
        return plain(found)
    record = {field.name: _record(getattr(found, field.name)) for field in attrs.fields(type(found))}
    told = (
        name for name in ("conversion", "referrals_per_sender", "total") if name not in record and hasattr(found, name)
    )
    return record | {name: plain(getattr(found, name)) for name in told}
