"""`rewardkit due`: decide what time alone decides."""

from __future__ import annotations

import argparse

import attrs

from rewardkit.cli.options import Commands, add_command, add_store, open_kit, positive, read_instant
from rewardkit.cli.printing import FINE, moment, note, print_json
from rewardkit.core.requests.answers import Capped, Earned, Entered, Expired, Progressed, Released, Supplied
from rewardkit.core.requests.referral_records import ReferralEnded

PAGE_USERS = 1_000
"""Asked for at once; they are committed in smaller batches."""


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "due",
        run,
        "decide what time alone decides: absences, expiries, starts",
        "Run it every minute or so; early, late or twice is harmless.",
    )
    parser.add_argument("--now", metavar="INSTANT", help="decide as of this instant, such as 2026-01-31T12:00:00Z")
    parser.add_argument("--limit", type=positive, metavar="USERS", help="look at so many users at most; default is all")
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Decide, and print what happened."""
    users = earned = released = 0
    now = None if arguments.now is None else read_instant(arguments.now, "--now")
    with open_kit(arguments) as kit:
        while arguments.limit is None or max(users, released) < arguments.limit:
            page = PAGE_USERS if arguments.limit is None else min(PAGE_USERS, arguments.limit - max(users, released))
            done = kit.run_due(now, limit=page)
            users += done.users
            earned += len(done.earned)
            released += len(done.released)
            _print(done, as_json=arguments.json)
            if not done.more:
                break
    note(f"{users} users looked at, {earned} rewards earned, {released} released")
    return FINE


def _print(done: Progressed, *, as_json: bool) -> None:
    for what in ("entered", "capped", "earned", "expired", "released", "supplied", "referrals"):
        for record in getattr(done, what):
            if as_json:
                print_json({"what": what} | attrs.asdict(record))
            else:
                print(_sentence(record))


def _sentence(record: Entered | Capped | Earned | Expired | Released | Supplied | ReferralEnded) -> str:
    match record:
        case Entered():
            return f"{moment(record.made_at)} {record.user} entered {record.campaign}"
        case Capped():
            return f"{moment(record.made_at)} {record.user} found no place in {record.campaign}"
        case Earned():
            return f"{moment(record.earned_at)} {record.user} earned {record.reward} in {record.campaign}"
        case Expired():
            return f"{moment(record.ended_at)} {record.user} did not earn in {record.campaign}: {record.reason}"
        case ReferralEnded():
            return f"{moment(record.ended_at)} {record.sender}'s referral of {record.recipient} is {record.status}"
        case Supplied():
            return f"{moment(record.supplied_at)} {record.user} has a code by grant {record.grant}"
        case Released():
            return (
                f"{moment(record.released_at)} {record.user} has waited for grant {record.grant}, now {record.status}"
            )
