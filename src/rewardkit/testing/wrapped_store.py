"""A store around another one, for those that change what happens in its transactions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from rewardkit.ports import AsyncJoined, Hear, Store, Transaction


class WrappedStore(ABC):
    """All but the transactions are the store's own.

    Args:
        store: the store that keeps everything.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def joined(self) -> bool:
        """As of the store."""
        return self._store.joined

    @abstractmethod
    def transaction(self, tenant: str, *, reading: bool = False) -> AbstractContextManager[Transaction]:
        """See `rewardkit.ports.Store.transaction`."""

    def join(self, host: object) -> Store:
        """As the store, and no longer wrapped."""
        return self._store.join(host)

    def join_async(self, host: object) -> AsyncJoined:
        """As the store, and no longer wrapped."""
        return self._store.join_async(host)

    def listening(self, tenant: str) -> AbstractContextManager[Hear]:
        """As the store."""
        return self._store.listening(tenant)

    def migrate(self) -> tuple[str, ...]:
        """As the store."""
        return self._store.migrate()

    def close(self) -> None:
        """As the store."""
        self._store.close()
