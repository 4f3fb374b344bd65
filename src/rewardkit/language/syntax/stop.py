"""Where the parser stopped, and what it would have taken."""

from __future__ import annotations

from typing import Any

import attrs

from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.syntax.scan import Lexeme


@attrs.frozen
class Stop:
    """Where the parser stopped, and what it would have taken."""

    text: str
    lexemes: list[Lexeme]
    index: int
    """Of the lexeme that it did not take; past the last one at the text's end."""
    expected: frozenset[str]
    """Names of the grammar's terminals."""
    stack: list[Any]
    """Tokens and trees of Lark's that were not joined yet."""

    @property
    def at(self) -> Lexeme | None:
        """The lexeme that was not taken; None at the text's end."""
        return self.lexemes[self.index] if self.index < len(self.lexemes) else None

    @property
    def before(self) -> Lexeme | None:
        """The lexeme before it."""
        return self.lexemes[self.index - 1] if self.index > 0 else None

    @property
    def span(self) -> tuple[int, int]:
        """The place of the lexeme that was not taken."""
        at = self.at
        return (len(self.text), len(self.text)) if at is None else (at.start, at.end)

    @property
    def in_filter(self) -> bool:
        """Whether the place is between the brackets of a filter."""
        signs = [lexeme.text for lexeme in self.lexemes[: self.index] if lexeme.text in ("[", "]")]
        return bool(signs) and signs[-1] == "["

    @property
    def opening(self) -> int | None:
        """The index of the innermost parenthesis that is open at the place."""
        depth = 0
        for index in range(self.index - 1, -1, -1):
            depth += {"(": 1, ")": -1}.get(self.lexemes[index].text, 0)
            if depth > 0:
                return index
        return None

    @property
    def called(self) -> Lexeme | None:
        """The word before that parenthesis."""
        opening = self.opening
        word = self.lexemes[opening - 1] if opening else None
        return word if word is not None and word.kind == "word" else None

    def after(self, text: str) -> bool:
        """Whether the lexeme before reads so."""
        return self.before is not None and self.before.text == text

    def replaced(self, span: tuple[int, int], written: str) -> str:
        """The text with something else in one place."""
        return self.text[: span[0]] + written + self.text[span[1] :]


def extent(part: Any) -> tuple[int, int]:
    """The place of a token or a tree of Lark's."""
    positions = getattr(part, "meta", part)
    return positions.start_pos, positions.end_pos


def general(stop: Stop) -> Diagnostic:
    """The finding for a stop that no common slip explains."""
    words = wanted(stop.expected)
    if stop.at is None:
        after = "" if stop.before is None else f" after {quoted(stop.before.text)}"
        help_text = "add what is missing, or take the last word out"
        return Diagnostic("RK101", f"the condition ends{after}, where {words} is expected", stop.span, help=help_text)
    message = f"{quoted(stop.at.text)} cannot stand here"
    return Diagnostic("RK100", message, stop.span, help=f"{words} is expected here")


def wanted(expected: frozenset[str]) -> str:
    """What may stand at a place, in words."""
    named = (
        ("LIKE", "a comparison, such as `== 5`"),
        ("TRUE", "a value"),
        ("HAS", "a comparison of a property"),
        ("EVER", "a condition"),
        ("SATISFIED", "an event"),
        ("AGGREGATE", "an aggregate, such as `sum(A:amount)`"),
        ("NAME", "a name"),
        ("AMPERSAND", "an operator, such as `&`, `|` or `then`"),
        ("COMPARE", "a comparison, such as `>= 3`"),
        ("ANY", "`any`, `last` or `one`"),
        ("SKIP", "`skip`"),
        ("INT", "a whole number"),
        ("STRING", "a text in double quotes"),
        ("LPAR", "`(`"),
        ("COMMA", "`,`"),
        ("RPAR", "`)`"),
    )
    return next((words for terminal, words in named if terminal in expected), "something else")
