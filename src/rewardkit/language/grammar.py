"""The grammar file and the parser that is built from it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rewardkit.errors import RewardKitError

if TYPE_CHECKING:
    from lark import Lark

_CHECKOUT = Path(__file__).resolve().parents[3] / "grammar" / "condition.lark"


def source() -> str:
    """The text of the grammar: the wheel's copy, or the checkout's where the package stands in one.

    Raises:
        RewardKitError: neither is there, so that the installation is broken.
    """
    installed = resources.files("rewardkit") / "grammar" / "condition.lark"
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    if _CHECKOUT.is_file():
        return _CHECKOUT.read_text(encoding="utf-8")
    raise RewardKitError("the grammar file `condition.lark` is missing: install rewardkit again")


def build(lexer: Any = "contextual", *, strict: bool = False) -> Lark:
    """A parser for conditions.

    Args:
        lexer: of Lark's.
        strict: refuse a grammar with conflicts or colliding terminals; needs the package `interegular`.
    """
    from lark import Lark

    return Lark(
        source(),
        parser="lalr",
        lexer=lexer,
        keep_all_tokens=True,
        maybe_placeholders=False,
        propagate_positions=True,
        strict=strict,
    )


@cache
def parser() -> Lark:
    """The parser that says what a wrong text lacks; made for the first of them, since that takes tens of milliseconds.

    Where `interegular` is installed, Lark compares all terminals with it while it makes a lexer, and takes ten times
    as long.
    """
    return build()


def table() -> Lark:
    """A parser of which only the table is used: it has no lexer, whose making takes longer than the table's."""
    from lark.lexer import Lexer

    class Unused(Lexer):
        def __init__(self, configuration: object) -> None:
            pass

        def lex(self, lexer_state: object, parser_state: object) -> Iterator[Any]:
            raise NotImplementedError("the automaton takes lexemes from the scan")

    return build(Unused)
