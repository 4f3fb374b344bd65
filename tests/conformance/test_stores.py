"""The three stores keep the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = SqliteStore(tmp_path / "rewards.db")
        yield store
        store.close()


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def store(self, postgres_dsn: str) -> Iterator[Store]:
        store = PostgresStore(postgres_dsn)
        store.migrate()
        yield store
        store.close()
