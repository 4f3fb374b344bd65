"""Random texts are conditions or syntax errors, and nothing else comes of them.

`REWARDKIT_SCALE=250 python -m pytest tests/property/test_language_random_texts.py` reads a million; with
`REWARDKIT_SEED`, other ones.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.checks.check import check
from rewardkit.language.descent import descend
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.limits import LONGEST_TEXT
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.parse import parse, read
from rewardkit.language.tree import Node

SCALE = float(os.environ.get("REWARDKIT_SCALE", "1"))
FIRST = int(os.environ.get("REWARDKIT_SEED", "0"))
PARTS = 8
"""Parts of the run, each with a seed of its own."""
TEXTS = int(4_000 * SCALE) // PARTS
VECTORS = Path(__file__).parents[2] / "grammar" / "conformance"

WORDS = (
    'A B "User Signed Up" order.completed & | ! * ( ) [ ] , : @ @name + - .. == != < <= >= > = && || -> 2 3 0 2.5 1e5 '
    "7d 1d12h 0d 40000d 1month 1e1000000 and or not no then within over in ever before since by of any last one day "
    "month calendar days skip has like true false count( sum( avg( min( max( distinct( days( latest( first( streak( "
    'satisfied( A:x "2026-01-01" "2026-01-01T12:00:00Z" [x==1] *2 *2..3 then within over 7d 14d ( ) & | A B C # \n " '
    "' “ é \x00 AND Then \u202e \U0001f600 ,2 in(1,2)"
).split(" ")

OPERATORS = (
    "(A*2 | B) & !C",
    '"User Signed Up" then "User Activated" within 7d',
    'signup then purchase[amount > 50 and country in ("FR", "DE")]*2 within 7d then no refund within 14d',
    "sum(purchase:amount) - 2 * sum(refund:amount) >= 100 in any 30d",
    "count(login) == 2 over 30d",
    "2 of (A, B, C*3)",
    "streak(login*2, 4 calendar weeks, skip 1)",
    "(purchase then no refund within 14d) by order_id",
    "satisfied(onboarding) then purchase within 7d",
    "satisfied((A then B)) & @big",
    "(A | B)*2..5 over 7 calendar days",
    'latest(plan:name) == "pro" in last 30d',
    "avg(A:x) + min(B:x) - max(C:x) < distinct(A | B:y)",
    "days(login) >= 5 in one month",
    'ever A & first(A:x) != 2.5 before "2026-01-01" since "2025-01-01T00:00:00Z"',
    'A[not has x or y like "a*" & z != -1 | b == true] # why',
)

PREFIXES = ("", "", "!", "ever ", "no ", "2 of (A, ", "satisfied(", "not ")
SCOPES = ("", " within 7d", " over 1 calendar month", " in any 2w", " in last 1d12h", " in one week", " by id", ")")


def corpus() -> list[str]:
    """Texts that are conditions: of every operator, and of all vectors."""
    found = list(OPERATORS) * 25
    for file in sorted(VECTORS.glob("*.json")):
        cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
        found += [case["condition"] for case in cases if "condition" in case]
    return found


def soup(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(1, 12)))


def mutated(chance: random.Random, texts: list[str]) -> str:
    """A condition that is joined to another one, or of which a few characters or words are changed."""
    text = chance.choice(texts)
    for _ in range(chance.randint(1, 2)):
        start, end = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        end = min(end, start + 8)
        match min(9, chance.randint(0, 12)):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + chance.choice(WORDS) + text[start:]
            case 2:
                text = f"{text[:start]} {chance.choice(WORDS)} {text[end:]}"
            case 3:
                text = text[:end] + text[start:end] * chance.choice((1, 2, 40)) + text[end:]
            case 4:
                code = chance.choice((chance.randint(1, 127), chance.randint(1, 0x10FFFF)))
                text = text[:start] + chr(code) + text[end:]
            case 5:
                other = chance.choice(texts)
                text = text[:start] + other[chance.randint(0, len(other)) :]
            case 6:
                words = text.split(" ")
                one, two = chance.randrange(len(words)), chance.randrange(len(words))
                words[one], words[two] = words[two], words[one]
                text = " ".join(words)
            case 7:
                text = re.sub(r"\d+", lambda _: chance.choice(("0", "1", "2", "3", "7", "31", "400", "9" * 20)), text)
            case 8:
                text = f"{chance.choice(PREFIXES)}({text}){chance.choice(SCOPES)}"
            case _:
                text = f"({text}) {chance.choice(('&', 'or', 'then'))} ({chance.choice(texts)})"
    return text[: LONGEST_TEXT + 1]


def outcome(text: str) -> Node | ConditionSyntaxError:
    """The tree or the syntax error; any other exception fails the test."""
    try:
        return read(text)
    except ConditionSyntaxError as error:
        return error


def check_shown(text: str, findings: tuple[Diagnostic, ...]) -> None:
    for found in findings:
        start, end = found.span
        assert 0 <= start <= end <= len(text)
        assert found.show(text)


@pytest.mark.parametrize("part", range(PARTS))
def test_random_texts_are_conditions_or_syntax_errors(part: int) -> None:
    chance = random.Random(FIRST + part)
    texts = corpus()
    kinds: Counter[str] = Counter()
    for number in range(TEXTS):
        text = soup(chance) if number % 2 else mutated(chance, texts)
        tree = outcome(text)
        if isinstance(tree, ConditionSyntaxError):
            assert tree.diagnostics
            check_shown(text, tree.diagnostics)
            kinds["refused"] += 1
            continue
        kinds.update({type(node).__name__ for node in descend(tree)})
        kinds["read"] += 1
        written = format_condition(tree)
        assert tree == parse(written)
        assert written == format_condition(parse(written))
        check_shown(text, check(tree, text, scope="start"))
        check_shown(text, check(tree, text, scope="open"))
    print(f"\npart {part}: {TEXTS} texts, {dict(kinds.most_common())}")
    assert kinds["refused"] > TEXTS // 4
    assert kinds["read"] > TEXTS // 20
    assert len(kinds) >= (23 if TEXTS >= 5_000 else 13)
