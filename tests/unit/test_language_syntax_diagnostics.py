"""Wrong conditions, and every word that is said about them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.diagnostic import CODES, Diagnostic, quoted
from rewardkit.language.syntax.parse import parse

SHOWN = Path(__file__).with_name("language_syntax_diagnostics.txt")
"""Blocks of `>>> the text as a Python literal`, what is shown, and `fix: …` where there is one."""


def blocks() -> list[tuple[str, str]]:
    found = []
    for block in SHOWN.read_text(encoding="utf-8").split(">>> ")[1:]:
        literal, _, shown = block.partition("\n")
        found.append((eval(literal), shown.rstrip("\n")))
    return found


def said(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(ConditionSyntaxError) as caught:
        parse(text)
    return caught.value.diagnostics


@pytest.mark.parametrize("text, shown", blocks())
def test_a_wrong_condition_is_explained_word_for_word(text: str, shown: str) -> None:
    found = said(text)
    lines = [f"{one.show(text)}\n  fix: {one.fix}" if one.fix is not None else one.show(text) for one in found]
    assert shown == "\n".join(lines)


def test_the_table_of_wrong_conditions_is_long() -> None:
    assert len(blocks()) >= 200


@pytest.mark.parametrize("text, shown", blocks())
def test_a_span_lies_in_the_text_and_a_code_is_in_the_table(text: str, shown: str) -> None:
    for found in said(text):
        start, end = found.span
        assert 0 <= start <= end <= len(text)
        assert found.code in CODES
        assert found.severity == "error"


MENDED = [(text, found.fix) for text, _ in blocks() for found in said(text) if found.fix is not None]


@pytest.mark.parametrize("text, fix", MENDED)
def test_a_fix_mends_its_finding(text: str, fix: str) -> None:
    assert codes(fix).isdisjoint({found.code for found in said(text)})


def codes(text: str) -> set[str]:
    try:
        parse(text)
    except ConditionSyntaxError as error:
        return {found.code for found in error.diagnostics}
    return set()


def test_fixes_are_common() -> None:
    assert len(MENDED) >= 30


def test_a_finding_is_shown_under_its_line() -> None:
    text = "signup\n  then no refund  # first\n  then A"
    found = said(text)[0]
    assert (
        "error[RK104]: `no refund` needs a deadline\n"
        "    then no refund  # first\n"
        "         ^^^^^^^^^ an absence can only be decided by a timer\n"
        "  help: write `no refund within 14d`"
    ) == found.show(text)


def test_the_underline_stays_in_its_line() -> None:
    text = "(A &\n B)*2 then\tC"
    found = said(text)[0]
    assert (0, 8) == found.span
    assert "  (A &\n  ^^^^ this is neither" in found.show(text)


def test_a_tab_before_the_place_is_kept_in_the_underline() -> None:
    assert "\n  \t  ^ \n" in said("\tA B")[0].show("\tA B").replace("^ an operator is expected before this", "^ ")


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "A & " * 500 + "B C"
    shown = said(text)[0].show(text)
    assert max(map(len, shown.splitlines())) < 200
    assert "B C" in shown


def test_the_end_of_the_text_is_the_place_of_what_is_missing() -> None:
    assert (5, 5) == said("A &  ")[0].span
    assert (7, 7) == said("A then ")[0].span


def test_control_characters_of_the_text_do_not_reach_the_terminal() -> None:
    shown = said("A \x1b[31m")[0].show("A \x1b[31m")
    assert "\x1b" not in shown
    assert "`a\ufffdb`" == quoted("a\x07b")


def test_the_error_shows_all_findings_and_survives_pickling() -> None:
    with pytest.raises(ConditionSyntaxError) as caught:
        parse("A*0 & B*0")
    assert [(0, 3), (6, 9)] == [found.span for found in caught.value.diagnostics]
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(caught.value) == str(copy)
    assert caught.value.diagnostics == copy.diagnostics


@pytest.mark.parametrize("value", [5, None, b"A", ["A"], object()])
def test_what_is_no_text_is_refused_as_a_syntax_error(value: object) -> None:
    with pytest.raises(ConditionSyntaxError, match="a condition is a text"):
        parse(value)  # type: ignore[arg-type]


def test_every_parse_error_code_is_met_by_the_table() -> None:
    met = {found.code for text, _ in blocks() for found in said(text)}
    elsewhere = {"RK001", "RK002", "RK003", "RK004", "RK007", "RK140", "RK141", "RK150", "RK151", "RK152", "RK153"}
    assert {code for code in CODES if code < "RK2"} - elsewhere <= met
