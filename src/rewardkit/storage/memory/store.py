"""The store in memory: one writer at a time, and a journal to undo what it did."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NoReturn

from rewardkit.errors import ForkError, StoreError, ValidationError
from rewardkit.ports import Hear
from rewardkit.storage.memory.rows import MemoryRows
from rewardkit.storage.memory.shelf import Shelves
from rewardkit.storage.transaction import OpenTransaction, unhearing


class MemoryStore:
    """Everything in this process's memory, gone with it.

    Args:
        timeout_seconds: how long a transaction waits for the one before it.
    """

    def __init__(self, *, timeout_seconds: float = 5.0) -> None:
        self._timeout_seconds = timeout_seconds
        self._tenants: dict[str, Shelves] = {}
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._process = os.getpid()

    @property
    def joined(self) -> Literal[False]:
        """Never: memory cannot be part of somebody's transaction."""
        return False

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[OpenTransaction]:
        """As `Store.transaction` promises; all tenants wait for each other, and readers too."""
        if self._process != os.getpid():
            raise ForkError(
                "this memory store belongs to the process that was forked; make another one in this process"
            )
        if self._owner == threading.get_ident():
            raise StoreError("a transaction of this store is open in this thread already; end it first")
        if not self._lock.acquire(timeout=self._timeout_seconds):
            raise StoreError(
                f"waited {self._timeout_seconds} seconds for another thread's transaction; try again", transient=True
            )
        self._owner = threading.get_ident()
        if tenant not in self._tenants:
            self._tenants[tenant] = Shelves()
        rows = MemoryRows(self._tenants[tenant])
        transaction = OpenTransaction(rows, reading=reading)
        try:
            yield transaction
            transaction.check()
            rows.keep()
        finally:
            transaction.end()
            rows.undo()
            self._owner = None
            self._lock.release()

    def join(self, host: object) -> NoReturn:
        """Raises `ValidationError`, always."""
        raise ValidationError(
            f"a memory store cannot be part of the transaction of a `{type(host).__qualname__}`;"
            " keep rewards in the host's database: sqlite or postgresql"
        )

    def join_async(self, host: object) -> NoReturn:
        """Raises `ValidationError`, always."""
        self.join(host)

    @contextmanager
    def listening(self, tenant: str) -> Iterator[Hear]:  # noqa: ARG002 - hears of nobody's
        """Hears of nothing: whoever waits looks again."""
        yield unhearing

    def migrate(self) -> tuple[str, ...]:
        """Nothing to do: memory has no older version."""
        return ()

    def close(self) -> None:
        """Nothing to close; what is kept stays until the store is dropped."""
