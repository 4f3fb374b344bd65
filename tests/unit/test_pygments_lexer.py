"""Conditions in colour: every lexeme has a kind, and nothing of the text is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lark import Token as Terminal
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String, Whitespace

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language import grammar
from rewardkit.language.syntax.parse import parse
from rewardkit.language.syntax.scan import RESERVED
from rewardkit.pygments_lexer import ConditionLexer

VECTORS = Path(__file__).parents[2] / "grammar" / "conformance"
EVERY_TERMINAL = (
    'A["a b" == 1 and c in (2.5, true, -1) or not has d & x like "y*" | z != false] # why\n & @b | @"c d"',
    "!(E*2 or F*2..3) within 1d12h over 7 calendar days then A and not no G within 2w",
    "sum(A | B:x) + 2 * count(C) - 1 >= 3 in any 7d in last 36h in one month by key",
    'ever 2 of (streak(A, 4 calendar weeks, skip 1), satisfied(b), C) before "2026-01-01" since "2025-01-01"',
)


def texts() -> list[str]:
    """All conditions of the vectors that parse, and those above."""
    found = list(EVERY_TERMINAL)
    for file in sorted(VECTORS.glob("*.json")):
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
            try:
                parse(case["condition"])
            except (ConditionSyntaxError, KeyError):
                continue
            found.append(case["condition"])
    return found


def coloured(text: str) -> list[tuple[Any, str]]:
    return [(kind, written) for kind, written in ConditionLexer(stripnl=False, ensurenl=False).get_tokens(text)]


@pytest.mark.parametrize("text", texts())
def test_a_condition_is_coloured_whole_and_without_errors(text: str) -> None:
    tokens = coloured(text)
    assert text == "".join(written for _, written in tokens)
    assert [] == [written for kind, written in tokens if kind is Error]


def test_every_terminal_of_the_grammar_has_a_colour() -> None:
    met = set()
    for text in texts():
        starts: dict[int | None, Any] = {}
        place = 0
        for kind, written in coloured(text):
            starts[place] = kind
            place += len(written)
        for terminal in grammar.parser().parse(text).scan_values(lambda value: isinstance(value, Terminal)):
            assert starts[terminal.start_pos] not in (Error, Whitespace, Comment.Single), (text, terminal)
            met.add(terminal.type)
    assert {terminal.name for terminal in grammar.parser().terminals} - {"WHITESPACE", "COMMENT"} == met


def test_words_are_told_from_names_by_their_place() -> None:
    kinds = {written: kind for kind, written in coloured("A[has like] & any & skip in any 7d & count(last:day) >= 2")}
    assert (Keyword, Keyword) == (kinds["has"], kinds["like"])
    assert (Name, Keyword, Name.Builtin, Name) == (kinds["skip"], kinds["any"], kinds["count"], kinds["last"])
    assert (Name.Attribute, Number.Integer.Long, Operator) == (kinds["day"], kinds["7d"], kinds["&"])


def test_what_is_no_lexeme_is_an_error_and_the_rest_is_coloured_on() -> None:
    assert [(Name, "A"), (Whitespace, " "), (Error, "$"), (Whitespace, " "), (Name, "B")] == coloured("A $ B")


def test_all_reserved_words_are_words() -> None:
    for word in RESERVED:
        assert coloured(word)[0][0] in (Keyword, Operator.Word)
        assert coloured(f"{word}s")[0] == (Name, f"{word}s")
    assert [(String.Double, '"then"')] == coloured('"then"')
    assert (Punctuation, ")") == coloured("(A)")[-1]
