"""A transaction in a thread of its own, played step by step: an interleaving that is the same every time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillWaiting
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.needs import Need
from rewardkit.errors import StoreError
from rewardkit.ports import Store, Transaction

T = TypeVar("T")

PATIENCE_SECONDS = 0.2
"""How long a step may take before it counts as waiting for somebody. Only a store that waits rightly spends it."""

DEADLINE_SECONDS = 20.0
"""How long a step may wait before the test gives up."""

_Step: TypeAlias = tuple[Callable[[Transaction], Any] | None, "Future[Any]"]


class _RolledBackError(Exception):
    """Ends a transaction without keeping it."""


class Player:
    """Plays one transaction of a store."""

    def __init__(self, store: Store, tenant: str = "acme") -> None:
        self._store = store
        self._tenant = tenant
        self._steps: SimpleQueue[_Step] = SimpleQueue()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._play, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._ended.done():
            self._steps.put((_roll_back, Future()))
        self._thread.join(DEADLINE_SECONDS)

    def begin(self) -> Future[None]:
        """Only begin."""
        return self.step(lambda _transaction: None)

    def step(self, step: Callable[[Transaction], T]) -> Future[T]:
        """Do something in the transaction; its future is done when it is."""
        future: Future[T] = Future()
        self._steps.put((step, future))
        return future

    def ask(self, need: Need[T]) -> T:
        """Ask, and wait for the answer."""
        return self.step(lambda transaction: transaction.ask(need)).result(DEADLINE_SECONDS)

    def write(self, effects: Sequence[Effect]) -> None:
        """Write, and wait for it."""
        self.step(lambda transaction: transaction.write(effects)).result(DEADLINE_SECONDS)

    def commit(self) -> None:
        """End the transaction and wait for it."""
        self._steps.put((None, Future()))
        self._ended.result(DEADLINE_SECONDS)

    def roll_back(self) -> None:
        """Raise out of the transaction's block and wait for it."""
        self._steps.put((_roll_back, Future()))
        self._ended.result(DEADLINE_SECONDS)

    def _play(self) -> None:
        waiting: Future[Any] = Future()
        try:
            step, waiting = self._steps.get()
            with self._store.transaction(self._tenant) as transaction:
                while step is not None:
                    waiting.set_result(step(transaction))
                    step, waiting = self._steps.get()
            self._ended.set_result(None)
        except _RolledBackError:
            self._ended.set_result(None)
        except BaseException as error:  # noqa: BLE001, the test sees it, in its own thread
            waiting.set_exception(error)
            self._ended.set_exception(error)


def waits_or_is_refused(future: Future[Any]) -> bool:
    """Whether a step has to wait for another transaction, or has been refused for now because of it."""
    try:
        future.result(PATIENCE_SECONDS)
    except StillWaiting:
        return True
    except StoreError as error:
        return error.transient and error.outcome == "not_applied"
    return False


def _roll_back(_transaction: Transaction) -> None:
    raise _RolledBackError
