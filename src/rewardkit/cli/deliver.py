"""`rewardkit deliver`: notices to the outside, as lines that another program can take from there."""

from __future__ import annotations

import argparse
import logging
import sys

from rewardkit.cli.options import Commands, add_command, add_store, open_kit, positive
from rewardkit.cli.printing import FINDINGS, FINE, note, print_json
from rewardkit.core import payload
from rewardkit.core.notices import BODY_BYTES
from rewardkit.core.records import Notice
from rewardkit.notify.logging_notifier import LoggingNotifier

PAGE_NOTICES = 100


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "deliver",
        run,
        "deliver the notices that are due: to a log on stderr, or as JSON lines on stdout",
        "A notice that was printed is delivered; one can be printed twice, always under the same id.",
    )
    parser.add_argument("--jsonl", dest="json", action="store_true", help="the same as --json")
    parser.add_argument("--limit", type=positive, metavar="NOTICES", help="deliver so many at most; default is all")
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Deliver, and say how it went."""
    delivered = failed = 0
    notifier = _print_notice if arguments.json else LoggingNotifier(_logger())
    with open_kit(arguments, notifiers=(notifier,)) as kit:
        while arguments.limit is None or delivered + failed < arguments.limit:
            left = PAGE_NOTICES if arguments.limit is None else arguments.limit - delivered - failed
            page = min(PAGE_NOTICES, left)
            done = kit.deliver(limit=page)
            delivered += done.delivered
            failed += done.failed
            if done.delivered + done.failed < page:
                break
    note(f"{delivered} delivered, {failed} failed")
    return FINDINGS if failed else FINE


def _print_notice(notice: Notice) -> None:
    """Printed and flushed before it counts as told."""
    print_json(
        {
            "id": notice.id,
            "kind": notice.kind,
            "user": notice.user,
            "created_at": notice.created_at,
            "attempt": notice.attempt,
            "body": payload.read(notice.body, "a notice", most=BODY_BYTES),
        }
    )
    sys.stdout.flush()


def _logger() -> logging.Logger:
    """A logger of this command's own, so that nobody's configuration is changed."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.Logger("rewardkit.notices")  # noqa: LOG001 - not registered on purpose
    logger.addHandler(handler)
    return logger
