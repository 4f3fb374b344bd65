"""What several integration tests take: the statements that a call sends."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest


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
