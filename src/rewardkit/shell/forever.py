"""Delivering until told to stop: a worker that waits for what is committed, and survives a store that is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from rewardkit.core.notices.outbox import LeaseOutbox
from rewardkit.errors import ForkError, SchemaError, StoreError
from rewardkit.ports import Hear
from rewardkit.shell.deliver import Delivery, Worker

_BATCH_NOTICES: Final = 500
_HEARING_SECONDS: Final = 0.25
"""How long a worker listens without looking whether it is to stop."""


def deliver_forever(
    worker: Worker,
    look: Callable[[LeaseOutbox], Any],
    listen: Callable[[], AbstractContextManager[Hear]],
    poll_seconds: float,
) -> Delivery:
    """See `RewardKit.deliver_forever`."""
    total = Delivery()
    while not worker.stop.is_set():
        try:
            with listen() as hear:
                # Listening begins before the first look, so that nothing is committed in between.
                while not worker.stop.is_set():
                    done = worker.poll(_BATCH_NOTICES, look)
                    total += done
                    if done.taken < _BATCH_NOTICES:
                        _wait(hear, worker.stop, poll_seconds)
        except (SchemaError, ForkError):
            raise
        except StoreError as error:
            worker.watch.happened("deliver.interrupted", f"nothing is delivered for now: {error}", error)
            worker.stop.wait(poll_seconds)
    return total


def _wait(hear: Hear, stop: threading.Event, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not stop.is_set() and (left := until - time.monotonic()) > 0:
        if hear(min(left, _HEARING_SECONDS)):
            return
