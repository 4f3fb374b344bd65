"""What this version evaluates; the rest of the language parses, and is refused before it is judged."""

from __future__ import annotations

from collections.abc import Iterator

from rewardkit.language.descent import descend
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.format import format_condition
from rewardkit.language.tree import (
    Between,
    Comparison,
    Named,
    Node,
    Satisfied,
)

NOT_FOLDED = "RK9"
"""How the codes begin of what the specification evaluates, and no program yet."""

NOT_EVALUATED: dict[type, tuple[str, str]] = {
    Between: ("RK901", "`*n..m`"),
    Comparison: ("RK902", "a comparison of aggregates"),
}
"""Nodes that parse and are not evaluated yet: the code, and how people call them."""


def check_reach(node: Node) -> Iterator[Diagnostic]:
    """An error for every part of a tree that this version cannot judge."""
    for part in descend(node):
        if isinstance(part, Named) or (isinstance(part, Satisfied) and part.body is None):
            yield Diagnostic(
                "RK140",
                f"the condition `{format_condition(part)}` is not known here",
                part.place,
                help="define it, or pass it in `definitions`",
            )
        code, name = NOT_EVALUATED.get(type(part), ("", ""))
        if code:
            yield _unevaluated(code, name, part.place)


def _unevaluated(code: str, name: str, place: tuple[int, int]) -> Diagnostic:
    return Diagnostic(
        code,
        f"{name} is not evaluated by this version",
        place,
        help="it parses and formats already; judge a condition without it, or use a later version",
        note="not evaluated yet",
    )
