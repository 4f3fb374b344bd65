"""Numbers for what a decision has not written yet."""

from __future__ import annotations

from typing import Any, TypeVar

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.pools.needs import Draw, Drawn

R = TypeVar("R")


def numbered_apart(deciding: Deciding[R]) -> Deciding[R]:
    """The same decision, with no number drawn twice.

    A store that numbers by what it has answers the same again until what was numbered is written.
    """
    last: dict[Drawn, int] = {}
    answer: Any = None
    while True:
        try:
            need = deciding.send(answer)
        except StopIteration as stop:
            result: R = stop.value
            return result
        answer = yield need
        if isinstance(need, Draw):
            answer = last[need.table] = max(answer, last.get(need.table, -1) + 1)
