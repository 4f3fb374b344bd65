"""Notices as lines of a log."""

from __future__ import annotations

import logging

from rewardkit.core.requests.records import Notice


class LoggingNotifier:
    """Writes each notice to a logger: its kind, user, id and attempt, and its body as it stands.

    Python's logging keeps quiet about handlers that fail, so a notice counts as told once it was logged.

    Args:
        logger: default is the one named `rewardkit.notices`.
        level: that the notices are logged at.
    """

    def __init__(self, logger: logging.Logger | None = None, *, level: int = logging.INFO) -> None:
        self._logger = logging.getLogger("rewardkit.notices") if logger is None else logger
        self._level = level

    def __call__(self, notice: Notice) -> None:
        """Log it."""
        self._logger.log(
            self._level,
            "%s for %s: notice %s, attempt %d: %s",
            notice.kind,
            notice.user,
            notice.id,
            notice.attempt,
            notice.body.decode(),
        )
