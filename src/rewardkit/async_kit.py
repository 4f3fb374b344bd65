"""The kit for asynchronous hosts: the same names, awaited."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from functools import partial
from os import PathLike
from types import TracebackType
from typing import Any, Self, TypeVar

from rewardkit.core.pools.import_report import ImportReport
from rewardkit.core.requests.answers import Progressed, Recorded
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.queries import Explained, Query
from rewardkit.core.requests.records import Grant
from rewardkit.errors import Refused, StoreError
from rewardkit.kit import RewardKit
from rewardkit.language.event import Event
from rewardkit.ports import AsyncJoined, Check, Clock, EndpointNotifier, Jitter, Notifier, Observer, Store
from rewardkit.secret import Secret
from rewardkit.shell.check import Checked
from rewardkit.shell.clock import system_clock
from rewardkit.shell.deliver import Delivery

A = TypeVar("A")

WORKERS = 4
"""Threads, and so connections, of one kit: the event loop waits for none of them."""


class AsyncRewardKit:
    """As `RewardKit`, with every call awaited; the blocking store works on threads of its own.

    Inside a host's transaction, by `on`, it works on the host's connection and on no thread.
    A call that is cancelled while it waits has happened or not, as with a cut connection: repeat it with its key.
    """

    def __init__(
        self,
        store: str | Store = ":memory:",
        *,
        clock: Clock = system_clock,
        tenant: str = "default",
        prefix: str = "rewardkit_",
        notifiers: Iterable[Notifier] = (),
        webhooks: EndpointNotifier | None = None,
        jitter: Jitter = random.random,
        observer: Observer | None = None,
    ) -> None:
        self._kit = RewardKit(
            store,
            clock=clock,
            tenant=tenant,
            prefix=prefix,
            notifiers=notifiers,
            webhooks=webhooks,
            jitter=jitter,
            observer=observer,
        )
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="rewardkit")
        self._joined: AsyncJoined | None = None

    def _like(self, kit: RewardKit, joined: AsyncJoined | None) -> Self:
        other = object.__new__(type(self))
        other._kit, other._threads, other._joined = kit, self._threads, joined
        return other

    def tenant(self, name: str) -> Self:
        """The same kit for another tenant."""
        return self._like(self._kit.tenant(name), self._joined)

    def on(self, host: object) -> Self:
        """The same kit inside the open transaction of the host's own connection or session.

        What it does is committed or rolled back by the host; await `deliver()` on the kit itself after the commit.
        A transaction has one call at a time, as its driver has one statement; a call that is cancelled leaves nothing
        behind, and the transaction usable.

        Args:
            host: psycopg's AsyncConnection (with the extra `async`), or SQLAlchemy's AsyncSession or AsyncConnection
                over psycopg, asyncpg or aiosqlite.

        Raises:
            ValidationError: the store cannot join it, or it is in autocommit with no transaction open; where only the
                connection can tell, the first call raises it.
            ExtraNotInstalled: psycopg's connections need the extra `async`.
        """
        return self._like(self._kit, self._kit._store.join_async(host))  # noqa: SLF001 - one kit in two forms

    async def _away(self, call: Callable[[RewardKit], A]) -> A:
        if self._joined is not None:
            return await self._joined.run(lambda store: call(self._kit._like(store, self._kit._tenant)))  # noqa: SLF001
        try:
            # In the caller's context, where an observer finds what it is part of.
            away = partial(copy_context().run, call, self._kit)
            waiting = asyncio.get_running_loop().run_in_executor(self._threads, away)
        except RuntimeError as error:  # of handing it over; what the call itself raises comes with the answer
            raise StoreError("this kit has been closed; make another") from error
        return await waiting

    async def run(self, command: Command[A], *, key: str | None = None) -> A:
        """As `RewardKit.run`."""
        return await self._away(lambda kit: kit.run(command, key=key))

    async def attempt(self, command: Command[A], *, key: str | None = None) -> A | Refused:
        """As `RewardKit.attempt`."""
        return await self._away(lambda kit: kit.attempt(command, key=key))

    async def ask(self, query: Query[A]) -> A:
        """As `RewardKit.ask`."""
        return await self._away(lambda kit: kit.ask(query))

    async def emit(
        self,
        name: str,
        *,
        user: str,
        at: datetime | str | int | None = None,
        id: str | None = None,
        order: int = 0,
        properties: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Recorded:
        """As `RewardKit.emit`."""
        return await self._away(
            lambda kit: kit.emit(name, user=user, at=at, id=id, order=order, properties=properties, key=key)
        )

    async def emit_many(self, events: Iterable[Event | Mapping[str, Any]], *, key: str | None = None) -> Recorded:
        """As `RewardKit.emit_many`."""
        return await self._away(lambda kit: kit.emit_many(events, key=key))

    async def ready(self, *, limit: int = 100) -> tuple[Grant, ...]:
        """As `RewardKit.ready`."""
        return await self._away(lambda kit: kit.ready(limit=limit))

    async def claim(self, *, limit: int = 100, lease_seconds: int = 60) -> tuple[Grant, ...]:
        """As `RewardKit.claim`."""
        return await self._away(lambda kit: kit.claim(limit=limit, lease_seconds=lease_seconds))

    async def explain(self, grant: str) -> Explained:
        """As `RewardKit.explain`."""
        return await self._away(lambda kit: kit.explain(grant))

    async def check(self, check: Check, *, limit: int = 100) -> Checked:
        """As `RewardKit.check`; `check` is called on a thread."""
        return await self._away(lambda kit: kit.check(check, limit=limit))

    async def run_due(self, now: datetime | str | int | None = None, *, limit: int = 1_000) -> Progressed:
        """As `RewardKit.run_due`."""
        return await self._away(lambda kit: kit.run_due(now, limit=limit))

    async def deliver(self, *, limit: int = 100) -> Delivery:
        """As `RewardKit.deliver`; the notifiers are called on a thread."""
        return await self._away(lambda kit: kit.deliver(limit=limit))

    async def deliver_forever(self, *, poll_seconds: float = 5.0) -> Delivery:
        """As `RewardKit.deliver_forever`, on a thread of its own, until the task that awaits it is cancelled.

        The cancelling ends when what was being told has been told and recorded.
        """
        stop = threading.Event()
        if self._joined is not None:
            return await self._away(lambda kit: kit.deliver_forever(stop, poll_seconds=poll_seconds))
        working = asyncio.ensure_future(asyncio.to_thread(self._kit.deliver_forever, stop, poll_seconds=poll_seconds))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            stop.set()
            await working
            raise

    async def endpoint_secret(self, name: str) -> Secret:
        """As `RewardKit.endpoint_secret`."""
        return await self._away(lambda kit: kit.endpoint_secret(name))

    async def load(self, path: str | PathLike[str]) -> tuple[Any, ...]:
        """As `RewardKit.load`."""
        return await self._away(lambda kit: kit.load(path))

    async def import_codes(
        self,
        pool: int | str,
        source: str | PathLike[str] | Iterable[str],
        *,
        key: str | None = None,
        progress: Callable[[int], None] = lambda _rows: None,
    ) -> ImportReport:
        """As `RewardKit.import_codes`; `progress` is called on a thread."""
        return await self._away(lambda kit: kit.import_codes(pool, source, key=key, progress=progress))

    async def generate_codes(
        self,
        pool: int | str,
        count: int,
        *,
        key: str | None = None,
        progress: Callable[[int], None] = lambda _codes: None,
        **pattern: Any,
    ) -> ImportReport:
        """As `RewardKit.generate_codes`; `progress` is called on a thread."""
        return await self._away(lambda kit: kit.generate_codes(pool, count, key=key, progress=progress, **pattern))

    async def migrate(self) -> tuple[str, ...]:
        """As `RewardKit.migrate`."""
        return await self._away(RewardKit.migrate)

    async def close(self) -> None:
        """Close the store's connections and end the threads, for the kits of other tenants too.

        Closing twice is harmless; every other call is a `StoreError` from then on.
        Inside a host's transaction there is nothing to close: the connection is the host's.
        """
        if self._joined is not None:
            return
        # Not by the kit's own threads, which may have been ended before.
        await asyncio.to_thread(self._kit.close)
        self._threads.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
