"""The grammar itself, and that nothing makes reading expensive."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language import grammar
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.limits import DEEPEST, LONGEST_TEXT, MOST_NODES
from rewardkit.language.syntax.parse import parse
from rewardkit.language.syntax.scan import RESERVED, scan
from rewardkit.language.tree import AtLeast, Match


def said(text: str) -> Diagnostic:
    with pytest.raises(ConditionSyntaxError) as caught:
        parse(text)
    return caught.value.diagnostics[0]


def test_the_grammar_has_no_conflict_and_no_colliding_terminals() -> None:
    pytest.importorskip("interegular")
    assert "start" == str(grammar.build(strict=True).parse("A then no B within 14d").data)


def test_the_parser_comes_on_first_use_and_not_by_importing() -> None:
    code = (
        "import sys, rewardkit.language.condition, rewardkit.language.syntax.parse as p\n"
        "assert 'lark' not in sys.modules\n"
        "p.parse('A & B')\n"
        "assert 'lark' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_reserved_word_is_a_name_only_in_quotes(word: str) -> None:
    assert AtLeast((Match(word),)) == parse(f'"{word}"')
    with pytest.raises(ConditionSyntaxError):
        parse(word)
    assert AtLeast((Match(f"{word}s"),)) == parse(f"{word}s") if f"{word}s" not in RESERVED else True


@pytest.mark.parametrize(
    "word",
    ["count", "sum", "streak", "satisfied", "any", "last", "one", "calendar", "skip", "day", "has", "like", "true"],
)
def test_a_function_like_word_is_a_name_too(word: str) -> None:
    assert AtLeast((Match(word),), 2) == parse(f"{word}*2")


@pytest.mark.parametrize("name", ["orders", "android", "nothing", "innings", "overall", "bye", "offer", "theny"])
def test_a_word_that_begins_like_an_operator_is_not_split(name: str) -> None:
    assert said(f"A {name}").code == "RK112"


HOSTILE = {
    "parentheses": ("(" * 100_000, "RK002"),
    "short parentheses": ("(" * 4_000, "RK003"),
    "prefixes": ("!" * 4_096, "RK003"),
    "words as prefixes": ("not " * 1_000 + "A", "RK003"),
    "a long chain": ("A and " * 2_000, "RK002"),
    "a chain of a thousand": ("A&" * 1_000 + "A", "RK004"),
    "foreign words": ("A AND " * 600, "RK113"),
    "a megabyte of name": ("a" * 1_000_000, "RK002"),
    "a name that just fits": ("a" * 4_096 + "a", "RK002"),
    "a large exponent": ("A[x == 1e1000000]", "RK005"),
    "a comparison with a large number": ("count(e) >= 9e99", "RK005"),
    "many digits": ("A[x == " + "9" * 39 + "]", "RK005"),
    "a count of many digits": ("A*" + "9" * 38, "RK005"),
    "a calendar of many digits": ("A within " + "9" * 38 + " calendar days", "RK005"),
    "scopes": ("A" + " within 7d" * 400, "RK003"),
    "nested counts": ("(" * 33 + "A" + ")" * 33, "RK003"),
    "filters": ("A[" + "not " * 100 + "x == 1]", "RK003"),
    "open quotes": ('"' + '\\"' * 2_000, "RK115"),
    "hashes": ("#" * 4_096, "RK126"),
    "hundreds of years, again and again": ("A" + " then no B within 36525d" * 12, "RK007"),
}


@pytest.mark.parametrize("text, code", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_refused_by_its_limit(text: str, code: str) -> None:
    found = said(text)
    assert code == found.code
    assert len(found.show(text)) < 2_000


@pytest.mark.parametrize("kind", ["parentheses", "prefixes", "words as prefixes", "a long chain", "a megabyte of name"])
def test_what_is_too_long_or_too_deep_never_reaches_the_parser(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("automaton", "parser"):
        monkeypatch.setattr(f"rewardkit.language.syntax.parse.{name}", lambda: pytest.fail("the parser was asked"))
    text, code = HOSTILE[kind]
    assert code == said(text).code


def test_a_number_that_is_too_long_is_never_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    converting = "rewardkit.language.syntax.build.read_number"
    monkeypatch.setattr(converting, lambda text: pytest.fail(f"{text} was converted"))
    for number in ("1e1000000", "1e19", "9" * 39, "0." + "1" * 38, "1e-19", "1" * 30 + "e18"):
        assert "RK005" == said(f"A[x == {number}]").code


@pytest.mark.parametrize("length", [10, 100, 1_000])
def test_the_scan_makes_a_number_of_lexemes_that_grows_with_the_text_alone(length: int) -> None:
    assert 2 * length == len(scan("A&" * length))
    assert 1 == len(scan("a" * length))
    assert 1 == len(scan(f'"{"a" * length}"'))
    assert 1 == len(scan("A " + "#" * length))


def test_the_limits_hold_at_their_edges() -> None:
    parse("a" * LONGEST_TEXT)
    parse("(" * DEEPEST + "A" + ")" * DEEPEST)
    parse("!" * (DEEPEST - 1) + "A")
    parse("A" + " within 7d" * (DEEPEST - 1))
    parse(" & ".join(["A"] * (MOST_NODES - 1)))
    assert "RK003" == said("!" * DEEPEST + "A").code
    assert "RK003" == said("A" + " within 7d" * DEEPEST).code
    assert "RK004" == said(" & ".join(["A"] * MOST_NODES)).code


def test_the_canonical_text_keeps_to_the_limit_of_length_too() -> None:
    text = "&".join(["a" * 19] * (MOST_NODES - 1))
    assert len(text) <= LONGEST_TEXT
    assert "RK002" == said(text).code
    assert "written out" in said(text).message


def test_the_same_text_is_parsed_once() -> None:
    assert parse("A then B within 3h") is parse("A then B within 3h")
