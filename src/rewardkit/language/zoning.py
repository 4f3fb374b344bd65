"""Which conditions depend on a zone: those that speak of days, weeks, months or dates."""

from __future__ import annotations

import re

from rewardkit.language.descent import descend
from rewardkit.language.tree import Before, Calendar, Comparison, InOne, Node, Since

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
UTC = "UTC"


def is_civil(node: Node) -> bool:
    """Whether a condition may come out otherwise in another zone."""
    return any(_is_civil(part) for part in descend(node))


def zone_of(node: Node, zone: str) -> str:
    """The zone that a condition is compiled in: the one that is asked for, or UTC where it does not matter."""
    return zone if zone == UTC or is_civil(node) else UTC


def _is_civil(part: Node) -> bool:
    match part:
        case InOne():
            return True
        case Before(instant=text) | Since(instant=text):
            return _DATE.fullmatch(text) is not None
        case Comparison(left=left, right=right):
            terms = left if isinstance(right, str) else left + right
            return any(term.aggregate is not None and term.aggregate.function == "days" for term in terms)
        case _:
            return isinstance(getattr(part, "span", None), Calendar)
