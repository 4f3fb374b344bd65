"""Processes that do the same thing until they are told to wait: what they need to start is not measured."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier

PATIENCE_SECONDS = 600
"""After which somebody who has not come is taken for dead."""

Work = Callable[[int], object]


class Crew:
    """So many processes that take numbers one by one, each the next, and work on them.

    Args:
        workers: how many.
        connect: opens what a worker works with; called in its process.
    """

    def __init__(self, workers: int, connect: Callable[[], AbstractContextManager[Work]]) -> None:
        fork = multiprocessing.get_context("fork")
        self.done = 0
        self._next: Synchronized[int] = fork.Value("q", 0)
        self._until: Synchronized[int] = fork.Value("q", 0)
        self._gate = fork.Barrier(workers + 1)
        self._processes = [
            fork.Process(target=_work, args=(connect, self._gate, self._next, self._until)) for _ in range(workers)
        ]
        for process in self._processes:
            process.start()

    def do(self, count: int) -> float:
        """Have `count` more done, and answer the seconds of wall time from the first to the last."""
        self.done += count
        self._until.value = self.done
        self._gate.wait(PATIENCE_SECONDS)
        began = time.perf_counter()
        self._gate.wait(PATIENCE_SECONDS)
        return time.perf_counter() - began

    def dismiss(self) -> None:
        """Send everybody home."""
        self._until.value = -1
        self._gate.wait(PATIENCE_SECONDS)
        for process in self._processes:
            process.join()
            if process.exitcode:
                raise SystemExit("a worker failed")


def _work(
    connect: Callable[[], AbstractContextManager[Work]],
    gate: Barrier,
    following: Synchronized[int],
    until: Synchronized[int],
) -> None:
    with connect() as work:
        try:
            while True:
                gate.wait(PATIENCE_SECONDS)
                if until.value < 0:
                    return
                while (number := _next(following, until.value)) is not None:
                    work(number)
                gate.wait(PATIENCE_SECONDS)
        except BaseException:
            gate.abort()
            raise


def _next(following: Synchronized[int], until: int) -> int | None:
    with following.get_lock():
        number = following.value
        if number >= until:
            return None
        following.value = number + 1
        return number
