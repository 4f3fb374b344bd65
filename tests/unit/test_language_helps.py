"""What a finding offers in its help is a way out: it parses, and is clean of that finding."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.checks.check import Scope, check
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.syntax.parse import parse

SHOWN = Path(__file__).with_name("language_syntax_diagnostics.txt").read_text(encoding="utf-8")
WRONG = [eval(block.partition("\n")[0]) for block in SHOWN.split(">>> ")[1:]]
CHECKED = [
    "!A",
    "A | !B",
    "A then !B",
    "A then !B*2",
    "A then !(B & C)",
    "A then not (B then C)",
    "A then (B | !C)",
    "A & B within 7d",
    "A & B # why\n within 7d",
    "A | B & C*2 over 7d",
    "!A over 7d",
    "B then not A over 7d",
    "A then ever B within 7d",
    "(ever A) within 7d",
    "(ever A) over 7d",
    "A within 7d",
    "no A within 7d",
    "(A then B) within 7d & ever (C over 3d)",
    "A then ever B then C",
    "A then (ever (B | F) & C) then E",
]
SIGNS = frozenset('( [ ) ] , & | ! == != <= >= then and or not ever " \\\\ \\"'.split()) | {"*n"}
FRAMES = ("{}", "A within {}", "A*{}", "A[{}]", "{} >= 3", '{} == "gold"')
"""What a piece of a condition may be missing to be a whole one."""


def codes(text: str, scope: Scope) -> list[str]:
    try:
        return [found.code for found in check(parse(text), text, scope=scope)]
    except ConditionSyntaxError as error:
        return [found.code for found in error.diagnostics]


def findings(text: str, scope: Scope) -> tuple[Diagnostic, ...]:
    try:
        return check(parse(text), text, scope=scope)
    except ConditionSyntaxError as error:
        return error.diagnostics


def filled(piece: str) -> str:
    """A template with something in its gaps."""
    return re.sub(
        r"\bn\b", "2", re.sub(r"\bD\b", "14d", piece.replace("(…)", '("x")').replace("…", "5" if "[" in piece else "X"))
    )


def offers(text: str, scope: Scope) -> list[tuple[str, str]]:
    found = findings(text, scope)
    return [(one.code, filled(piece)) for one in found for piece in re.findall("`([^`]+)`", one.help or "")]


def works(code: str, piece: str, scope: Scope, before: int) -> bool:
    for frame in FRAMES:
        text = frame.format(piece)
        try:
            parse(text)
        except ConditionSyntaxError:
            continue
        if codes(text, scope).count(code) < before:
            return True
    return False


@pytest.mark.parametrize("text", [*WRONG, *CHECKED])
@pytest.mark.parametrize("scope", ["start", "open"])
def test_what_a_help_offers_can_be_written(text: str, scope: Scope) -> None:
    found = codes(text, scope)
    pieces = [(code, piece) for code, piece in offers(text, scope) if piece not in SIGNS]
    assert [] == [(code, piece) for code, piece in pieces if not works(code, piece, scope, found.count(code))]


@pytest.mark.parametrize("text", CHECKED)
@pytest.mark.parametrize("scope", ["start", "open"])
def test_a_fix_is_rid_of_its_finding(text: str, scope: Scope) -> None:
    for found in findings(text, scope):
        if found.fix is not None:
            assert codes(found.fix, scope).count(found.code) < codes(text, scope).count(found.code)


def test_offers_are_common() -> None:
    assert len([text for text in [*WRONG, *CHECKED] if offers(text, "start")]) >= 80
