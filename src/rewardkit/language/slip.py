"""What went wrong where the parser stopped."""

from __future__ import annotations

from typing import Any

from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.scan import Lexeme


def explain_failure(text: str, lexemes: list[Lexeme], failure: Any) -> Diagnostic:
    """The finding for a parser's failure."""
    return Diagnostic("RK100", "this cannot stand here", (failure.pos_in_stream, failure.pos_in_stream + 1))
