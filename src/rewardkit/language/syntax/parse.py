"""From a text to a tree."""

from __future__ import annotations

from functools import lru_cache

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.diagnostic import Diagnostic, Slip
from rewardkit.language.grammar import parser
from rewardkit.language.limits import LONGEST_TEXT
from rewardkit.language.syntax.automaton import Stuck, automaton
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.measure import check_size
from rewardkit.language.syntax.scan import Lexeme, scan
from rewardkit.language.syntax.slip import explain_failure
from rewardkit.language.syntax.structure import check_structure
from rewardkit.language.tree import Node

_NEVER_TOO_LONG = LONGEST_TEXT // 8
"""Writing out makes a text longer by less than this factor: `1e18` becomes nineteen digits, `A|B` gets two spaces."""


def parse(text: str) -> Node:
    """The tree of a condition's text; the same text again is answered from memory.

    Raises:
        ConditionSyntaxError: the text is not a condition, breaks a limit, or can never be meant.
    """
    if type(text) is not str:
        text = _plain(text)
    return _remembered(text)


def _plain(text: object) -> str:
    if isinstance(text, str):
        return str.__str__(text)
    kind = type(text).__name__
    raise ConditionSyntaxError("", (Diagnostic("RK001", f"a condition is a text, not `{kind}`", (0, 0)),))


def read(text: str) -> Node:
    """The tree of a text, read anew; errors as of `parse`."""
    lexemes = scan(text)
    try:
        node = automaton().read(text, lexemes)
    except Stuck:
        raise ConditionSyntaxError(text, (_failure(text, lexemes),)) from None
    except Slip as slip:
        raise ConditionSyntaxError(text, (slip.diagnostic,)) from None
    found = check_size(node, (0, len(text))) or check_structure(node, text) or _check_canonical(node, text)
    if found:
        raise ConditionSyntaxError(text, found)
    return node


_remembered = lru_cache(maxsize=1_024)(read)


def _failure(text: str, lexemes: list[Lexeme]) -> Diagnostic:
    """What is wrong with a text that the automaton does not read: Lark reads it again, and says what it expected."""
    from lark.exceptions import UnexpectedInput

    try:
        parser().parse(text)
    except UnexpectedInput as failure:
        return explain_failure(text, lexemes, failure)
    raise RuntimeError(f"read by Lark, and not by the automaton: {text!r}")


def _check_canonical(node: Node, text: str) -> tuple[Diagnostic, ...]:
    """The canonical text has to be a condition too, since it is what is stored."""
    if len(text) <= _NEVER_TOO_LONG:
        return ()
    length = len(format_condition(node))
    if length <= LONGEST_TEXT:
        return ()
    message = f"a condition has at most {LONGEST_TEXT:,} characters, and this has {length:,} when it is written out"
    return (Diagnostic("RK002", message, (0, len(text)), help="name a part of it and refer to that by `@name`"),)
