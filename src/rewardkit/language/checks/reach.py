"""Named conditions that are not known here: nothing that has one can be judged."""

from __future__ import annotations

from collections.abc import Iterator

from rewardkit.language.descent import descend
from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.tree import Named, Node, Satisfied


def check_reach(node: Node) -> Iterator[Diagnostic]:
    """An error for every name whose condition was not put in."""
    for part in descend(node):
        if isinstance(part, Named) or (isinstance(part, Satisfied) and part.body is None):
            yield Diagnostic(
                "RK140",
                f"the condition {quoted(part.name)} is not known here",
                part.place,
                help="define it, or pass it in `definitions`",
            )
