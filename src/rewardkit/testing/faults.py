"""A store that is watched, and made to fail: to test what your application does when a store does not.

    store = WatchedStore(SqliteStore("rewards.db"), Fault(3))
    kit = RewardKit(store)      # the third step of what it asks of the store fails, and none after it

Steps are counted before and after each call: `begin`, every need by its name, `write` and `commit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple, TypeVar

from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.needs import Need
from rewardkit.errors import StoreError
from rewardkit.ports import AsyncJoined, Store, Transaction
from rewardkit.testing.wrapped_store import WrappedStore

A = TypeVar("A")
T = TypeVar("T")


class Step(NamedTuple):
    """A place in a transaction at which something can happen."""

    call: str
    """`begin`, a need's name such as `Claims`, `write` or `commit`."""
    when: Literal["before", "after"]


class WatchedStore(WrappedStore):
    """Any store, with `watch` called at each step; what it raises is raised from there.

    Raised after `commit`, the transaction has been committed; raised anywhere else, it is rolled back.
    """

    def __init__(self, store: Store, watch: Callable[[Step], None]) -> None:
        super().__init__(store)
        self._watch = watch

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[WatchedTransaction]:
        """A transaction of the store, watched."""
        self._watch(Step("begin", "before"))
        with self._store.transaction(tenant, reading=reading) as transaction:
            self._watch(Step("begin", "after"))
            yield WatchedTransaction(transaction, self._watch)
            self._watch(Step("commit", "before"))
        self._watch(Step("commit", "after"))

    def join(self, host: object) -> WatchedStore:
        """The store inside the host's transaction, watched."""
        return WatchedStore(self._store.join(host), self._watch)

    def join_async(self, host: object) -> WatchedAsyncJoined:
        """The store inside the asynchronous host's transaction, watched."""
        return WatchedAsyncJoined(self._store.join_async(host), self._watch)


class WatchedAsyncJoined:
    """See `WatchedStore`."""

    def __init__(self, joined: AsyncJoined, watch: Callable[[Step], None]) -> None:
        self._joined = joined
        self._watch = watch

    async def run(self, call: Callable[[Store], A]) -> A:
        """As of the store that is watched."""
        return await self._joined.run(lambda store: call(WatchedStore(store, self._watch)))


class WatchedTransaction:
    """See `WatchedStore`."""

    def __init__(self, transaction: Transaction, watch: Callable[[Step], None]) -> None:
        self._transaction = transaction
        self._watch = watch

    def ask(self, need: Need[T]) -> T:
        """The transaction's answer, watched."""
        name = type(need).__name__
        self._watch(Step(name, "before"))
        answer = self._transaction.ask(need)
        self._watch(Step(name, "after"))
        return answer

    def write(self, effects: Sequence[Effect]) -> None:
        """The transaction's write, watched."""
        self._watch(Step("write", "before"))
        self._transaction.write(effects)
        self._watch(Step("write", "after"))


def lost(step: Step) -> StoreError:
    """What a store raises when its connection is lost there: around a commit, nobody knows what became of it."""
    outcome: Literal["unknown", "not_applied"] = "unknown" if step.call == "commit" else "not_applied"
    return StoreError(f"injected: lost {step.when} `{step.call}`", outcome)


class Fault:
    """A watch that fails once.

    Args:
        at: at which step, from 1.
        error: makes the exception that is raised there.
    """

    def __init__(self, at: int, error: Callable[[Step], BaseException] = lost) -> None:
        self._left = at
        self._error = error
        self.hit: Step | None = None
        """Where it failed, or None as long as it has not."""

    def __call__(self, step: Step) -> None:
        """Count the step; fail where it is the one."""
        self._left -= 1
        if self._left == 0:
            self.hit = step
            raise self._error(step)
