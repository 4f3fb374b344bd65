"""`rewardkit replay`: a log of events, folded through the campaigns of a file as if they had been live."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import attrs

from rewardkit.cli.controlled_clock import ControlledClock
from rewardkit.cli.event_log import LoggedEvent, read_log
from rewardkit.cli.options import Commands, add_command, read_instant
from rewardkit.cli.printing import FINE, moment, note, print_columns, print_json
from rewardkit.core.requests.answers import Earned
from rewardkit.core.requests.queries import OFFERS, Campaigns
from rewardkit.errors import Conflict, ValidationError
from rewardkit.kit import RewardKit
from rewardkit.language.event import Instant, rfc3339

CHUNK_EVENTS = 1_000
"""That are folded together where no cap is shared by users, since then no user's answers depend on another's."""
DUE_USERS = 1_000


@attrs.frozen
class Reason:
    """A reward that was earned, and why."""

    earned: Earned
    event_ids: tuple[str, ...]
    sentences: tuple[str, ...]


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "replay",
        run,
        "fold a log of events through the campaigns of a file: who would have earned what, when and why",
        "Definitions are in force from the log's beginning unless they say otherwise. Nothing is kept.",
    )
    parser.add_argument("--campaigns", metavar="FILE", required=True, help="definitions as for `load`")
    parser.add_argument(
        "--until", metavar="INSTANT", help="let time run on to, or the log end at, this instant; default: last event"
    )
    parser.add_argument("events", metavar="EVENTS", help="a .csv with the columns id,user,name,at, or a .jsonl")


def run(arguments: argparse.Namespace) -> int:
    """Replay and print, by the instant of earning."""
    until = None if arguments.until is None else read_instant(arguments.until, "--until")
    log = read_log(arguments.events)
    shown = [logged for logged in log if until is None or logged.event.at <= until]
    if not shown:
        raise ValidationError(f"{arguments.events}: there is no event to replay")
    clock = ControlledClock(shown[0].event.at)
    with RewardKit(":memory:", clock=clock) as kit:
        kit.load(arguments.campaigns)
        _note_drafts(kit)
        earned = list(replay(kit, clock, arguments.events, shown, shown[-1].event.at if until is None else until))
        earned.sort(key=lambda one: (one.earned_at, one.user, one.campaign))
        reasons = [_reason(kit, one) for one in earned]
    if arguments.json:
        _print_json(reasons)
    else:
        _print_text(reasons)
    left_out = f", {len(log) - len(shown)} left out" if len(shown) < len(log) else ""
    users = len({logged.event.user for logged in shown})
    note(f"{len(shown)} events of {users} users up to {rfc3339(clock.at)}{left_out}: {len(earned)} rewards earned")
    return FINE


def replay(
    kit: RewardKit, clock: ControlledClock, name: str, log: Sequence[LoggedEvent], until: Instant
) -> Iterator[Earned]:
    """Fold a log, in total order, and give what is earned on the way and by `until`.

    Where a campaign has a cap, users compete for its places: then events are folded one by one,
    each after what time has decided by then.
    """
    capped = any(campaign.cap is not None for campaign in kit.ask(Campaigns(OFFERS)))
    size = 1 if capped else CHUNK_EVENTS
    for begin in range(0, len(log), size):
        chunk = log[begin : begin + size]
        clock.move_to(chunk[0].event.at)
        yield from _due(kit)
        clock.move_to(chunk[-1].event.at)
        yield from _fold(kit, name, chunk)
    clock.move_to(until)
    yield from _due(kit)


def _note_drafts(kit: RewardKit) -> None:
    for campaign in kit.ask(Campaigns(OFFERS)):
        if campaign.status == "draft":
            note(f"campaign {campaign.name} is a draft and makes no offers: leave its `status` out to try it")


def _due(kit: RewardKit) -> Iterator[Earned]:
    while True:
        done = kit.run_due(limit=DUE_USERS)
        yield from done.earned
        if done.users < DUE_USERS:
            return


def _fold(kit: RewardKit, name: str, chunk: Sequence[LoggedEvent]) -> Iterator[Earned]:
    try:
        yield from kit.emit_many([logged.event for logged in chunk]).earned
    except (ValidationError, Conflict) as error:
        if len(chunk) == 1:
            message = str(error).removeprefix("event 0: ")
            raise ValidationError(f"{name}:{chunk[0].line}: {message}") from None
        # One of them is wrong and none was recorded: one by one, the line that is wrong names itself.
        for logged in chunk:
            yield from _fold(kit, name, (logged,))


def _reason(kit: RewardKit, earned: Earned) -> Reason:
    explained = kit.explain(earned.grant)
    return Reason(earned, explained.event_ids, explained.sentences)


def _print_json(reasons: Sequence[Reason]) -> None:
    for reason in reasons:
        one = reason.earned
        print_json(
            {
                "user": one.user,
                "campaign": one.campaign,
                "offer": one.offer,
                "reward": one.reward,
                "earned_at": one.earned_at,
                "event_ids": reason.event_ids,
            }
        )


def _print_text(reasons: Sequence[Reason]) -> None:
    rows = []
    for reason in reasons:
        one = reason.earned
        rows.append((moment(one.earned_at), one.user, one.campaign, one.reward, "; ".join(reason.sentences)))
    print_columns(("earned_at", "user", "campaign", "reward", "why"), rows)
