"""`rewardkit deliver`: notices to the outside, as lines that another program can take from there."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rewardkit.cli.dead_letters import print_dead, replay
from rewardkit.cli.options import Commands, add_command, add_store, open_kit, positive
from rewardkit.cli.printing import FINDINGS, FINE, note, print_json
from rewardkit.core.notices.notice import BODY_BYTES
from rewardkit.core.requests.records import Notice
from rewardkit.core.values import payload
from rewardkit.errors import ValidationError
from rewardkit.kit import RewardKit
from rewardkit.notify.logging_notifier import LoggingNotifier
from rewardkit.shell.deliver import Delivery

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
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--forever", action="store_true", help="deliver what comes as it comes, until SIGTERM or SIGINT")
    other.add_argument("--dead", action="store_true", help="list dead notices, and deliver nothing")
    other.add_argument(
        "--replay",
        nargs="*",
        metavar="NOTICE",
        help="put dead notices of these ids back into the outbox, or all of them; deliver nothing",
    )
    parser.add_argument(
        "--poll", type=positive, default=5, metavar="SECONDS", help="between looks of --forever; default is 5"
    )
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Deliver, and say how it went."""
    if arguments.limit is not None and (arguments.forever or arguments.dead or arguments.replay is not None):
        raise ValidationError("--limit is for delivering once; leave it out")
    stop = threading.Event()
    notifier = Printer(stop) if arguments.json else LoggingNotifier(_logger())
    with _warning(), open_kit(arguments, notifiers=(notifier,)) as kit:
        if arguments.dead:
            return print_dead(kit, as_json=arguments.json)
        if arguments.replay is not None:
            return replay(kit, arguments.replay)
        if arguments.forever:
            with _stopping(stop):
                done = kit.deliver_forever(stop, poll_seconds=arguments.poll)
        else:
            done = _deliver_once(kit, arguments.limit)
    note(f"{done.delivered} delivered, {done.failed} failed")
    return FINDINGS if done.failed else FINE


def _deliver_once(kit: RewardKit, limit: int | None) -> Delivery:
    total = Delivery()
    while limit is None or total.taken < limit:
        page = PAGE_NOTICES if limit is None else min(PAGE_NOTICES, limit - total.taken)
        done = kit.deliver(limit=page)
        total += done
        if done.taken < page:
            break
    return total


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set the event: what is being told is finished and recorded first."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Printer:
    """Prints each notice as a line of JSON, flushed before it counts as told.

    Args:
        stop: set where nobody reads any more, so that the rest waits for somebody who does.
    """

    endpoint = "stdout"

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def __call__(self, notice: Notice) -> None:
        """Print it."""
        try:
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
        except BrokenPipeError:
            self._stop.set()
            raise


@contextmanager
def _warning() -> Iterator[None]:
    """Show on stderr what the log is warned of, such as a store that is away."""
    handler = _lines()
    handler.setLevel(logging.WARNING)
    logger = logging.getLogger("rewardkit")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _logger() -> logging.Logger:
    """A logger of this command's own, so that nobody's configuration is changed."""
    logger = logging.Logger("rewardkit.notices")  # noqa: LOG001 - not registered on purpose
    logger.addHandler(_lines())
    return logger


def _lines() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler
