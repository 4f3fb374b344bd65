"""The grammar file and the parser that is built from it."""

from __future__ import annotations

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


def build(transformer: Any = None, *, strict: bool = False) -> Lark:
    """A parser for conditions.

    The transformer's methods are called while parsing, one for each finished rule, so that neither the text nor
    the tree makes anything recurse.

    Args:
        transformer: has one method for each rule; without it, the parser makes plain trees.
        strict: refuse a grammar with conflicts or colliding terminals; needs the package `interegular`.
    """
    from lark import Lark

    return Lark(
        source(),
        parser="lalr",
        lexer="contextual",
        transformer=transformer,
        keep_all_tokens=True,
        maybe_placeholders=False,
        strict=strict,
    )


@cache
def parser() -> Lark:
    """The parser that builds pieces of trees; made on first use, since that takes tens of milliseconds."""
    from rewardkit.language.build import Builder

    return build(Builder())
