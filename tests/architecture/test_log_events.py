"""The page about events of the log lists every event with its level, and no other."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from rewardkit.observe.watch import LEVELS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"


def test_every_event_of_the_log_is_documented_with_its_level() -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| ([A-Z]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {event: logging.getLevelName(level) for event, level in LEVELS.items()} == dict(rows)
    assert len(rows) == len(LEVELS)
