"""Every notifier that ships, and any callable, keeps the contract."""

from __future__ import annotations

import logging
import re

import rewardkit as rk
from rewardkit.testing.notifier_contract import NotifierContract


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class TestLogging(NotifierContract):
    def setup_method(self) -> None:
        self.kept = _Kept()

    def make_notifier(self) -> rk.Notifier:
        logger = logging.Logger("notices")  # noqa: LOG001 - nobody else is to hear it
        logger.addHandler(self.kept)
        return rk.LoggingNotifier(logger)

    def told(self) -> list[tuple[str, bytes]]:
        found = [re.search(r": notice (\w+), attempt \d+: (.*)$", line) for line in self.kept.lines]
        return [(one[1], one[2].encode()) for one in found if one is not None]


class TestCallable(NotifierContract):
    def setup_method(self) -> None:
        self.notices: list[rk.Notice] = []

    def make_notifier(self) -> rk.Notifier:
        return self.notices.append

    def told(self) -> list[tuple[str, bytes]]:
        return [(notice.id, notice.body) for notice in self.notices]
