"""How two conditions stand to each other: whether one is satisfied wherever the other is."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import attrs

from rewardkit.errors import ValidationError
from rewardkit.language import tree
from rewardkit.language.analysing.moments import Setting
from rewardkit.language.analysing.search import Search, States, Work
from rewardkit.language.analysing.witness import History, readable
from rewardkit.language.running.state import SATISFIED
from rewardkit.language.syntax.canonical import structure

Answer: TypeAlias = Literal["yes", "no", "unknown"]
"""Never wrong; `unknown` where the search was given up, or does not see everything."""


@attrs.frozen
class Relation:
    """One condition against another, in one scope, at every instant and for every history."""

    implies: Answer
    """Whether the other one is satisfied wherever this one is."""
    implied_by: Answer
    """Whether this one is satisfied wherever the other one is."""
    only_this: History | None = None
    """A history at whose instant this one is satisfied and the other one is not."""
    only_other: History | None = None
    """A history at whose instant the other one is satisfied and this one is not."""

    @property
    def equivalent(self) -> Answer:
        """Whether each is satisfied where the other one is, and at the same instant."""
        if "no" in (self.implies, self.implied_by):
            return "no"
        return "yes" if self.implies == self.implied_by == "yes" else "unknown"

    def to_json(self) -> dict[str, Any]:
        """Plain data, for the command line and vectors."""
        return {
            "equivalent": self.equivalent,
            "implies": self.implies,
            "implied_by": self.implied_by,
            "only_this": None if self.only_this is None else self.only_this.to_json(),
            "only_other": None if self.only_other is None else self.only_other.to_json(),
        }


def relate(this: tree.Node, other: tree.Node, setting: Setting, work: Work) -> Relation:
    """Follows both conditions side by side, through every state that they can be in together."""
    if structure(this) == structure(other):
        return Relation("yes", "yes")
    try:
        search = Search([this, other], setting)
    except ValidationError:
        return Relation("unknown", "unknown")
    implies, only_this = _compare(search, 0, Work(work.steps // 2))
    implied_by, only_other = _compare(search, 1, Work(work.steps // 2))
    return Relation(implies, implied_by, only_this, only_other)


def same(this: tree.Node, other: tree.Node, setting: Setting, work: Work) -> bool:
    """Whether two conditions are known to be equivalent; spends of the work what it takes."""
    try:
        search = Search([this, other], setting)
    except ValidationError:
        # A part that is left out may leave a window behind that has nothing to count from.
        return False
    if search.phases is None or not search.alphabet.complete:
        return False
    found = search.find(lambda states: (states[0].status == SATISFIED) != (states[1].status == SATISFIED), work)
    return found.course is None and found.complete


def _compare(search: Search, which: int, work: Work) -> tuple[Answer, History | None]:
    """Whether the other one is satisfied wherever this one is, or where it is not."""

    def alone(states: States) -> bool:
        return states[which].status == SATISFIED != states[1 - which].status

    found = search.find(alone, work)
    if found.course is not None:
        return "no", readable(search, found.course, alone)
    return ("yes" if found.complete else "unknown"), None
