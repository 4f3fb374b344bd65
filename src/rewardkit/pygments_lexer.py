"""Conditions in colour, wherever Pygments is used: `get_lexer_by_name("rewardkit")`, and blocks marked `rewardkit`.

The extra `highlight` installs Pygments; nothing else imports this module.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, include, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Whitespace

from rewardkit.language.syntax.scan import RESERVED

_UNITS = r"(?:day|week|month|quarter|year)s?\b"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
_each: Any = bygroups  # has no types
_BEFORE_PARENTHESIS = r"(?=[ \t\r\n]*\()"


class ConditionLexer(RegexLexer):
    """The conditions of rewardkit, such as `signup then purchase[amount > 50]*2 within 7d`."""

    name = "rewardkit"
    aliases: ClassVar[list[str]] = ["rewardkit"]

    tokens: ClassVar[dict[str, list[object]]] = {
        "gaps": [
            (r"[ \t\r\n]+", Whitespace),
            (r"#[^\n]*", Comment.Single),
        ],
        "values": [
            (r'"(?:[^"\\\n]|\\.)*"', String.Double),
            (r"(?:[0-9]+(?:ms|[smhdw]))+(?![A-Za-z0-9_])", Number.Integer.Long),
            (r"[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+|[0-9]+\.[0-9]+", Number.Float),
            (r"[0-9]+", Number.Integer),
        ],
        "root": [
            include("gaps"),
            (r"(in)([ \t\r\n]+)(any|last|one)\b", _each(Keyword, Whitespace, Keyword)),
            (rf"(calendar)([ \t\r\n]+)({_UNITS})", _each(Keyword, Whitespace, Keyword.Type)),
            (rf"(?<=one)([ \t\r\n]+)({_UNITS})", _each(Whitespace, Keyword.Type)),
            (r"(,)([ \t\r\n]*)(skip)(?=[ \t\r\n]+[0-9])", _each(Punctuation, Whitespace, Keyword)),
            (words(("and", "or", "not"), suffix=r"\b"), Operator.Word),
            (words(sorted(RESERVED), suffix=r"\b"), Keyword),
            (rf"(?:count|sum|avg|min|max|distinct|days|latest|first){_BEFORE_PARENTHESIS}", Name.Builtin),
            (rf"(?:streak|satisfied){_BEFORE_PARENTHESIS}", Name.Builtin),
            (r"@[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*", Name.Variable),
            (rf"(:)([ \t\r\n]*)({_NAME})", _each(Punctuation, Whitespace, Name.Attribute)),
            (_NAME, Name),
            include("values"),
            (r"\[", Punctuation, "filter"),
            (r"==|!=|<=|>=|\.\.|[<>|&!*+-]", Operator),
            (r"[()\],:@]", Punctuation),
        ],
        "filter": [
            include("gaps"),
            (words(("and", "or", "not"), suffix=r"\b"), Operator.Word),
            (words(("in", "has", "like"), suffix=r"\b"), Keyword),
            (words(("true", "false"), suffix=r"\b"), Keyword.Constant),
            (_NAME, Name.Attribute),
            include("values"),
            (r"\]", Punctuation, "#pop"),
            (r"==|!=|<=|>=|[<>|&!-]", Operator),
            (r"[(),]", Punctuation),
        ],
    }
