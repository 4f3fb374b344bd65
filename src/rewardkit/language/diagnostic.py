"""A finding about a condition's text: what is wrong where, and what to write instead."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

Severity: TypeAlias = Literal["error", "lint"]

WIDEST_LINE = 160
"""Characters of a source line that are shown; a longer one is cut around the place."""

CODES: dict[str, str] = {
    # the text as a whole
    "RK001": "a condition is a text",
    "RK002": "longer than 4,096 characters",
    "RK003": "nested deeper than 32",
    "RK004": "more than 200 parts",
    "RK005": "a number with too many digits, or out of range",
    "RK006": "a character that no condition may hold",
    "RK007": "a span, or all spans together, too long",
    # how it is written
    "RK100": "something that cannot stand here",
    "RK101": "the text ends too early",
    "RK102": "a missing closing bracket",
    "RK103": "a closing bracket with no opening one",
    "RK104": "an absence with no deadline",
    "RK105": "a step that never completes, with another step after it",
    "RK106": "`*` with no whole number",
    "RK107": "a count of zero",
    "RK108": "a count of something that is not an event",
    "RK109": "a length of time with no unit, or with its unit apart",
    "RK110": "a unit of time that does not exist",
    "RK111": "`=` for `==`",
    "RK112": "two conditions with no operator between them",
    "RK113": "an operator of another language",
    "RK114": "quotation marks other than the straight double ones",
    "RK115": "a text that is not closed",
    "RK116": "a reserved word where a name is expected",
    "RK117": "a number on its own",
    "RK118": "a span of no length",
    "RK119": "`no` with something that is not an event, a union or a count",
    "RK120": "`k of (…)` with a k out of range",
    "RK121": "a range that runs backwards",
    "RK122": "a streak of something that is not a count, or over elapsed time",
    "RK123": "an aggregate with a property too few or too many",
    "RK124": "a text compared with a number",
    "RK125": "an unknown character",
    "RK126": "an empty condition",
    "RK127": "a name that needs quotes",
    "RK128": "an instant that cannot be read",
    "RK129": "a text value with no quotes",
    "RK130": "an aggregate that is compared with nothing",
    "RK131": "a property with no comparison",
    "RK132": "an unknown escape in a text",
    "RK133": "a window with no length of time",
    "RK134": "an empty name",
    "RK140": "an unknown named condition",
    "RK141": "named conditions that refer to each other in a circle",
    "RK150": "a window that is anchored at a start, in a scope that has none",
    "RK151": "an `ever` to the right of `then`, with another step after it",
    "RK152": "an `ever` or a `satisfied` under `by`",
    "RK153": "a window that cannot move with the start of `in last`",
    # what is surely not meant; acknowledged by its code
    "RK201": "holds on the empty history",
    "RK202": "a guard as the last step",
    "RK203": "a window that closes beyond the end of its scope",
    "RK204": "a window that binds to the last operand alone",
    "RK205": "a window around a guard, or around `ever`",
    "RK206": "an upper bound that is judged eagerly",
    "RK207": "a balance that is judged eagerly",
    "RK208": "`in last` where a verdict is final",
    "RK209": "a body that listens to every event",
    "RK220": "can never hold",
    "RK221": "holds whatever happens",
    "RK222": "a part that changes nothing",
}
"""Every code and what it stands for; a code never changes its meaning."""


@attrs.frozen
class Diagnostic:
    """One finding.

    Args:
        code: stable, one of `CODES`.
        message: what is wrong; lower case, user input in backticks.
        span: half-open range of characters of the text; empty at the text's end where something is missing.
        help: what to write instead.
        fix: the whole text with this one finding mended, where there is one sure way.
        severity: `error`, or `lint` for what parses and is surely not meant.
        note: a few words beside the underline.
    """

    code: str
    message: str
    span: tuple[int, int]
    help: str | None = None
    fix: str | None = None
    severity: Severity = "error"
    note: str = ""

    def show(self, text: str) -> str:
        """The finding with the line of the source text that it is about, underlined."""
        heading = f"{self.severity}[{self.code}]: {self.message}"
        if not text:
            return heading if self.help is None else f"{heading}\n  help: {self.help}"
        start = max(0, min(self.span[0], len(text)))
        end = max(start, min(self.span[1], len(text)))
        line, column = _line(text, start)
        width = max(1, min(end - start, len(line) - column))
        line, column, width = _cut(line, column, width)
        underline = f"  {_blank(line[:column])}{'^' * width} {self.note}".rstrip()
        shown = [heading, f"  {printable(line)}", underline]
        if self.help is not None:
            shown.append(f"  help: {self.help}")
        return "\n".join(shown)


class Slip(Exception):
    """The first finding after which reading on makes no sense."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)


def _line(text: str, start: int) -> tuple[str, int]:
    """The line around a place, and the place's column in it."""
    begin = text.rfind("\n", 0, start) + 1
    end = text.find("\n", start)
    return text[begin:] if end < 0 else text[begin:end], start - begin


def _cut(line: str, column: int, width: int) -> tuple[str, int, int]:
    if len(line) <= WIDEST_LINE:
        return line, column, width
    begin = max(0, column - WIDEST_LINE // 2)
    kept = line[begin : begin + WIDEST_LINE]
    return kept, column - begin, max(1, min(width, len(kept) - (column - begin)))


def _blank(line: str) -> str:
    return "".join("\t" if character == "\t" else " " for character in line)


def printable(text: str) -> str:
    """The text with every character that could disturb a terminal or a log replaced by a question mark."""
    return "".join(character if character == "\t" or character.isprintable() else "\ufffd" for character in text)


def quoted(text: str, longest: int = 48) -> str:
    """A piece of the user's text in backticks, cut where it is long."""
    shown = printable(text.replace("\n", " "))
    return f"`{shown}`" if len(shown) <= longest else f"`{shown[: longest - 1]}…`"
