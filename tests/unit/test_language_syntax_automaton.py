"""The automaton reads what Lark reads, and in steps that grow with the text alone."""

from __future__ import annotations

import contextlib
import random
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language import grammar
from rewardkit.language.diagnostic import Slip
from rewardkit.language.syntax import build
from rewardkit.language.syntax.automaton import Stuck, automaton
from rewardkit.language.syntax.build import Builder, Piece
from rewardkit.language.syntax.scan import Lexeme, scan

KINDS = {"STRING": "string", "INT": "number", "DECIMAL": "number", "DURATION": "duration", "REFERENCE": "reference"}
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

WORDS = (
    'A B then.x any.x count sum "a b" order.completed & | ! * ( ) [ ] , : @ @name + - .. == != < >= 2 3 2.5 7d 1d12h '
    "and or not no then within over in ever before since by of any last one day month calendar days weeks skip has "
    'like true false count( sum(A:x) days(A) latest(A:x) streak( satisfied(x) satisfied( "2026-01-01" [x==1] [ '
    "has.x *2 *2..3 2 of ( 7 calendar # \n within 7d"
).split(" ")


def through_lark(part: Tree[Token] | Token) -> Any:
    """What the builder makes of a tree of Lark's; a node at its root."""
    if isinstance(part, Token):
        return Lexeme(KINDS.get(part.type, "word"), str(part), part.start_pos or 0, part.end_pos or 0)
    return getattr(Builder(), part.data)([through_lark(inner) for inner in part.children])


def read_by_lark(text: str) -> Any:
    try:
        return attrs.astuple(through_lark(grammar.parser().parse(text)))
    except UnexpectedInput:
        return None
    except Slip as slip:
        return slip.diagnostic


def read_by_automaton(text: str) -> Any:
    try:
        return attrs.astuple(automaton().read(text, scan(text)))
    except Stuck:
        return None
    except Slip as slip:
        return slip.diagnostic


def soup(chance: random.Random) -> str:
    return chance.choice([" ", " ", ""]).join(chance.choices(WORDS, k=chance.randint(1, 9)))


@pytest.mark.parametrize("seed", range(4))
def test_the_automaton_reads_what_lark_reads_and_nothing_else(seed: int) -> None:
    chance = random.Random(seed)
    read = 0
    for _ in range(500):
        text = soup(chance)
        try:
            scan(text)
        except ConditionSyntaxError:
            continue
        expected = read_by_lark(text)
        assert expected == read_by_automaton(text), text
        read += expected is not None
    assert read > 10


@pytest.mark.parametrize(
    "text",
    [
        "count*2 & any & days(A) >= 2",
        "count # of\n (A)",
        "count\n(A) == 2",
        "A[has.x == 1]",
        "A[true == true and has like]",
        'A[x in ("a", 1, -2.5, true, false)]',
        "A[x not in (1)]",
        "- 2 * sum(A | B or C:amount) + 1 >= latest(A:x)",
        'latest(A:"then") == "pro"',
        "2 of (A, B, 2 of (C, D)) by order_id",
        "streak(A or B, 4 calendar weeks, skip 1)",
        'A before "2026-01-01" since "2025-01-01" in one months',
        "A then.x",
        "A*2.5",
        "A*0",
        "(A & B)*2",
    ],
)
def test_words_that_depend_on_their_place_are_read_alike(text: str) -> None:
    assert read_by_lark(text) == read_by_automaton(text)


@pytest.mark.parametrize("unit", ["A & ", "(", "A[x == 1] then ", "!", "A within 7d | ", '"a", '])
def test_the_pieces_that_are_made_grow_with_the_text_alone(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [0]

    class Counted(Piece):
        __slots__ = ()

        def __init__(self, *parts: Any) -> None:
            made[0] += 1
            super().__init__(*parts)

    monkeypatch.setattr(build, "Piece", Counted)
    counts = []
    for number in (8, 16, 24):
        text = unit * number + "A"
        made[0] = 0
        with contextlib.suppress(Stuck):
            automaton().read(text, scan(text))
        counts.append(made[0])
    assert counts[1] - counts[0] == counts[2] - counts[1] <= 8 * 6


def test_reading_takes_less_than_half_the_time_of_rule_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rule_engine")
    monkeypatch.syspath_prepend(BENCHMARKS)
    import parsing

    assert Path(parsing.__file__).parent == BENCHMARKS
    measured = parsing.against_peer(rounds=5)
    assert sum(ours for _, ours, _ in measured) < 0.5 * sum(theirs for _, _, theirs in measured)
    assert parsing.remembered(rounds=5) < 5e-6
    sys.modules.pop("parsing")
