"""What no condition can mean, whatever it is judged on."""

from __future__ import annotations

from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.tree import Node


def check_structure(node: Node, text: str) -> tuple[Diagnostic, ...]:
    """Errors of a tree."""
    return ()
