"""What several integration tests take: a kit on every store in turn, and the statements that a call sends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock


@pytest.fixture
def count(caplog: pytest.LogCaptureFixture) -> Callable[[Callable[[], object]], list[str]]:
    """The statements that a call sends, savepoints and the transaction's own left out."""

    def counted(call: Callable[[], object]) -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="rewardkit.sql"):
            call()
        sent = [record.getMessage() for record in caplog.records if record.name == "rewardkit.sql"]
        return [text for text in sent if text.split()[0] not in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")]

    return counted


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[rk.Store]:
    """Every store in turn, empty; nothing that a test leaves in it may break a promise."""
    texts = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    store = open_store(texts.get(request.param) or request.getfixturevalue("postgres_dsn"))
    store.migrate()
    yield store
    assert violations(snapshot_of(store, "default")) == ()
    store.close()


@pytest.fixture
def clock() -> FakeClock:
    """Stands still at noon of the first of April."""
    return FakeClock("2026-04-01T12:00:00Z")


@pytest.fixture
def kit(store: rk.Store, clock: FakeClock) -> rk.RewardKit:
    """On every store in turn."""
    return rk.RewardKit(store, clock=clock)
