"""Playing transactions against each other, a step at a time, in an order that a schedule names.

Each stops before each call to its store until the schedule lets it go on; one that waits for a lock is passed over
until it has it. So an interleaving that goes wrong once goes wrong every time.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from rewardkit.ports import Store
from rewardkit.testing.faults import Step, WatchedStore

Task: TypeAlias = Callable[[Store], object]

PATIENCE_SECONDS = 30
"""How long a play may take before it is called stuck."""


class Actor:
    """Does tasks in a thread of its own, and so on connections of its own, a step at a time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.done = True
        self.steps: list[Step] = []
        """Where it has stood in its task."""
        self.answer: object = None
        """What its task returned or raised."""
        self._watched = WatchedStore(store, self._watch)
        self._tasks: list[Task | None] = []
        self._work, self._go, self._still = threading.Semaphore(0), threading.Semaphore(0), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def begin(self, task: Task) -> None:
        """Take up a task, as far as its first step."""
        self.done, self.steps = False, []
        self._still.clear()
        self._give(task)
        self.stands(PATIENCE_SECONDS)

    def step(self) -> None:
        """Go on to the next step; it may not get there yet."""
        self._still.clear()
        self._go.release()

    def stands(self, seconds: float) -> bool:
        """Whether it comes to a step, or to its end, in time."""
        return self._still.wait(seconds)

    def close(self) -> None:
        """End the thread, and with it its connections."""
        self._give(None)
        self._thread.join(PATIENCE_SECONDS)

    def _give(self, task: Task | None) -> None:
        self._tasks.append(task)
        self._work.release()

    def _watch(self, step: Step) -> None:
        if step.when == "before":
            self.steps.append(step)
            self._still.set()
            self._go.acquire()

    def _run(self) -> None:
        while True:
            self._work.acquire()
            task = self._tasks.pop()
            if task is None:
                self.store.close()
                return
            try:
                self.answer = task(self._watched)
            except Exception as error:  # noqa: BLE001 - it is the answer, whatever it is
                self.answer = error
            self.done = True
            self._still.set()


class Stage:
    """Actors, one for each store.

    Args:
        stores: on one database, each used by one actor alone.
        waits: whether the actor of this number waits for a lock at this moment.
    """

    def __init__(self, stores: Sequence[Store], waits: Callable[[int], bool]) -> None:
        self.actors = tuple(map(Actor, stores))
        self.waits = 0
        """How often somebody had to wait for a lock."""
        self._waits = waits

    def play(self, tasks: Sequence[Task], schedule: Sequence[int]) -> list[object]:
        """Do the tasks, each step by the actor that the schedule names, then by all in turn; gives their answers.

        Raises:
            TimeoutError: nobody comes any further.
        """
        cast = self.actors[: len(tasks)]
        for actor, task in zip(cast, tasks, strict=True):
            actor.begin(task)
        turns = itertools.chain(schedule, itertools.cycle(range(len(cast))))
        waiting: set[int] = set()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(actor.done for actor in cast):
            if time.monotonic() > deadline:
                raise TimeoutError(f"stuck at {[actor.steps[-1:] for actor in cast]}")
            waiting = {number for number in waiting if not cast[number].stands(0)}
            able = [number for number, actor in enumerate(cast) if not actor.done and number not in waiting]
            if not able:
                time.sleep(0.001)
                continue
            turn = next(turns)
            number = turn if turn in able else able[0]
            cast[number].step()
            if not self._comes_to_stand(number, deadline):
                waiting.add(number)
                self.waits += 1
        return [actor.answer for actor in cast]

    def close(self) -> None:
        """End all actors."""
        for actor in self.actors:
            actor.close()

    def _comes_to_stand(self, number: int, deadline: float) -> bool:
        while not self.actors[number].stands(0.001):
            if self._waits(number) or time.monotonic() > deadline:
                return False
        return True
