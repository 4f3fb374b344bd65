"""One of many processes that deliver webhooks. Each line is an instant and the share of successes that kill it.

What was delivered, failed and overtaken by then goes back.

Run as a script with its job as JSON, `src` importable; it imports nothing of the tests.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from typing import Any

from rewardkit import Delivered, EndpointGone, Notice, Outcome, RewardKit, WebhookNotifier
from rewardkit.notify.url_guard import UrlGuard
from rewardkit.testing.clock import FakeClock


class Mortal:
    """A notifier whose process dies now and then, when the receiver has said that it has a notice.

    Nothing of the batch is recorded then. A process that has been told 410 lives to record that.
    """

    deaths = 0.0
    chance = random.Random()
    may_die = True

    def __init__(self, notifier: WebhookNotifier) -> None:
        self.endpoint, self.kinds = notifier.endpoint, notifier.kinds
        self._notifier = notifier

    def __call__(self, notice: Notice) -> Outcome | None:
        outcome = self._notifier(notice)
        if isinstance(outcome, EndpointGone):
            Mortal.may_die = False
        if isinstance(outcome, Delivered) and self.may_die and self.chance.random() < self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome


def notifiers(job: dict[str, Any], clock: FakeClock) -> list[Mortal]:
    """One for each endpoint of the job: its name, `url`, `port` and `kinds`."""
    return [
        Mortal(
            WebhookNotifier(
                endpoint["url"],
                job["secret"],
                endpoint=name,
                kinds=endpoint["kinds"],
                guard=UrlGuard(
                    allow_http=True,
                    allowed_ports={endpoint["port"]},
                    allowed_networks=["127.0.0.0/8"],
                    resolver=lambda _host, _port: ["127.0.0.1"],
                ),
                clock=clock,
                timeout_seconds=job["timeout_seconds"],
            )
        )
        for name, endpoint in job["endpoints"].items()
    ]


def main() -> None:
    """Deliver all that is due at each instant that comes."""
    job = json.loads(sys.argv[1])
    Mortal.chance = random.Random(job["seed"])
    clock = FakeClock(0)
    kit = RewardKit(job["store"], tenant=job["tenant"], clock=clock, notifiers=notifiers(job, clock))
    for line in sys.stdin:
        at, deaths = line.split()
        clock.set(int(at))
        Mortal.deaths, Mortal.may_die = float(deaths), True
        counts = [0, 0, 0]
        while (done := kit.deliver(limit=1_000)).taken:
            counts = [counts[0] + done.delivered, counts[1] + done.failed, counts[2] + done.overtaken]
        print(json.dumps(counts), flush=True)
    kit.close()


if __name__ == "__main__":
    main()
