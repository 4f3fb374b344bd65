"""One connection for each thread, never used in another process, closed when its thread ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from weakref import WeakSet

from rewardkit.errors import ForkError, StoreError


class Connection(Protocol):
    """What a driver's connection must be able to do here."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Connection)


class Held(Generic[C]):
    """A thread's connection. Dropping it closes it: that is what happens when the thread ends."""

    def __init__(self, connection: C) -> None:
        self.connection = connection
        self.busy = False
        self._process = os.getpid()

    def close(self) -> None:
        """Close, but only in the process that opened it: in a forked one it still belongs to the parent."""
        if self._process == os.getpid():
            self.connection.close()

    def __del__(self) -> None:
        self.close()


class _Local(threading.local, Generic[C]):
    held: Held[C] | None = None


class Connections(Generic[C]):
    """Opens a connection where a thread has none.

    Nothing is opened before the first use, so that a store can be made before a fork and used after it.
    """

    def __init__(self, connect: Callable[[], C]) -> None:
        self._connect = connect
        self._local = _Local[C]()
        self._all: WeakSet[Held[C]] = WeakSet()
        self._opening = threading.Lock()
        self._listing = threading.Lock()
        self._process: int | None = None

    def take(self) -> Held[C]:
        """This thread's connection, marked busy; the caller marks it free, or discards it.

        Raises:
            ForkError: connections were opened in another process.
            StoreError: a transaction is open in this thread, or no connection can be made.
        """
        held = self._local.held
        if self._process not in (None, os.getpid()):
            raise ForkError("the store was used before this process was forked; make another store after the fork")
        if held is None:
            # One at a time, so that the threads of a process do not create and migrate the same file together.
            with self._opening:
                held = Held(self._connect())
                self._process = os.getpid()
            with self._listing:
                self._all.add(held)
            self._local.held = held
        if held.busy:
            raise StoreError("a transaction of this store is open in this thread already; end it first")
        held.busy = True
        return held

    def discard(self, held: Held[C]) -> None:
        """Close a connection that can no longer be trusted; the next use opens another."""
        self._local.held = None
        with self._listing:
            self._all.discard(held)
        held.close()

    def close(self) -> None:
        """Close all; a thread that comes back opens another."""
        with self._listing:
            everything = list(self._all)
            self._all.clear()
        # Other threads still hold theirs: a fresh local lets go of all of them.
        self._local = _Local[C]()
        for held in everything:
            held.close()
