"""How much is run, and the databases that many threads contend for.

A small share is run by default, everything with `REWARDKIT_SCALE=1`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewardkit.ports import Store
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore


@pytest.fixture(scope="session")
def scale() -> float:
    """The share of the full numbers that is to be run."""
    return float(os.environ.get("REWARDKIT_SCALE", "0.05"))


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each database in turn, for as many threads as `REWARDKIT_WORKERS` says."""
    if request.param == "sqlite":
        # One writer at a time: the last of many threads waits for all the others.
        patience = int(os.environ.get("REWARDKIT_WORKERS", "8"))
        store: Store = SqliteStore(tmp_path / "rewards.db", timeout_seconds=patience)
    else:
        store = PostgresStore(request.getfixturevalue("postgres_dsn"))
    store.migrate()
    yield store
    store.close()
