"""Every promise of a store, kept inside the transactions of asynchronous hosts.

The contract is blocking, so each of its transactions is played on a thread with an event loop of its own: there the
host begins, we join, and the host commits or rolls back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn, TypeVar

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.needs import Need
from rewardkit.errors import StoreError
from rewardkit.ports import Store, Transaction
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.store_contract import StoreContract

T = TypeVar("T")


class HostedStore:
    """A store each of whose transactions is one of an asynchronous host."""

    joined = False

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url
        self._local = threading.local()
        self.join, self.join_async, self.migrate = store.join, store.join_async, store.migrate
        self.close, self.listening = store.close, store.listening

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[Transaction]:
        if getattr(self._local, "open", False):
            raise StoreError("a transaction of this store is open in this thread already; end it first")
        self._local.open = True
        try:
            with HostedTransaction(self._store, self._url, tenant, reading=reading) as transaction:
                yield transaction
        finally:
            self._local.open = False


class HostedTransaction:
    """What is asked goes to the host's thread, step by step."""

    def __init__(self, store: Store, url: str, tenant: str, *, reading: bool) -> None:
        self._store, self._url, self._tenant, self._reading = store, url, tenant, reading
        self._steps: SimpleQueue[Callable[[Transaction], None] | None] = SimpleQueue()
        self._begun: Future[Transaction] = Future()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._host()))

    def ask(self, need: Need[T]) -> T:
        return self._step(lambda transaction: transaction.ask(need))

    def write(self, effects: Sequence[Effect]) -> None:
        self._step(lambda transaction: transaction.write(effects))

    def __enter__(self) -> Transaction:
        self._thread.start()
        self._begun.result()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._steps.put(None if error is None else partial(_raise, error))
        self._thread.join()
        if self._ended.exception() is not error:
            self._ended.result()

    def _step(self, step: Callable[[Transaction], T]) -> T:
        if self._ended.done():
            return step(self._begun.result())
        future: Future[T] = Future()

        def play(transaction: Transaction) -> None:
            try:
                future.set_result(step(transaction))
            except BaseException as error:  # noqa: BLE001 - raised where it was asked
                future.set_exception(error)

        self._steps.put(play)
        return future.result()

    async def _host(self) -> None:
        try:
            async with opened(self._url) as host:
                await self._store.join_async(host).run(self._play)
                await host.commit()
        except BaseException as error:  # noqa: BLE001 - raised where the transaction began, or ended
            if not self._begun.done():
                self._begun.set_exception(error)
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    def _play(self, store: Store) -> None:
        with store.transaction(self._tenant, reading=self._reading) as transaction:
            self._begun.set_result(transaction)
            while (step := self._steps.get()) is not None:
                step(transaction)


def _raise(error: BaseException, _transaction: Transaction) -> NoReturn:
    raise error


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Any]:
    """A host with a transaction to join, rolled back where it is not committed."""
    if url.startswith("postgresql://"):
        connection = await psycopg.AsyncConnection.connect(url)
        try:
            await connection.execute("SET lock_timeout = '5s'")
            yield connection
        finally:
            await connection.close()
        return
    engine = create_async_engine(url, poolclass=NullPool)
    async with AsyncSession(engine) as session:
        yield session
    await engine.dispose()


@pytest.fixture
def postgres_store(postgres_dsn: str) -> Iterator[Store]:
    store = PostgresStore(postgres_dsn)
    store.migrate()
    yield store
    store.close()


class TestPsycopg(StoreContract):
    @pytest.fixture
    def store(self, postgres_store: Store, postgres_dsn: str) -> Store:
        return HostedStore(postgres_store, postgres_dsn)


class TestSqlalchemyOverAsyncpg(StoreContract):
    @pytest.fixture
    def store(self, postgres_store: Store, postgres_dsn: str) -> Store:
        return HostedStore(postgres_store, postgres_dsn.replace("postgresql", "postgresql+asyncpg", 1))


class TestSqlalchemyOverAiosqlite(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        path = tmp_path / "rewards.db"
        store = SqliteStore(path)
        store.migrate()
        yield HostedStore(store, f"sqlite+aiosqlite:///{path}")
        store.close()
